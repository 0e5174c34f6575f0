"""Recognise what other systems have put on a partition or a whole disk, by its magic bytes.

The emulated node refuses to format or partition over anything found here.  Offsets and values are from
each file system's own description; ``util-linux`` and ``file`` know the same ones.
"""

from dataclasses import dataclass

from csiproxy.emulator.image import Sectors


@dataclass(frozen=True, slots=True)
class FileSystem:
    """A file system's usual name and its number in MSFT_Volume.FileSystemType.

    The number is 0 for what Windows has no driver for, or has a driver but no number for (exFAT).
    """

    name: str
    type_number: int = 0


NTFS = FileSystem("NTFS", 14)
FAT32 = FileSystem("FAT32", 6)
EXFAT = FileSystem("exFAT")


@dataclass(frozen=True, slots=True)
class _Magic:
    offset: int
    value: bytes
    file_system: FileSystem


_MAGICS = (
    _Magic(3, b"NTFS    ", NTFS),
    _Magic(3, b"ReFS\0\0\0\0", FileSystem("ReFS", 15)),
    _Magic(3, b"EXFAT   ", EXFAT),
    _Magic(3, b"-FVE-FS-", FileSystem("BitLocker")),
    _Magic(0, b"XFSB", FileSystem("XFS")),
    _Magic(0, b"LUKS\xba\xbe", FileSystem("LUKS")),
    _Magic(0, b"hsqs", FileSystem("squashfs")),
    _Magic(32, b"NXSB", FileSystem("APFS")),
    _Magic(1024, b"H+\x00\x04", FileSystem("HFS+")),
    _Magic(1024, b"HX\x00\x05", FileSystem("HFSX")),
    _Magic(1024, b"\x10\x20\xf5\xf2", FileSystem("F2FS")),
    _Magic(4086, b"SWAPSPACE2", FileSystem("Linux swap")),
    _Magic(4096, b"\xfc\x4e\x2b\xa9", FileSystem("Linux RAID")),
    _Magic(4096 + 24, b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca", FileSystem("bcachefs")),
    _Magic(32769, b"CD001", FileSystem("ISO 9660")),
    _Magic(32769, b"BEA01", FileSystem("UDF")),
    _Magic(65536 + 52, b"ReIsErFs", FileSystem("ReiserFS")),
    _Magic(65536 + 52, b"ReIsEr2Fs", FileSystem("ReiserFS")),
    _Magic(65536 + 52, b"ReIsEr3Fs", FileSystem("ReiserFS")),
    _Magic(65536 + 64, b"_BHRfS_M", FileSystem("btrfs")),
    *(_Magic(sector * 512, b"LABELONE", FileSystem("LVM")) for sector in range(4)),
    *(
        _Magic(131072 + slot * 1024, (0x00BAB10C).to_bytes(8, order), FileSystem("ZFS"))
        for slot in range(4)
        for order in ("little", "big")
    ),
)
# The signature sectors end here: this much is read.
PROBE = 131072 + 4096

_FAT_NAMES = (
    (82, b"FAT32   ", FAT32),
    (54, b"FAT12   ", FileSystem("FAT", 4)),
    (54, b"FAT16   ", FileSystem("FAT", 5)),
)
_FAT_SECTOR_SIZES = (512, 1024, 2048, 4096)

_EXT_SUPERBLOCK = 1024
_EXT_MAGIC = b"\x53\xef"
_EXT_HAS_JOURNAL = 0x4
_EXT4_FEATURES = 0x40 | 0x80 | 0x200  # extents, 64-bit block numbers, flexible groups


def recognise(device: Sectors, offset: int = 0, length: int | None = None) -> FileSystem | None:
    """What starts at ``offset`` of the device and ends within ``length`` bytes; None: nothing known."""
    room = device.size - offset if length is None else length
    return recognise_bytes(device.read(offset, min(PROBE, room)))


def recognise_bytes(begin: bytes) -> FileSystem | None:
    """The same for the first :data:`PROBE` bytes of a partition, fewer where it is smaller."""
    for magic in _MAGICS:
        if begin.startswith(magic.value, magic.offset):
            return magic.file_system
    return _fat(begin) or _ext(begin)


def _fat(begin: bytes) -> FileSystem | None:
    """FAT has no magic number: a name, a sane sector size and cluster size, and a jump together are one."""
    if len(begin) < 512 or begin[510:512] != b"\x55\xaa" or begin[0] not in (0xEB, 0xE9):
        return None
    cluster = begin[13]
    sector_size = int.from_bytes(begin[11:13], "little")
    if sector_size not in _FAT_SECTOR_SIZES or not cluster or cluster & (cluster - 1):
        return None
    return next((found for at, name, found in _FAT_NAMES if begin.startswith(name, at)), None)


def _ext(begin: bytes) -> FileSystem | None:
    superblock = begin[_EXT_SUPERBLOCK : _EXT_SUPERBLOCK + 1024]
    if len(superblock) < 104 or superblock[56:58] != _EXT_MAGIC:
        return None
    compatible = int.from_bytes(superblock[92:96], "little")
    incompatible = int.from_bytes(superblock[96:100], "little")
    if incompatible & _EXT4_FEATURES:
        return FileSystem("ext4")
    return FileSystem("ext3" if compatible & _EXT_HAS_JOURNAL else "ext2")
