"""Group volume: format, mount, grow and measure volumes."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from csiproxy.errors import FailedPrecondition, InvalidArgument, NotFound, OutOfRange, WindowsCode
from csiproxy.host.names import equality_key
from csiproxy.host.win32 import EntryKind
from csiproxy.operations import disk
from csiproxy.operations.context import Context
from csiproxy.operations.locks import Locks
from csiproxy.operations.paths import MAX_LONG_PATH, Confinement, acting, shown
from csiproxy.operations.rail import Act
from csiproxy.operations.rails import Rails
from csiproxy.storage import Storage
from csiproxy.storage.disk import MEBIBYTE
from csiproxy.storage.namespace import ConfinedPath
from csiproxy.storage.volume import FileSystem, Volume

_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# With and without the last backslash; the KEP writes one before the brace as well.
_VOLUME = re.compile(rf"\\\\\?\\Volume\\?\{{({_GUID})\}}\\?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ListVolumesOnDisk:
    r"""Volume ids ``\\?\Volume{guid}\``, by their offset on the disk."""

    volume_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IsVolumeFormatted:
    """Whether Windows knows the volume's file system."""

    formatted: bool


@dataclass(frozen=True, slots=True)
class GetVolumeStats:
    """Size of the file system and how much of it is used, in bytes."""

    total_bytes: int
    used_bytes: int


@dataclass(frozen=True, slots=True)
class GetDiskNumberFromVolumeId:
    """The disk that a volume is on."""

    disk_number: int


@dataclass(frozen=True, slots=True)
class VolumeId:
    r"""A volume's id ``\\?\Volume{guid}\``."""

    volume_id: str


# Windows formats no larger FAT32: https://learn.microsoft.com/windows-server/storage/file-server/
FAT32_LIMIT = 32 << 30

Decide = Callable[[Volume], bool]


def parse_volume_id(text: str) -> str:
    r"""The canonical form ``\\?\Volume{guid}\`` of a volume id, or InvalidArgument."""
    match = _VOLUME.fullmatch(text)
    if not match:
        raise InvalidArgument(rf"{shown(text)} is not a volume id like \\?\Volume{{guid}}" + "\\")
    return rf"\\?\Volume{{{match[1].lower()}}}" + "\\"


class VolumeGroup:
    """The RPCs of the newest volume version, and what other contracts compose of them."""

    def __init__(
        self,
        storage: Storage,
        disks: disk.DiskGroup,
        locks: Locks,
        rails: Rails,
        confinement: Confinement,
        *,
        allow_reformat: bool,
    ) -> None:
        self._storage = storage
        self._disks = disks
        self._locks = locks
        self._rails = rails
        self._confinement = confinement
        self._allow_reformat = allow_reformat

    # --- questions -----------------------------------------------------------------------------------

    def list_volumes_on_disk(
        self, context: Context, *, disk_number: int, partition_number: int
    ) -> ListVolumesOnDisk:
        """The volumes of a disk, or of one of its partitions; an unknown disk has none."""
        found = self._disks.volumes_of(disk_number, partition_number)
        return ListVolumesOnDisk(tuple(volume.id for volume in found))

    def is_volume_formatted(self, context: Context, *, volume_id: str) -> IsVolumeFormatted:
        """Whether the volume holds a file system that Windows knows."""
        return IsVolumeFormatted(self._storage.volumes.get(parse_volume_id(volume_id)).is_formatted)

    def get_volume_stats(self, context: Context, *, volume_id: str) -> GetVolumeStats:
        """How large a formatted volume is and how full."""
        volume = self._storage.volumes.get(parse_volume_id(volume_id))
        require_formatted(volume)
        return GetVolumeStats(volume.size, volume.size - volume.size_remaining)

    def get_disk_number_from_volume_id(
        self, context: Context, *, volume_id: str
    ) -> GetDiskNumberFromVolumeId:
        """The disk that a volume is on."""
        volume = self._storage.volumes.get(parse_volume_id(volume_id))
        return GetDiskNumberFromVolumeId(self._storage.volumes.partition(volume).disk_number)

    def get_volume_id_from_target_path(self, context: Context, *, target_path: str) -> VolumeId:
        """The volume mounted at a path, which may lead there through links."""
        path = self._confinement.confine(target_path, limit=MAX_LONG_PATH, rooted=True)
        with acting(context, f"find the volume mounted at {path}"):
            entry = self._storage.namespace.look_up(path, self._confinement.follow).entry
        if entry.kind is not EntryKind.MOUNT_POINT:
            raise FailedPrecondition(
                f"{path} is not a mounted folder: no volume is mounted there", WindowsCode.NOT_A_REPARSE_POINT
            )
        return VolumeId(entry.target)

    def get_closest_volume_id_from_target_path(self, context: Context, *, target_path: str) -> VolumeId:
        """The volume that holds what a path leads to: the last one mounted on the way, else the drive's."""
        path = self._confinement.confine(target_path, limit=MAX_LONG_PATH, rooted=True)
        with acting(context, f"find the volume that holds {path}"):
            found = self._storage.namespace.look_up(path, self._confinement.follow)
        return VolumeId(found.volume or self._storage.volumes.of_drive(found.drive).id)

    # --- changes -------------------------------------------------------------------------------------

    def format_volume(self, context: Context, *, volume_id: str) -> None:
        """Put an empty NTFS on a raw volume; one with a file system is refused unless the operator allows."""
        self.format(context, parse_volume_id(volume_id), FileSystem.NTFS, self._may_reformat)

    def _may_reformat(self, volume: Volume) -> bool:
        if not self._allow_reformat:
            raise FailedPrecondition(
                f"volume {volume.id} holds a file system already; ask IsVolumeFormatted first, "
                "or start the proxy with --allow-reformat"
            )
        return True

    def mount_volume(self, context: Context, *, volume_id: str, target_path: str) -> None:
        """Mount a volume at an existing, empty directory; mounted there already is success."""
        path = self._confinement.confine_change(target_path, limit=MAX_LONG_PATH, rooted=True)
        self.mount(context, parse_volume_id(volume_id), path)

    def unmount_volume(self, context: Context, *, volume_id: str, target_path: str) -> None:
        """Flush a volume and unmount it at one directory; not mounted there (any more) is success."""
        path = self._confinement.confine_change(target_path, limit=MAX_LONG_PATH, rooted=True)
        with self.holding(context, parse_volume_id(volume_id)) as volume:
            found = self._flush_if_there(context, volume)
            with acting(context, f"unmount volume {volume} at {path}"):
                self._guard_places(found, [path])
                self._storage.namespace.unmount(path, volume)

    def resize_volume(self, context: Context, *, volume_id: str, size_bytes: int) -> None:
        """Grow a volume and its file system to at least a size in bytes; 0 is as large as fits."""
        self.resize(context, parse_volume_id(volume_id), size_bytes)

    def write_volume_cache(self, context: Context, *, volume_id: str) -> None:
        """Write what Windows still holds in memory of a volume."""
        with self.holding(context, parse_volume_id(volume_id)) as volume:
            self._storage.volumes.flush(self._storage.volumes.get(volume))

    # --- shared with the other contracts -------------------------------------------------------------

    @contextmanager
    def holding(self, context: Context, volume_id: str) -> Iterator[str]:
        """Hold a volume's lock."""
        with self._locks.hold(context, f"volume {volume_id}"):
            yield volume_id

    def format(
        self, context: Context, volume_id: str, file_system: FileSystem, when_formatted: Decide
    ) -> None:
        """Format a raw volume.  ``when_formatted`` decides about one that has a file system already."""
        with self.holding(context, volume_id):
            volume = self._storage.volumes.get(volume_id)
            size = self._rails.guard_volume(volume, Act.FORMAT).size
            if not volume.is_formatted or when_formatted(volume):
                if volume.is_formatted:
                    self._rails.guard_volume(volume, Act.REFORMAT)
                if file_system is FileSystem.FAT32 and size > FAT32_LIMIT:
                    raise OutOfRange(
                        f"volume {volume_id} is larger than 32 GiB, the most that FAT32 may have; use NTFS"
                    )
                context.note("formatting", volume=volume_id, file_system=file_system.value)
                self._storage.volumes.format(volume, file_system)

    def mount(self, context: Context, volume_id: str, path: ConfinedPath) -> None:
        """Mount a formatted volume at an empty directory."""
        with self.holding(context, volume_id):
            volume = self._storage.volumes.get(volume_id)
            self._rails.guard_volume(volume, Act.MOUNT)
            require_formatted(volume)
            with acting(context, f"mount volume {volume_id} at {path}"):
                self._storage.namespace.mount(path, volume.id)

    def dismount(self, context: Context, volume_id: str, confinement: Confinement) -> None:
        """Flush a volume, and remove its mount points under the prefixes even when it has vanished."""
        with self.holding(context, volume_id):
            found = self._flush_if_there(context, volume_id)
            with acting(context, f"dismount volume {volume_id}"):
                texts = self._storage.namespace.mount_points(volume_id)
                places = [path for path in map(confinement.changeable, texts) if path]
                self._guard_places(found, places)
                for path in places:
                    self._storage.namespace.unmount(path, volume_id)

    def guard_mount_point(self, path: ConfinedPath, volume_id: str, leaving: ConfinedPath) -> None:
        """Raise FailedPrecondition if a guard rail forbids that a mounted volume loses this mount point.

        ``leaving`` goes with all below it.
        """
        self._guard_places(self._storage.volumes.find(volume_id), [path], str(leaving))

    def _guard_places(self, volume: Volume | None, places: Sequence[ConfinedPath], leaving: str = "") -> None:
        """Ask the rails about mount points that are about to go; of a volume that has vanished all may."""
        if volume is None:
            return
        mounted = [str(path) for path in places if self._is_mounted_at(path, volume.id)]
        if mounted:
            self._rails.guard_volume(volume, Act.DISMOUNT, mounted, leaving)

    def _is_mounted_at(self, path: ConfinedPath, volume_id: str) -> bool:
        entry = self._storage.namespace.find(path)
        return (
            entry is not None
            and entry.kind is EntryKind.MOUNT_POINT
            and equality_key(entry.target) == equality_key(volume_id)
        )

    def _flush_if_there(self, context: Context, volume_id: str) -> Volume | None:
        """Flush a volume, and give it; None when it has vanished."""
        volume = self._storage.volumes.find(volume_id)
        if volume is None:
            context.note("volume-has-vanished", volume=volume_id)
        elif volume.is_formatted:
            try:
                self._storage.volumes.flush(volume)
            except NotFound:
                context.note("volume-has-vanished", volume=volume_id)
                return None
        return volume

    def resize(self, context: Context, volume_id: str, size: int) -> None:
        """Grow to at least ``size`` bytes, or to all that fits when that is less; 0 is all that fits.

        Success means that the volume has what was asked for, so one byte more than it has is not nothing.
        Windows grows by 1 MiB at the least (4097 below that) and what it sizes itself ends at a whole MiB, so
        the size is rounded up to the next of both.  Drivers ask for the size of the claim, which is the
        disk's, so a size between what fits and the disk's size means what fits; where less than 1 MiB is left
        to that, the volume is as large as it gets, and stays.  Never shrinks.
        """
        if size < 0:
            raise InvalidArgument(f"the size {size} is negative; give bytes, or 0 for as large as fits")
        with self.holding(context, volume_id):
            number = self._rails.guard_volume(self._storage.volumes.get(volume_id), Act.RESIZE).disk_number
            with self._locks.hold(context, disk.lock_name(number)):
                host_disk = self._storage.disks.refresh(self._storage.disks.get(number))
                if size > host_disk.size:
                    raise OutOfRange(
                        f"{size} bytes do not fit on disk {number}, which has {host_disk.size}; grow it first"
                    )
                partition = self._storage.volumes.partition(self._storage.volumes.get(volume_id))
                largest = self._storage.disks.largest_size(partition, host_disk)
                wanted = _next_size(partition.size, size, largest)
                if wanted - partition.size >= MEBIBYTE:
                    self._storage.disks.resize_partition(partition, wanted)
                    self._storage.disks.refresh(host_disk)


def _next_size(present: int, asked: int, largest: int) -> int:
    """The size that a partition gets by a step that Windows takes; ``present`` when that is enough."""
    if asked and asked <= present:
        return present
    least = max(asked, present + MEBIBYTE) if asked else largest
    return min(-(-least // MEBIBYTE) * MEBIBYTE, largest)


def require_formatted(volume: Volume) -> None:
    """A raw volume has no size and no files."""
    if not volume.is_formatted:
        raise FailedPrecondition(
            f"volume {volume.id} is not formatted; format it first", WindowsCode.UNRECOGNIZED_VOLUME
        )
