"""What is on a node now, read through the port: disks, partitions, volumes, mount points and links."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from csiproxy.errors import CsiProxyError, Win32Error, WindowsCode
from csiproxy.host import Host
from csiproxy.host.names import equality_key
from csiproxy.host.win32 import Association, CodeSet, Directory, EntryKind, StorageIdentifier, Win32
from csiproxy.storage import Storage
from csiproxy.storage import disk as disks
from csiproxy.storage import volume as volumes

MAX_NAMES, MAX_DEPTH = 50_000, 24
"""Bounds of the walk for links: names looked at, and directories below each other."""


@dataclass(frozen=True, slots=True)
class Volume:
    r"""A volume of an online disk.  ``id`` is ``\\?\Volume{guid}\``; sizes are bytes.

    ``mount_points`` holds directories (``C:\…``) and drives (``C:``); ``file_system`` is empty when raw.
    """

    id: str
    file_system: str
    formatted: bool
    size: int
    used: int
    mount_points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition; ``reserved`` is Windows' own, empty one, ``extended`` holds logical ones.  Bytes."""

    number: int
    offset: int
    size: int
    reserved: bool
    extended: bool
    offline: bool
    volumes: tuple[Volume, ...]


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk.  ``identifiers`` are page 83's of the device; ``location`` is None where Windows says none."""

    number: int
    size: int
    style: str
    online: bool
    read_only: bool
    system: bool
    serial_number: str
    identifiers: tuple[str, ...]
    location: disks.Location | None
    partitions: tuple[Partition, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """An iSCSI target: its name, the portals that offer it, whether it is logged in to, its disks."""

    iqn: str
    portals: tuple[str, ...]
    connected: bool
    persistent: bool
    disks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A link or mount point that the walk met.

    ``kind`` is the port's word for it (``symbolic link``, ``mount point``); ``target`` a path or a volume.
    """

    path: str
    kind: str
    target: str


@dataclass(frozen=True, slots=True)
class Share:
    r"""A share that the node has mapped (``\\server\share``); ``status`` is Windows' word for its session."""

    remote_path: str
    status: str
    encrypted: bool


@dataclass(frozen=True, slots=True)
class Links:
    """Every link and mount point below a directory; not ``complete`` when the walk had to stop early."""

    found: tuple[Link, ...]
    complete: bool


def read_disks(host: Host) -> tuple[Disk, ...]:
    """Return every disk that Windows sees, with what is on it."""
    storage = Storage(host)
    return tuple(_disk(host, storage, disk) for disk in storage.disks.all())


def read_shares(host: Host) -> tuple[Share, ...]:
    """Return every share that is mapped; the servers are asked whether their sessions are up."""
    return tuple(
        Share(mapping.remote_path, mapping.status.name, mapping.requires_privacy)
        for mapping in Storage(host).smb_mappings.all()
    )


def read_targets(host: Host) -> tuple[Target, ...]:
    """Return every iSCSI target that the node knows; FailedPrecondition while its initiator does not run."""
    iscsi = Storage(host).iscsi
    portals: dict[str, list[str]] = {}
    for portal in iscsi.portals():
        for target in iscsi.targets(portal):
            portals.setdefault(target.name, []).append(f"{portal.address}:{portal.port}")
    return tuple(
        Target(
            target.name,
            tuple(portals.get(target.name, ())),
            target.is_connected,
            any(session.is_persistent for session in iscsi.sessions(target)),
            tuple(iscsi.disk_numbers(target)),
        )
        for target in iscsi.all_targets()
    )


def read_links(win32: Win32, root: str) -> Links:
    """Walk below a directory, reading only, and return its links; none when the directory is missing."""
    walk = _Walk(win32)
    try:
        with win32.open_root(root) as directory:
            found = tuple(walk.below(directory, root.rstrip("\\"), 1))
    except Win32Error as error:
        if error.windows_code not in (WindowsCode.FILE_NOT_FOUND, WindowsCode.PATH_NOT_FOUND):
            raise
        return Links((), complete=True)
    return Links(found, walk.complete)


class _Walk:
    """One walk and what is left of its bounds.  A name that goes or changes meanwhile is passed over."""

    def __init__(self, win32: Win32) -> None:
        self._win32 = win32
        self._left = MAX_NAMES
        self.complete = True

    def below(self, directory: Directory, path: str, depth: int) -> Iterator[Link]:
        for entry in self._win32.entries(directory):
            if self._left == 0:
                self.complete = False
                return
            self._left -= 1
            at = f"{path}\\{entry.name}"
            if entry.kind.is_reparse_point:
                yield Link(at, entry.kind.value, entry.target)
            elif entry.kind is EntryKind.DIRECTORY:
                if depth == MAX_DEPTH:
                    self.complete = False
                    continue
                with suppress(Win32Error), self._win32.open_child(directory, entry.name) as child:
                    yield from self.below(child, at, depth + 1)


def _disk(host: Host, storage: Storage, disk: disks.Disk) -> Disk:
    return Disk(
        disk.number,
        disk.size,
        disk.style.name,
        not disk.is_offline,
        disk.is_read_only,
        disk.is_system,
        disk.serial_number.strip(),
        _identifiers(storage, disk),
        disks.location_of(disk),
        tuple(_partition(host, storage, found) for found in storage.disks.partitions(disk.number)),
    )


def _identifiers(storage: Storage, disk: disks.Disk) -> tuple[str, ...]:
    """Page 83 of a disk; nothing for one whose driver does not answer, which must not hide the others."""
    try:
        device = storage.disks.device(disk)
    except CsiProxyError:
        return ()
    return tuple(_text(item) for item in device.identifiers if item.association is Association.DEVICE)


def _text(item: StorageIdentifier) -> str:
    if item.code_set in (CodeSet.ASCII, CodeSet.UTF8):
        return item.identifier.decode("utf-8", "replace")
    return item.identifier.hex()


def _partition(host: Host, storage: Storage, partition: disks.Partition) -> Partition:
    found = storage.volumes.on_partition(partition) if partition.is_data else ()
    return Partition(
        partition.number,
        partition.offset,
        partition.size,
        partition.is_reserved,
        partition.is_container,
        partition.is_offline,
        tuple(_volume(host, volume) for volume in found),
    )


def _volume(host: Host, volume: volumes.Volume) -> Volume:
    letter = volume.instance.number("DriveLetter")
    drive = (f"{chr(letter)}:",) if letter else ()
    return Volume(
        volume.id,
        volume.file_system,
        volume.is_formatted,
        volume.size,
        volume.size - volume.size_remaining,
        (*drive, *sorted(host.win32.mount_points(volume.id))),
    )


def volumes_of(disk_list: Iterable[Disk]) -> Iterator[tuple[Disk, Partition, Volume]]:
    """Go through the volumes of disks, by disk and offset."""
    for disk in disk_list:
        for partition in disk.partitions:
            for volume in partition.volumes:
                yield disk, partition, volume


def disk_of(disk_list: Iterable[Disk], volume_id: str) -> Disk | None:
    """Return the disk that a volume is on; None when no online disk has it."""
    wanted = equality_key(volume_id)
    return next((d for d, _, volume in volumes_of(disk_list) if equality_key(volume.id) == wanted), None)
