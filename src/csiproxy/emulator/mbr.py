"""Master boot records: read with their logical partitions, of which none is made or removed here.

The layout is that of https://learn.microsoft.com/windows/win32/fileio/basic-and-dynamic-disks and UEFI
2.10 5.2.1: four entries in sector 0, of which an extended one heads a chain of further records with one
logical partition each.  The chain comes from the image and may lead anywhere, so it is bounded.
"""

import struct
from dataclasses import dataclass, replace

from csiproxy.emulator.image import SECTOR, Sectors

FAT12, FAT16_SMALL, HUGE, IFS, FAT32_CHS, FAT32, FAT16 = 0x01, 0x04, 0x06, 0x07, 0x0B, 0x0C, 0x0E
# Windows' two; Linux has a third (0x85), which it made so that Windows leaves it alone.
EXTENDED = (0x05, 0x0F)

PRIMARY_SLOTS = 4
# A chain of extended records is as long as its image says; Windows gives up far earlier, too.
MAX_LOGICAL = 128
# 32-bit sector numbers end here: "only the first 2 TB are usable on MBR disks".
MAX_SECTORS = 1 << 32

_SIGNATURE_AT = 440
_ENTRIES_AT = 446
_ENTRY = struct.Struct("<B3sB3sII")
_LENGTH_AT = 12  # of the number of sectors in an entry
_DATA_SLOT, _LINK_SLOT = 0, 1  # of a record in an extended partition
_MAGIC = b"\x55\xaa"
_BOOTABLE = 0x80
# Cylinder, head and sector that no disk has: "look at the sector numbers instead".
_NO_CHS = b"\xfe\xff\xff"


class MbrError(Exception):
    """There is a master boot record, and it cannot be trusted or written.  The text says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One partition: its first sector on the disk and its number of sectors."""

    type: int
    first: int
    sectors: int
    active: bool = False

    @property
    def last(self) -> int:
        """The last sector, inclusive."""
        return self.first + self.sectors - 1


@dataclass(frozen=True, slots=True)
class Record:
    """A record of an extended partition: its sector, and the logical partition that it describes."""

    at: int
    data: Entry | None


@dataclass(frozen=True, slots=True)
class Table:
    """A record as it was read: ``primary`` are its four slots, ``records`` the chains in their order."""

    signature: int
    primary: tuple[Entry | None, ...]
    records: tuple[Record, ...] = ()

    @property
    def logical(self) -> tuple[Entry, ...]:
        """The partitions in extended ones."""
        return tuple(record.data for record in self.records if record.data)

    @property
    def containers(self) -> tuple[Entry, ...]:
        """The extended partitions, which hold the logical ones and no data of their own."""
        return tuple(entry for entry in self.primary if entry and entry.type in EXTENDED)

    @property
    def partitions(self) -> tuple[Entry, ...]:
        """What holds data, in the order of its place on the disk."""
        data = [entry for entry in self.primary if entry and entry.type not in EXTENDED]
        return tuple(sorted([*data, *self.logical], key=lambda entry: entry.first))

    def container(self, logical: Entry) -> Entry:
        """The extended partition that a logical one is in."""
        return next(one for one in self.containers if one.first <= logical.first <= one.last)

    def room(self, logical: Entry) -> int:
        """How many sectors a logical partition can have: up to the next one's record, or the container's end.

        Records of a chain may stand in any order.
        """
        begins = [record.at for record in self.records] + [other.first for other in self.logical]
        behind = [first for first in begins if first > logical.first]
        return min([*behind, self.container(logical).last + 1]) - logical.first


def is_record(sector: bytes) -> bool:
    """Whether sector 0 ends like a master boot record (boot sectors of file systems do as well)."""
    return len(sector) >= SECTOR and sector[510:512] == _MAGIC


def read(device: Sectors) -> Table:
    """Read the record and its chain.  Raises :class:`MbrError` when they contradict themselves."""
    sector = device.read(0, SECTOR)
    if not is_record(sector):
        raise MbrError("sector 0 does not end like a master boot record")
    total = device.size // SECTOR
    primary = tuple(_entries(sector, base=0))
    table = Table(int.from_bytes(sector[_SIGNATURE_AT : _SIGNATURE_AT + 4], "little"), primary)
    _check(tuple(entry for entry in primary if entry), 0, total)
    records: list[Record] = []
    for container in table.containers:
        records += _chain(device, container, MAX_LOGICAL - len(records))
    return replace(table, records=tuple(records))


def _entries(sector: bytes, base: int) -> list[Entry | None]:
    """The four slots of a record; ``base`` is what their sector numbers count from."""
    slots: list[Entry | None] = []
    for slot in range(PRIMARY_SLOTS):
        status, _, kind, _, first, sectors = _ENTRY.unpack_from(sector, _ENTRIES_AT + slot * _ENTRY.size)
        if status not in (0, _BOOTABLE):
            raise MbrError(f"slot {slot + 1} has the impossible status 0x{status:02x}")
        used = kind != 0 and sectors != 0
        slots.append(Entry(kind, base + first, sectors, status == _BOOTABLE) if used else None)
    return slots


def _chain(device: Sectors, container: Entry, limit: int) -> list[Record]:
    """The records of one extended partition."""
    found: list[Record] = []
    at = container.first
    seen: set[int] = set()
    while True:
        if at in seen or not container.first <= at <= container.last:
            raise MbrError("the chain of logical partitions runs in a circle or leaves its container")
        if len(seen) >= limit:
            raise MbrError(f"more than {MAX_LOGICAL} logical partitions")
        seen.add(at)
        sector = device.read(at * SECTOR, SECTOR)
        if not is_record(sector):
            if at == container.first:  # a container that nobody has put anything into
                return found
            raise MbrError("the chain of logical partitions is broken")
        data = _entries(sector, base=at)[_DATA_SLOT]
        link = _entries(sector, base=container.first)[_LINK_SLOT]
        found.append(Record(at, data))
        if not link or link.type not in EXTENDED:
            logical = [record.data for record in found if record.data]
            records = [Entry(0, record.at, 1) for record in found]  # a partition over one would eat the chain
            _check((*logical, *records), container.first, container.last + 1)
            return found
        at = link.first


def _check(entries: tuple[Entry, ...], first: int, end: int) -> None:
    """Refuse partitions that overlap or lie outside the sectors ``first`` to ``end``."""
    free = max(first, 1)
    for entry in sorted(entries, key=lambda entry: entry.first):
        if entry.first < free or entry.last >= end:
            raise MbrError(f"the partition at sector {entry.first} overlaps another or leaves the disk")
        free = entry.last + 1


def initialize(device: Sectors, signature: int) -> None:
    """Make a raw disk an MBR disk without partitions, in one write."""
    _write_sector(device, Table(signature, (None,) * PRIMARY_SLOTS), bytes(SECTOR))


def write(device: Sectors, table: Table) -> None:
    """Write the primary slots and the signature in one sector; boot code and logical partitions stay."""
    entries = tuple(entry for entry in table.primary if entry)
    _check(entries, 0, device.size // SECTOR)
    for entry in entries:  # one that was read may reach beyond the 2 TB that it begins in
        if entry.first >= MAX_SECTORS or entry.sectors >= MAX_SECTORS:
            raise MbrError(f"the partition at sector {entry.first} lies beyond the first 2 TB of the disk")
    _write_sector(device, table, device.read(0, SECTOR))


def resize_logical(device: Sectors, table: Table, logical: Entry, sectors: int) -> None:
    """Give a logical partition another length.

    What leads to its record is made to reach over it first, so that a kill in between leaves a link that is
    longer than it must be.
    """
    if not 0 < sectors <= table.room(logical):
        raise MbrError(f"the partition at sector {logical.first} has room for {table.room(logical)} sectors")
    index, record = next((i, one) for i, one in enumerate(table.records) if one.data == logical)
    if record.at != table.container(logical).first:
        leading = table.records[index - 1].at
        link = _entries(device.read(leading * SECTOR, SECTOR), base=0)[_LINK_SLOT]
        reach = logical.first + sectors - record.at
        if link and link.sectors < reach:
            _write_length(device, leading, _LINK_SLOT, reach)
    _write_length(device, record.at, _DATA_SLOT, sectors)


def _write_length(device: Sectors, at: int, slot: int, sectors: int) -> None:
    sector = bytearray(device.read(at * SECTOR, SECTOR))
    begin = _ENTRIES_AT + slot * _ENTRY.size + _LENGTH_AT
    sector[begin : begin + 4] = sectors.to_bytes(4, "little")
    device.write(at * SECTOR, bytes(sector))
    device.sync()


def _write_sector(device: Sectors, table: Table, present: bytes) -> None:
    slots = b"".join(_encode(entry) for entry in table.primary)
    signature = table.signature.to_bytes(4, "little")
    device.write(0, present[:_SIGNATURE_AT] + signature + present[444:446] + slots + _MAGIC)
    device.sync()


def _encode(entry: Entry | None) -> bytes:
    if entry is None:
        return bytes(_ENTRY.size)
    status = _BOOTABLE if entry.active else 0
    return _ENTRY.pack(status, _NO_CHS, entry.type, _NO_CHS, entry.first, entry.sectors)
