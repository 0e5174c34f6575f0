"""Volumes whose files are a directory of the host, beside the image: ``<image>.d/<guid>/``.

No privileges and no driver are needed, and any process can use the files.  The partition's first sector
(:mod:`csiproxy.emulator.boot_sector`) says which directory it is.  What another system has formatted is
recognised and left alone.  Capacity shows in the statistics; the host's file system enforces none.
"""

import os
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from csiproxy.emulator import boot_sector, file_systems
from csiproxy.emulator.boot_sector import BootSector, BootSectorError
from csiproxy.emulator.file_systems import FileSystem
from csiproxy.emulator.image import SECTOR, Medium, win32_error
from csiproxy.emulator.partition_table import MIB, Partition
from csiproxy.emulator.volume import DEFAULT_CLUSTER, Condition, Content, Statistics, unusable, volume_name
from csiproxy.emulator.volume_files import empty, flush, sync_path, used_bytes
from csiproxy.errors import Win32Error, WindowsCode

# What Format can put on a volume, by the name that MSFT_Volume.Format takes (in capitals).
FORMATS: Mapping[str, FileSystem] = {"NTFS": file_systems.NTFS, "FAT32": file_systems.FAT32}

# NTFS keeps about this much for itself on a fresh volume: its log and file table grow with the volume.
_METADATA_SHARE = 128
_MIN_METADATA = 2 << 20
_MAX_METADATA = 64 << 20


def file_system_size(partition_size: int) -> int:
    """How large a file system fits: whole clusters behind the boot sector."""
    return (partition_size - SECTOR) // DEFAULT_CLUSTER * DEFAULT_CLUSTER


def metadata_size(size: int) -> int:
    """What a file system of that size takes for itself."""
    taken = min(max(size // _METADATA_SHARE, _MIN_METADATA), _MAX_METADATA, size // 2)
    return taken // DEFAULT_CLUSTER * DEFAULT_CLUSTER


@dataclass(frozen=True, slots=True)
class DirectoryVolume:
    r"""A :class:`~csiproxy.emulator.volume.Volume` with its files in a directory.

    ``guid`` is the one in ``\\?\Volume{guid}\``; ``root`` the directory beside the image; ``place``, where
    it is not empty, the directory that holds the files instead (drive C: lives in the node's state).
    """

    image: Medium
    partition: Partition
    guid: str
    root: str
    place: str = ""

    @property
    def name(self) -> str:
        r"""``\\?\Volume{guid}\``: MSFT_Volume.UniqueId and Path."""
        return volume_name(self.guid)

    @property
    def formats(self) -> Mapping[str, FileSystem]:
        """NTFS and FAT32, in name."""
        return FORMATS

    def content(self) -> Content:
        """Look at the partition's begin and at the directory.  Raises Win32Error when it cannot be read."""
        begin = self.image.read(self.partition.offset, min(file_systems.PROBE, self.partition.size))
        try:
            boot = boot_sector.decode(begin)
        except BootSectorError as error:
            problem = (
                f"{error}; restore the image {self.image.path}, or clear that sector to give the volume up"
            )
            return Content(Condition.DAMAGED, problem=problem)
        if boot is None:
            return _foreign_or_raw(begin)
        if not boot.file_system:
            return Content(Condition.RAW)
        known = FORMATS.get(boot.file_system)
        if known is None:
            problem = f"another release formatted it with {boot.file_system}: use that release"
            return Content(Condition.DAMAGED, problem=problem)
        directory = self._directory(boot)
        if not _is_directory(directory):
            problem = f"its files are missing: put the directory {directory} back beside the image"
            return Content(Condition.DAMAGED, known, boot.label, boot.cluster, problem)
        return Content(Condition.READY, known, boot.label, boot.cluster, directory=directory)

    def directory(self) -> str:
        """The directory of the host that holds the files."""
        return self._ready().directory

    def _directory(self, boot: BootSector) -> str:
        return self.place or os.path.join(self.root, boot.directory)

    def _ready(self) -> Content:
        content = self.content()
        if content.condition is not Condition.READY:
            raise unusable(self.name, content)
        return content

    def files(self) -> str:
        """The directory with the files, judged by the first sector alone; empty where there is none."""
        try:
            boot = self._own_boot()
        except Win32Error:
            return ""
        if boot is None or boot.file_system not in FORMATS:
            return ""
        directory = self._directory(boot)
        return directory if _is_directory(directory) else ""

    def format(self, file_system: str, label: str, cluster: int) -> None:
        """Empty the directory; the old boot sector goes first, the new one comes last."""
        if self.place:
            raise Win32Error(WindowsCode.NOT_SUPPORTED, "Format", "the volume of C: cannot be formatted")
        self.content()  # a boot sector that does not hold is not written over
        old = self._own_boot()
        guid = old.directory if old else self.guid
        boot = BootSector(guid, file_system, label, int(time.time()), cluster or DEFAULT_CLUSTER)
        if old and old.file_system:
            self._write(BootSector(guid, ""))
        _make_empty(self.root, self._directory(boot))
        self._write(boot)

    def relabel(self, label: str) -> None:
        """Write the boot sector again with the new label."""
        self._ready()
        boot = self._own_boot()
        if boot:
            self._write(replace(boot, label=label))

    def mark_raw(self) -> None:
        """Make what this node has formatted unformatted; foreign bytes stay."""
        boot = self._own_boot()
        if boot and boot.file_system:
            self._write(BootSector(boot.directory, ""))

    def remove_files(self) -> None:
        """Delete the files of a volume that is marked raw, and its sector, after its partition has gone."""
        boot = self._own_boot()
        if not boot or boot.file_system:
            return
        directory = self._directory(boot)
        try:
            if _is_directory(directory):
                empty(directory)
                os.rmdir(directory)
        except OSError as error:
            raise win32_error(error, "RemoveDirectoryW", directory) from error
        self.image.write(self.partition.offset, bytes(SECTOR))
        self.image.sync()

    def statistics(self, content: Content) -> Statistics:
        """How full it is.  Nothing is known of what is not ready: unformatted 0, the rest is called full."""
        size = file_system_size(self.partition.size)
        if content.directory:
            used = used_bytes(content.directory, DEFAULT_CLUSTER) + metadata_size(size)
            return Statistics(size, min(size, used))
        if content.file_system is None:
            return Statistics(0, 0)
        return Statistics(size, size)

    def least_size(self, content: Content) -> int:
        """What the files take, in whole MiB."""
        return min(self.partition.size, (self.statistics(content).used // MIB + 1) * MIB)

    def flush(self) -> None:
        """Have the host write the directory."""
        flush(self.directory())

    def before_resize(self) -> None:
        """Nothing: the file system has no size of its own."""

    def after_resize(self) -> None:
        """Nothing: the file system has no size of its own."""

    def _own_boot(self) -> BootSector | None:
        try:
            return boot_sector.decode(self.image.read(self.partition.offset, SECTOR))
        except BootSectorError:
            return None

    def _write(self, boot: BootSector) -> None:
        self.image.write(self.partition.offset, boot_sector.encode(boot))
        self.image.sync()


def _foreign_or_raw(begin: bytes) -> Content:
    found = file_systems.recognise_bytes(begin)
    if found is None:
        return Content(Condition.RAW)
    problem = (
        f"it holds {found.name} from elsewhere, which this kind of volume cannot show: "
        "run the node with --volumes image"
    )
    return Content(Condition.FOREIGN, found, problem=problem)


def _is_directory(path: str) -> bool:
    """Whether a real directory is there; a link could lead the node's calls anywhere."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _make_empty(root: str, directory: str) -> None:
    try:
        os.makedirs(root, exist_ok=True)
        if _is_directory(directory):
            empty(directory)
        else:
            os.mkdir(directory)
        for path in (directory, root, os.path.dirname(root)):
            sync_path(path)
    except OSError as error:
        raise win32_error(error, "CreateDirectoryW", directory) from error
    if not _is_directory(directory):
        raise Win32Error(WindowsCode.DISK_CORRUPT, "CreateDirectoryW", f"{directory} is not a directory")
