"""A node as anyone could see it, in lines of text: two nodes in the same state give the same lines.

Identifiers are made up anew by every run, so a volume is named by its disk and offset.
"""

import os
import re
from collections.abc import Iterable, Iterator

from tests.emulated import tree

from csiproxy.emulator import gpt, marks
from csiproxy.emulator.inventory import DiskReport
from csiproxy.errors import Win32Error
from csiproxy.host import Host
from csiproxy.host.cim import Instance
from csiproxy.host.win32 import Directory, EntryKind

Picture = dict[str, str]

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DISK = ("PartitionStyle", "Size", "IsOffline", "OfflineReason", "IsReadOnly", "NumberOfPartitions")
_PARTITION = ("Size", "GptType", "MbrType", "IsOffline", "IsActive", "IsHidden")
_VOLUME = ("FileSystem", "FileSystemLabel", "FileSystemType", "HealthStatus", "Size", "SizeRemaining")


def picture(host: Host, inventory: Iterable[DiskReport], directory: str) -> Picture:
    """Look at all of a node whose state is in ``directory``; nothing on it changes."""
    reports = list(inventory)
    names = volume_places(host)
    lines = dict(_disks(host))
    for report in reports:
        lines |= _files(report, names)
    with host.win32.open_root("C:\\") as root:
        lines |= dict(_entries(host, root, "C:"))
    for mapping in host.cim.instances("MSFT_SmbGlobalMapping"):
        lines[f"share {mapping.text('RemotePath')}"] = _shown(mapping, ("Status", "RequirePrivacy"))
    left = [name for name in os.listdir(os.path.join(directory, "locks")) if name.startswith(marks.PREFIX)]
    lines["marks"] = str(len(left))
    return {what: named(text, names) for what, text in lines.items()}


def volume_places(host: Host) -> dict[str, str]:
    """Where volumes are (``disk 1 at 16777216``), by their identifiers."""
    return {
        guid.lower(): _place(partition)
        for partition in host.cim.instances("MSFT_Partition")
        for path in partition.texts("AccessPaths")
        for guid in _GUID.findall(path)
    }


def _place(partition: Instance) -> str:
    return f"disk {partition.number('DiskNumber')} at {partition.number('Offset')}"


def named(text: str, names: dict[str, str]) -> str:
    """A text with the places of volumes instead of their identifiers."""
    return _GUID.sub(lambda match: names.get(match[0].lower(), match[0]), text)


def _disks(host: Host) -> Iterator[tuple[str, str]]:
    for disk in host.cim.instances("MSFT_Disk"):
        number = disk.number("Number")
        yield f"disk {number}", _shown(disk, _DISK)
        for partition in host.cim.instances("MSFT_Partition", DiskNumber=number):
            place = _place(partition)
            yield place, _shown(partition, _PARTITION)
            yield f"{place}: mounted", str(sorted(partition.texts("AccessPaths")))
            for volume in host.cim.associated(partition, "MSFT_PartitionToVolume", "MSFT_Volume"):
                yield f"{place}: volume", _shown(volume, _VOLUME)


def _shown(instance: Instance, properties: Iterable[str]) -> str:
    return ", ".join(f"{name} {instance.properties.get(name)}" for name in properties)


def _files(report: DiskReport, names: dict[str, str]) -> Picture:
    """The files of a disk's volumes, and directories beside its image that belong to none of them."""
    lines: Picture = {f"disk {report.number}: problem": report.problem}
    known = set()
    for index, volume in enumerate(report.volumes):
        place = next(
            (names[guid.lower()] for guid in _GUID.findall(volume.name) if guid.lower() in names), ""
        )
        where = place or f"disk {report.number} volume {index}"
        lines[f"{where}: volume problem"] = bool(volume.problem) * "there is one"
        if volume.directory:
            known.add(os.path.realpath(volume.directory))
        if volume.directory and report.number:
            lines |= {f"{where}: file {name}": text for name, text in tree(volume.directory).items()}
    beside = report.image + ".d"
    found = {os.path.join(beside, name) for name in os.listdir(beside)} if os.path.isdir(beside) else set()
    lines[f"disk {report.number}: directories of no volume"] = str(len(found - known))
    return lines


def _entries(host: Host, directory: Directory, path: str) -> Iterator[tuple[str, str]]:
    for entry in host.win32.entries(directory):
        below = f"{path}\\{entry.name}"
        yield below, f"{entry.kind.value} {entry.target}".strip()
        if entry.kind is EntryKind.DIRECTORY:
            with host.win32.open_child(directory, entry.name) as child:
                yield from _entries(host, child, below)


class _File:
    """An image that somebody else has open."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.size = os.path.getsize(path)

    def read(self, offset: int, length: int) -> bytes:
        with open(self._path, "rb") as file:
            file.seek(offset)
            return file.read(max(0, min(length, self.size - offset)))


def table_faults(image: str) -> str:
    """What is wrong with a GPT as any reader of the image would find it; "" when both halves say the same."""
    device = _File(image)
    if not gpt.is_protective(device.read(0, 512)):
        return ""
    last = device.size // 512 - 1
    try:
        primary = gpt._read_half(device, 512, gpt.Half.PRIMARY, 1)
        backup = gpt._read_half(device, 512, gpt.Half.BACKUP, gpt._read_header(device, 512, 1).alternate)
    except (gpt.GptError, Win32Error) as error:
        return str(error)
    if primary.entries != backup.entries or primary.disk_guid != backup.disk_guid:
        return "the two halves differ"
    if gpt._read_header(device, 512, 1).alternate > last:
        return "the backup lies behind the disk's end"
    return ""
