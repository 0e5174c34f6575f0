"""The file systems that this store makes and mounts, each with its tools' command lines.

A command line is a tuple of arguments.  A label is one argument by itself, checked by
:func:`check_label`; devices and directories are the node's own names.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from csiproxy.emulator import file_systems
from csiproxy.emulator.file_systems import FileSystem
from csiproxy.emulator.image_store import exfat, fat32, ntfs
from csiproxy.emulator.image_store.facts import Bytes, Facts
from csiproxy.errors import Win32Error, WindowsCode

Command = tuple[str, ...]
MIB, GIB = 1 << 20, 1 << 30

# Fewer clusters than this are FAT16 by definition (fatgen103, "FAT Type Determination").
_LEAST_FAT32_CLUSTERS = 65525
# Windows' usual clusters: up to this many bytes of volume, this many bytes of cluster.
# https://support.microsoft.com/topic/default-cluster-size-for-ntfs-fat-and-exfat-9772e6f1-e31a-00d7-e18f-73169155af95
_FAT32_CLUSTERS = (
    (64 * MIB, 512),
    (128 * MIB, 1024),
    (256 * MIB, 2048),
    (8 * GIB, 4096),
    (16 * GIB, 8192),
    (32 * GIB, 16384),
)
_FAT_FORBIDDEN = frozenset('"*+,./:;<=>?[\\]|')


@dataclass(frozen=True, slots=True)
class Driver:
    """One file system.

    ``make``, ``relabel`` and ``mount`` give command lines; ``grow`` is a series of them, empty where the file
    """

    file_system: FileSystem
    read: Callable[[Bytes], Facts]
    make: Callable[[str, int, str, int], Command]  # device, its bytes, label, cluster (0: the usual)
    relabel: Callable[[str, str], Command]  # device, label
    mount: Callable[[str, str, bool], Command]  # device, directory, read-only
    grow: Callable[[str], tuple[Command, ...]]  # device
    programs: tuple[str, ...]

    @property
    def name(self) -> str:
        """As MSFT_Volume.Format takes it, in capitals."""
        return self.file_system.name.upper()


def fat32_cluster(size: int) -> int:
    """The bytes of a cluster that Windows takes for a FAT32 volume of that size."""
    return next((cluster for limit, cluster in _FAT32_CLUSTERS if size <= limit), 32768)


def check_label(driver: Driver, label: str) -> str:
    """The label as the file system keeps it; one that it cannot keep is 87."""
    if driver.file_system is not file_systems.FAT32:
        return label
    kept = label.upper()
    if not kept.isascii() or _FAT_FORBIDDEN.intersection(kept) or kept != kept.strip():
        raise Win32Error(
            WindowsCode.INVALID_PARAMETER,
            "Format",
            "a label of FAT32 has ASCII letters, digits and spaces between them",
        )
    return kept


def check_size(driver: Driver, size: int, cluster: int) -> None:
    """Refuse a volume that is too small for its file system (87)."""
    if driver.file_system is file_systems.FAT32:
        unit = cluster or fat32_cluster(size)
        if size // unit < _LEAST_FAT32_CLUSTERS + 64:
            raise Win32Error(
                WindowsCode.INVALID_PARAMETER,
                "Format",
                f"FAT32 has at least {_LEAST_FAT32_CLUSTERS} clusters, too many for {size} bytes; use NTFS",
            )


def _options(read_only: bool, *more: str) -> str:
    return ",".join(("ro" if read_only else "rw", "noatime", *more))


def _make_ntfs(device: str, size: int, label: str, cluster: int) -> Command:  # noqa: ARG001
    return ("mkntfs", "-Q", "-q", *(("-c", str(cluster)) if cluster else ()), "-L", label, device)


def _make_fat32(device: str, size: int, label: str, cluster: int) -> Command:
    per_cluster = str((cluster or fat32_cluster(size)) // 512)
    named = ("-n", label) if label else ()
    return ("mkfs.vfat", "-I", "-F", "32", "-s", per_cluster, *named, device)


def _make_exfat(device: str, size: int, label: str, cluster: int) -> Command:  # noqa: ARG001
    return ("mkfs.exfat", *(("-c", str(cluster)) if cluster else ()), "-L", label, device)


def _relabel_ntfs(device: str, label: str) -> Command:
    if label.startswith("-"):
        # Whatever comes before it, the tool would read it as an option.
        message = "ntfslabel cannot set a label that begins with a hyphen; formatting can"
        raise Win32Error(WindowsCode.NOT_SUPPORTED, "SetFileSystemLabel", message)
    return ("ntfslabel", device, label)


def _relabel_fat32(device: str, label: str) -> Command:
    return ("fatlabel", "--", device, label) if label else ("fatlabel", "-r", device)


def _relabel_exfat(device: str, label: str) -> Command:
    return ("tune.exfat", "-L", label, device)


def _mount_ntfs(device: str, directory: str, read_only: bool) -> Command:
    # The volume is Windows', so names that Windows could not open are not made on it.
    options = _options(read_only, "no_detach", "big_writes", "windows_names")
    return ("ntfs-3g", "-o", options, device, directory)


def _mount_fat32(device: str, directory: str, read_only: bool) -> Command:
    mode = "ro" if read_only else "rw"
    return (sys.executable, "-m", "csiproxy.emulator.fat_driver", mode, device, directory)


def _mount_exfat(device: str, directory: str, read_only: bool) -> Command:
    # -d keeps it in the foreground, where it ends with its keeper.
    return ("mount.exfat-fuse", "-d", "-o", _options(read_only, "allow_other"), device, directory)


def _grow_ntfs(device: str) -> tuple[Command, ...]:
    # Growing marks the volume for a check by Windows.  It was found clean before, so the mark goes again.
    return (("ntfsresize", "--force", "--no-progress-bar", device), ("ntfsfix", "-d", device))


def _cannot_grow(device: str) -> tuple[Command, ...]:  # noqa: ARG001
    return ()


NTFS = Driver(
    file_systems.NTFS,
    ntfs.read,
    _make_ntfs,
    _relabel_ntfs,
    _mount_ntfs,
    _grow_ntfs,
    ("mkntfs", "ntfs-3g", "ntfsresize", "ntfsfix", "ntfslabel"),
)
FAT32 = Driver(
    file_systems.FAT32,
    fat32.read,
    _make_fat32,
    _relabel_fat32,
    _mount_fat32,
    _cannot_grow,
    ("mkfs.vfat", "fatlabel"),
)
EXFAT = Driver(
    file_systems.EXFAT,
    exfat.read,
    _make_exfat,
    _relabel_exfat,
    _mount_exfat,
    _cannot_grow,
    ("mkfs.exfat", "tune.exfat", "mount.exfat-fuse"),
)

DRIVERS: Mapping[str, Driver] = {driver.name: driver for driver in (NTFS, FAT32, EXFAT)}
FORMATS: Mapping[str, FileSystem] = {name: driver.file_system for name, driver in DRIVERS.items()}
