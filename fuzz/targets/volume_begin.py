"""The first bytes of a volume: this program's boot sector, and other systems' file systems.

An input is a byte of choices and the bytes, which stand at the begin; or pieces: a magic's place and two
bytes more of offset, a length, and what stands there.
"""

import uuid
import zlib
from collections.abc import Iterable

from csiproxy.emulator import boot_sector, file_systems
from csiproxy.emulator.boot_sector import BootSectorError
from fuzz.broken import demand
from fuzz.cuts import Cuts

PLACES = (0, 3, 32, 54, 82, 510, 1024, 1080, 4086, 4096, 32769, 65536 + 52, 131072)
_CRC_AT = 100


def run(data: bytes) -> None:
    """The boot sector is read, damaged or none; what is read is written and read alike."""
    cuts = Cuts(data)
    choices = cuts.number()
    if choices & 1:
        sector = cuts.rest()
        if choices & 2 and len(sector) >= 512:  # an attacker computes checksums, too
            blank = sector[:_CRC_AT] + bytes(4) + sector[_CRC_AT + 4 :]
            crc = zlib.crc32(blank[:512]).to_bytes(4, "little")
            sector = sector[:_CRC_AT] + crc + sector[_CRC_AT + 4 :]
    else:
        begin = bytearray(file_systems.PROBE)
        begin[510:512] = b"\x55\xaa" if choices & 2 else b"\0\0"
        while cuts:
            at = PLACES[cuts.number() % len(PLACES)] + cuts.number(2)
            piece = cuts.take(cuts.number())
            begin[at : at + len(piece)] = piece
        sector = bytes(begin[: file_systems.PROBE])
    _boot_sector(sector)
    found = file_systems.recognise_bytes(sector)
    demand(
        found is None or (0 <= found.type_number <= 15 and found.name.isprintable()),
        "a file system is a known one",
    )


def _boot_sector(sector: bytes) -> None:
    try:
        boot = boot_sector.decode(sector)
    except BootSectorError as error:
        demand(str(error).isprintable(), "a refusal can be shown")
        return
    if boot is None:
        return
    demand(str(uuid.UUID(boot.directory)) == boot.directory, "a directory is the text of a GUID")
    demand(len(boot.label.encode()) <= boot_sector.LABEL_BYTES, "a label is bounded")
    demand(boot.file_system.isascii() and len(boot.file_system) <= 16, "a file system's name is bounded")
    demand(boot_sector.decode(boot_sector.encode(boot)) == boot, "what is read is written and read alike")


def seeds() -> Iterable[bytes]:
    """A boot sector of ours, whole and damaged, and the magic of every file system."""
    boot = boot_sector.BootSector(str(uuid.UUID(int=5)), "NTFS", "label ö", 1_700_000_000)
    sector = boot_sector.encode(boot)
    for choices in (1, 3):
        yield bytes((choices,)) + sector
        yield bytes((choices,)) + sector[:98] + b"\7" + sector[99:]
        yield bytes((choices,)) + sector[:300]
    for magic in file_systems._MAGICS:
        yield bytes((0,)) + _piece(magic.offset, magic.value)
    fat = _piece(0, b"\xeb\0\0MSDOS5.0\0\x02\x08")
    for at, name in ((82, b"FAT32   "), (54, b"FAT12   ")):
        yield bytes((2,)) + fat + _piece(at, name)
    yield bytes((0,)) + _piece(1080, b"\x53\xef")
    yield bytes((0,)) + _piece(1080, b"\x53\xef") + _piece(1024 + 92, b"\x04\0\0\0\x40\0\0\0")


def _piece(offset: int, value: bytes) -> bytes:
    place = max(at for at in PLACES if at <= offset)
    return bytes((PLACES.index(place),)) + (offset - place).to_bytes(2, "big") + bytes((len(value),)) + value
