"""GUID partition tables: read from hostile images, written so that a kill loses nothing.

UEFI Specification 2.10, chapter 5: https://uefi.org/specs/UEFI/2.10/05_GUID_Partition_Table_Format.html

A table stands on the disk twice, at its begin (primary) and at its end (backup), each a header sector
and an array of entries that the header's checksum covers.  The half that was read is written last, so
one whole table exists at any instant.
"""

import struct
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from csiproxy.emulator.image import Sectors

BASIC_DATA = "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"
MICROSOFT_RESERVED = "e3c9e316-0b5c-4db8-817d-f92df00215ae"
EFI_SYSTEM = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
MICROSOFT_RECOVERY = "de94bba4-06d1-4d40-a16a-bfd50179d6ac"

# Attribute bits of a basic data partition (CREATE_PARTITION_PARAMETERS, GPT_BASIC_DATA_ATTRIBUTE_*).
READ_ONLY = 1 << 60
SHADOW_COPY = 1 << 61
HIDDEN = 1 << 62
NO_DRIVE_LETTER = 1 << 63

ENTRIES = 128
ENTRY_SIZE = 128
# A header may claim any number of entries; real tables have 128, and this bounds what is read.
MAX_ENTRIES = 1024
MAX_ENTRY_SIZE = 4096
SECTOR_SIZES = (512, 4096)

_HEADER = struct.Struct("<8s4sIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")
_SIGNATURE = b"EFI PART"
_REVISION = b"\x00\x00\x01\x00"
_NIL = bytes(16)

_PROTECTIVE_TYPE = 0xEE
_MBR_ENTRIES = 446
_MBR_ENTRY = struct.Struct("<B3sB3sII")


class GptError(Exception):
    """There is a GUID partition table, and it cannot be trusted or written.  The text says why."""


class Half(Enum):
    """Which of the two tables."""

    PRIMARY = "primary"
    BACKUP = "backup"


@dataclass(frozen=True, slots=True)
class Entry:
    """One partition: GUIDs in lower case, both sector numbers inclusive."""

    type: str
    guid: str
    first: int
    last: int
    attributes: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was read.  ``entries`` are its slots, ``None`` where one is free."""

    disk_guid: str
    sector_size: int
    first_usable: int
    last_usable: int
    entries: tuple[Entry | None, ...]
    entry_size: int = ENTRY_SIZE
    entries_at: int = 2
    source: Half = Half.PRIMARY

    @property
    def partitions(self) -> tuple[Entry, ...]:
        """The used slots in the order of their place on the disk."""
        return tuple(sorted((entry for entry in self.entries if entry), key=lambda entry: entry.first))

    @property
    def array_sectors(self) -> int:
        """How many sectors the array of entries takes."""
        return -(-len(self.entries) * self.entry_size // self.sector_size)


@dataclass(frozen=True, slots=True)
class _Header:
    at: int
    alternate: int
    first_usable: int
    last_usable: int
    disk_guid: str
    entries_at: int
    count: int
    entry_size: int
    entries_crc: int


# --- the protective MBR (5.2.3) ------------------------------------------------------------------------


def _mbr_slots(sector: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Offset, type, first sector and number of sectors of the four entries of a master boot record."""
    for slot in range(4):
        offset = _MBR_ENTRIES + slot * _MBR_ENTRY.size
        _, _, kind, _, first, sectors = _MBR_ENTRY.unpack_from(sector, offset)
        yield offset, kind, first, sectors


def is_protective(sector: bytes) -> bool:
    """Whether sector 0 says that a GUID partition table follows."""
    return (
        len(sector) >= 512
        and sector[510:512] == b"\x55\xaa"
        and any(kind == _PROTECTIVE_TYPE for _, kind, _, _ in _mbr_slots(sector))
    )


def _protective(sector: bytes, disk_sectors: int) -> bytes:
    """Sector 0 for a disk of that size: the given one where it serves already, else a fresh one."""
    size = min(disk_sectors - 1, 0xFFFFFFFF)
    entry = _MBR_ENTRY.pack(0, b"\x00\x02\x00", _PROTECTIVE_TYPE, b"\xff\xff\xff", 1, size)
    if not is_protective(sector):
        return bytes(_MBR_ENTRIES) + entry + bytes(48) + b"\x55\xaa"
    used = [slot for slot in _mbr_slots(sector) if slot[1]]
    if len(used) > 1:  # a hybrid record: whoever made it knows what it should say
        return sector
    offset = used[0][0]
    return sector[:offset] + entry + sector[offset + _MBR_ENTRY.size :]


# --- reading -------------------------------------------------------------------------------------------


def read(device: Sectors) -> Table:
    """Read the table, from its backup when the primary does not hold.  Raises :class:`GptError`."""
    reasons = []
    for size in SECTOR_SIZES:
        for half, at in _candidates(device, size):
            try:
                return _read_half(device, size, half, at)
            except GptError as error:
                reasons.append(f"{half.value} at sector {at} of {size} bytes: {error}")
    raise GptError(f"neither partition table of the disk holds ({'; '.join(reasons)})")


def halves_agree(device: Sectors, table: Table) -> bool:
    """Whether a table came from the primary half, and the backup that this names holds and says the same."""
    if table.source is not Half.PRIMARY:
        return False
    try:
        at = _read_header(device, table.sector_size, 1).alternate
        backup = _read_half(device, table.sector_size, Half.BACKUP, at)
    except GptError:
        return False
    return replace(backup, source=table.source, entries_at=table.entries_at) == table


def _candidates(device: Sectors, sector_size: int) -> Iterator[tuple[Half, int]]:
    """Where a table may be: the begin, the end, and where the begin says that the end was once."""
    last = device.size // sector_size - 1
    yield Half.PRIMARY, 1
    yield Half.BACKUP, last
    seen = {1, last}
    try:
        hints = [_read_header(device, sector_size, 1).alternate]
    except GptError:
        hints = []
    sector = device.read(0, 512)
    hints += [first + size - 1 for _, kind, first, size in _mbr_slots(sector) if kind == _PROTECTIVE_TYPE]
    for hint in hints:
        if 1 < hint < last and hint not in seen:
            seen.add(hint)
            yield Half.BACKUP, hint


def _read_header(device: Sectors, sector_size: int, at: int) -> _Header:
    sector = device.read(at * sector_size, sector_size)
    if len(sector) < sector_size or sector[:8] != _SIGNATURE:
        raise GptError("no header")
    fields = _HEADER.unpack_from(sector)
    _, revision, length, crc, _, own, alternate, first, last, disk, entries_at, count, size, entries_crc = (
        fields
    )
    if revision[2:] != _REVISION[2:] or not _HEADER.size <= length <= sector_size:
        raise GptError("a header of an unknown revision or length")
    if zlib.crc32(sector[:16] + bytes(4) + sector[20:length]) != crc:
        raise GptError("the header's checksum is wrong")
    if own != at:
        raise GptError(f"the header says that it belongs to sector {own}")
    if not 0 < count <= MAX_ENTRIES or size % ENTRY_SIZE or not ENTRY_SIZE <= size <= MAX_ENTRY_SIZE:
        raise GptError(f"{count} entries of {size} bytes are not a table that can be read")
    guid = str(uuid.UUID(bytes_le=disk))
    return _Header(at, alternate, first, last, guid, entries_at, count, size, entries_crc)


def _read_half(device: Sectors, sector_size: int, half: Half, at: int) -> Table:
    header = _read_header(device, sector_size, at)
    sectors = device.size // sector_size
    array = -(-header.count * header.entry_size // sector_size)
    first, last, begin = header.first_usable, header.last_usable, header.entries_at
    # Nothing may overlap: header, array, usable sectors and the other half, in the order of the half.
    if half is Half.PRIMARY:
        holds = begin >= 2 and begin + array <= first and last + array + 1 < sectors
    else:
        holds = last < begin and begin + array <= at and 2 + array <= first
    if not holds or not 0 < first <= last + 1 <= sectors:
        raise GptError("the table and the sectors it manages overlap or lie beyond the disk's end")
    raw = device.read(begin * sector_size, header.count * header.entry_size)
    if zlib.crc32(raw) != header.entries_crc:
        raise GptError("the checksum of the entries is wrong")
    entries = tuple(
        _decode(raw[offset : offset + ENTRY_SIZE]) for offset in range(0, len(raw), header.entry_size)
    )
    primary_entries = begin if half is Half.PRIMARY else 2
    table = Table(
        header.disk_guid, sector_size, first, last, entries, header.entry_size, primary_entries, half
    )
    check(table)
    return table


def _decode(raw: bytes) -> Entry | None:
    kind, guid, first, last, attributes, name = _ENTRY.unpack(raw)
    if kind == _NIL:
        return None
    text = name.decode("utf-16-le", "surrogatepass").partition("\0")[0]
    return Entry(str(uuid.UUID(bytes_le=kind)), str(uuid.UUID(bytes_le=guid)), first, last, attributes, text)


def check(table: Table) -> None:
    """Refuse partitions that overlap, end before they begin, or lie outside the usable sectors."""
    free = table.first_usable
    guids = set()
    for entry in table.partitions:
        if entry.first < free or entry.last < entry.first or entry.last > table.last_usable:
            raise GptError(f"the partition at sector {entry.first} overlaps another or leaves the disk")
        if entry.guid in guids:
            raise GptError(f"two partitions have the identifier {entry.guid}")
        guids.add(entry.guid)
        free = entry.last + 1


# --- writing -------------------------------------------------------------------------------------------


def blank(disk_size: int, disk_guid: str, sector_size: int = 512) -> Table:
    """The table of a disk without partitions."""
    empty = Table(disk_guid, sector_size, 0, 0, (None,) * ENTRIES)
    table = fitted(replace(empty, first_usable=2 + empty.array_sectors), disk_size)
    if table.last_usable < table.first_usable:
        raise GptError(f"a disk of {disk_size} bytes has no room for a partition table")
    return table


def fitted(table: Table, disk_size: int) -> Table:
    """The table with its backup at the end of a disk that may have grown."""
    last_usable = disk_size // table.sector_size - 2 - table.array_sectors
    return replace(table, last_usable=last_usable)


def write(device: Sectors, table: Table) -> None:
    """Write both halves and the protective MBR for the device's present size, safe at any kill.

    The half that ``table`` was read from is written last, and sector 0, which makes a raw disk a GPT
    disk, after both.
    """
    table = fitted(table, device.size)
    check(table)
    order = (Half.BACKUP, Half.PRIMARY) if table.source is Half.PRIMARY else (Half.PRIMARY, Half.BACKUP)
    entries = b"".join(_encode(entry).ljust(table.entry_size, b"\0") for entry in table.entries)
    for half in order:
        entries_at, header_at, header = _header(table, half, device.size, entries)
        device.write(entries_at * table.sector_size, entries)
        device.sync()
        device.write(header_at * table.sector_size, header)
        device.sync()
    present = device.read(0, 512)
    wanted = _protective(present, device.size // table.sector_size)
    if present != wanted:
        device.write(0, wanted)
        device.sync()


def _header(table: Table, half: Half, disk_size: int, entries: bytes) -> tuple[int, int, bytes]:
    """Where the half's entries and header go, and the header's sector."""
    last = disk_size // table.sector_size - 1
    if half is Half.PRIMARY:
        at, other, entries_at = 1, last, table.entries_at
    else:
        at, other, entries_at = last, 1, last - table.array_sectors

    def packed(crc: int) -> bytes:
        return _HEADER.pack(
            _SIGNATURE, _REVISION, _HEADER.size, crc, 0, at, other, table.first_usable, table.last_usable,
            uuid.UUID(table.disk_guid).bytes_le, entries_at, len(table.entries), table.entry_size,
            zlib.crc32(entries),
        )  # fmt: skip

    return entries_at, at, packed(zlib.crc32(packed(0))).ljust(table.sector_size, b"\0")


def _encode(entry: Entry | None) -> bytes:
    if entry is None:
        return bytes(ENTRY_SIZE)
    name = entry.name.encode("utf-16-le", "surrogatepass")[:72]
    kind, guid = uuid.UUID(entry.type).bytes_le, uuid.UUID(entry.guid).bytes_le
    return _ENTRY.pack(kind, guid, entry.first, entry.last, entry.attributes, name)
