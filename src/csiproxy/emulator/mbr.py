"""Master boot records: read with their logical partitions, written for primary ones.

The layout is that of https://learn.microsoft.com/windows/win32/fileio/basic-and-dynamic-disks and UEFI
2.10 5.2.1: four entries in sector 0, of which an extended one heads a chain of further records with one
logical partition each.  The chain comes from the image and may lead anywhere, so it is bounded.
"""

import struct
from dataclasses import dataclass, replace

from csiproxy.emulator.image import SECTOR, Sectors

FAT12, FAT16_SMALL, HUGE, IFS, FAT32_CHS, FAT32, FAT16 = 0x01, 0x04, 0x06, 0x07, 0x0B, 0x0C, 0x0E
EXTENDED = (0x05, 0x0F, 0x85)

PRIMARY_SLOTS = 4
# A chain of extended records is as long as its image says; Windows gives up far earlier, too.
MAX_LOGICAL = 128
# 32-bit sector numbers end here: "only the first 2 TB are usable on MBR disks".
MAX_SECTORS = 1 << 32

_SIGNATURE_AT = 440
_ENTRIES_AT = 446
_ENTRY = struct.Struct("<B3sB3sII")
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
class Table:
    """A record as it was read: ``primary`` are its four slots, ``logical`` what its chain lists."""

    signature: int
    primary: tuple[Entry | None, ...]
    logical: tuple[Entry, ...] = ()

    @property
    def containers(self) -> tuple[Entry, ...]:
        """The extended partitions, which hold the logical ones and no data of their own."""
        return tuple(entry for entry in self.primary if entry and entry.type in EXTENDED)

    @property
    def partitions(self) -> tuple[Entry, ...]:
        """What holds data, in the order of its place on the disk."""
        data = [entry for entry in self.primary if entry and entry.type not in EXTENDED]
        return tuple(sorted([*data, *self.logical], key=lambda entry: entry.first))


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
    logical: list[Entry] = []
    for container in table.containers:
        logical += _chain(device, container, MAX_LOGICAL - len(logical))
    return replace(table, logical=tuple(logical))


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


def _chain(device: Sectors, container: Entry, limit: int) -> list[Entry]:
    """The logical partitions of one extended partition."""
    found: list[Entry] = []
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
        data = _entries(sector, base=at)[0]
        link = _entries(sector, base=container.first)[1]
        if data:
            found.append(data)
        if not link or link.type not in EXTENDED:
            records = (Entry(0, record, 1) for record in seen)  # a partition over one would eat the chain
            _check((*found, *records), container.first, container.last + 1)
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
