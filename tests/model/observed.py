"""A real node in the words of the model."""

import os
from collections.abc import Iterable, Mapping

from tests.emulated import PLUGINS, PODS
from tests.model.windows import SYSTEM, Style

from csiproxy.emulator.inventory import DiskReport
from csiproxy.host import Host
from csiproxy.host.win32 import Directory, EntryKind
from csiproxy.storage.disk import MICROSOFT_RESERVED


def image_number(path: str) -> int:
    """Images are called by their number: ``3.img``."""
    return int(os.path.basename(path).removesuffix(".img"))


def lines(host: Host, inventory: Iterable[DiskReport], volumes: Mapping[int, str]) -> dict[str, str]:
    """The node as the model would say it; ``volumes`` are the known ids of the volumes on the images."""
    found = {}
    images = {volume_id: image for image, volume_id in volumes.items()}
    for report in inventory:
        if report.number != SYSTEM:
            found |= _disk(host, report)
    for prefix in (PLUGINS, PODS):
        with host.win32.open_root(prefix) as root:
            found |= _names(host, root, prefix.lower(), images)
    return found


def _disk(host: Host, report: DiskReport) -> dict[str, str]:
    image = image_number(report.image)
    [disk] = host.cim.instances("MSFT_Disk", Number=report.number)
    style = Style(disk.number("PartitionStyle"))
    found = {
        f"disk {report.number}": f"image {image} of {disk.number('Size')} {style.name}"
        f" offline {disk.flag('IsOffline')} read-only {disk.flag('IsReadOnly')}"
    }
    partitions = host.cim.instances("MSFT_Partition", DiskNumber=report.number)
    data = [part for part in partitions if part.text("GptType").lower() != MICROSOFT_RESERVED]
    assert len(data) <= 1, data
    for partition in data:
        with open(report.image, "rb") as file:
            file.seek(partition.number("Offset"))
            # Of an offline disk Windows shows no volume, so look at the name tag that formatting leaves.
            name = file.read(512)[128:144].rstrip(b"\0").decode()
        place = f"{partition.number('Offset')} {partition.number('Size')} {name}"
        found[f"partition of image {image}"] = place.strip()
        if name:
            [directory] = os.listdir(report.image + ".d")
            files = os.listdir(os.path.join(report.image + ".d", directory))
            found[f"files of image {image}"] = str(sorted(files))
    return found


def _names(host: Host, directory: Directory, path: str, images: Mapping[str, int]) -> dict[str, str]:
    found = {}
    for entry in host.win32.entries(directory):
        below = f"{path}\\{entry.name.lower()}"
        target = entry.target.lower()
        if entry.kind is EntryKind.MOUNT_POINT:
            target = f"image {images.get(entry.target, entry.target)}"
        found[below] = f"{entry.kind.value} {target}".strip()
        if entry.kind is EntryKind.DIRECTORY:
            with host.win32.open_child(directory, entry.name) as child:
                found |= _names(host, child, below, images)
    return found
