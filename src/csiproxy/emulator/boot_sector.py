"""The first sector of a volume that the emulated node has formatted.

The files of such a volume lie in a directory beside the image, so what stands here is a name tag, not a
file system.  It ends like any boot sector, but its BIOS parameter block is empty and its entries of a
partition table are text, so that no other tool takes it for FAT, NTFS or a disk of its own.

====== ====== ==============================================================
offset length content
====== ====== ==============================================================
0      3      a jump to itself: nothing to boot here
3      8      the OEM name ``CSIPROXY``
11     85     zero: no BIOS parameter block
96     2      version of this format, little-endian like all numbers
98     2      bytes per cluster / 512
100    4      CRC-32 of the sector with these four bytes zero
104    8      when it was formatted, seconds since 1970 (UTC)
112    16     GUID of the directory, first three fields little-endian
128    16     file system name in ASCII, zero-padded; empty: not formatted
144    128    label in UTF-8, zero-padded
446    64     a text for whoever looks
510    2      55 AA
====== ====== ==============================================================
"""

import struct
import uuid
import zlib
from dataclasses import dataclass

from csiproxy.emulator.image import SECTOR

OEM_NAME = b"CSIPROXY"
_VERSION = 1
_JUMP = b"\xeb\xfe\x90"
_FIELDS = struct.Struct("<HHIQ16s16s128s")
_FIELDS_AT = 96
_CRC_AT = 100
_NOTICE = b"Emulated volume of csi-proxy; its files lie beside this image.".ljust(64)
_NOTICE_AT = 446
_MAGIC = b"\x55\xaa"
LABEL_BYTES = 128


class BootSectorError(Exception):
    """It is a boot sector of this format, and it does not hold.  The text says why."""


@dataclass(frozen=True, slots=True)
class BootSector:
    """What it says.  ``file_system`` is ``""`` on a volume that is being formatted or was wiped."""

    directory: str
    file_system: str
    label: str = ""
    formatted_at: int = 0
    cluster: int = 4096


def encode(boot: BootSector) -> bytes:
    """The sector's 512 bytes.  A label longer than 128 bytes of UTF-8 is a ValueError."""
    label = boot.label.encode()
    if len(label) > LABEL_BYTES:
        raise ValueError("label too long")
    fields = _FIELDS.pack(
        _VERSION,
        boot.cluster // SECTOR,
        0,
        boot.formatted_at,
        uuid.UUID(boot.directory).bytes_le,
        boot.file_system.encode("ascii"),
        label,
    )
    sector = (_JUMP + OEM_NAME).ljust(_FIELDS_AT, b"\0") + fields
    sector = sector.ljust(_NOTICE_AT, b"\0") + _NOTICE + _MAGIC
    return _with_crc(sector, zlib.crc32(sector))


def decode(sector: bytes) -> BootSector | None:
    """Read a sector; None when it is not of this format, :class:`BootSectorError` when it is damaged."""
    if len(sector) < SECTOR or sector[3:11] != OEM_NAME:
        return None
    version, clusters, crc, formatted_at, directory, file_system, label = _FIELDS.unpack_from(
        sector, _FIELDS_AT
    )
    if crc != zlib.crc32(_with_crc(sector[:SECTOR], 0)):
        raise BootSectorError("the boot sector's checksum is wrong")
    if version != _VERSION:
        raise BootSectorError(f"the boot sector is of version {version}, which another release wrote")
    try:
        return BootSector(
            str(uuid.UUID(bytes_le=directory)),
            file_system.rstrip(b"\0").decode("ascii"),
            label.rstrip(b"\0").decode(),
            formatted_at,
            clusters * SECTOR,
        )
    except UnicodeDecodeError as error:
        raise BootSectorError("the boot sector's texts are not readable") from error


def _with_crc(sector: bytes, crc: int) -> bytes:
    return sector[:_CRC_AT] + crc.to_bytes(4, "little") + sector[_CRC_AT + 4 :]
