"""A disk's layout as Windows shows it, whichever kind of table it has, and every change to it.

All offsets and sizes are bytes.  A layout is what was read once; changes write to the device, and the
caller reads again.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from typing import TypeVar

from csiproxy.emulator import file_systems, gpt, mbr
from csiproxy.emulator.image import SECTOR, Sectors

MIB = 1 << 20
# Windows begins data partitions at whole MiB and lets those it sizes itself end there.
ALIGNMENT = MIB
# "The size of the extent is less than the minimum of 1MB" is what Windows says below this.
MIN_PARTITION = MIB
# Two tables and one partition between them need this much.
MIN_GPT_DISK = 3 * MIB
# From here on Initialize makes a Microsoft reserved partition (diskpart's "create partition msr").
MIN_DISK_WITH_MSR = 32 * MIB
MSR_END = 16 * MIB
MSR_NAME = "Microsoft reserved partition"
DATA_NAME = "Basic data partition"

# The types that Windows mounts; it shows all others as partitions without a volume.
_GPT_VOLUME_TYPES = frozenset({gpt.BASIC_DATA, gpt.EFI_SYSTEM, gpt.MICROSOFT_RECOVERY})
_MBR_VOLUME_TYPES = frozenset(
    {mbr.FAT12, mbr.FAT16_SMALL, mbr.HUGE, mbr.IFS, mbr.FAT32_CHS, mbr.FAT32, mbr.FAT16}
)


Slot = TypeVar("Slot")


class LayoutError(Exception):
    """The table is damaged, or the change does not fit it.  The text says which."""


class PartitionStyle(IntEnum):
    """MSFT_Disk.PartitionStyle."""

    RAW = 0
    MBR = 1
    GPT = 2


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition.  ``number`` is its rank by offset, from 1, and changes as Windows' does.

    An extended partition is one, too, and the logical ones lie in it; its number is 0, as in
    PARTITION_INFORMATION_EX, which numbers what can be used.

    ``type`` and ``guid`` are a GPT's, ``mbr_type``, ``active`` and ``logical`` an MBR's.
    """

    number: int
    offset: int
    size: int
    type: str = ""
    guid: str = ""
    attributes: int = 0
    mbr_type: int = 0
    active: bool = False
    logical: bool = False

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.offset + self.size

    @property
    def is_container(self) -> bool:
        """Whether it is an extended partition, which holds others and no data of its own."""
        return not self.logical and self.mbr_type in mbr.EXTENDED

    @property
    def is_hidden(self) -> bool:
        """Whether the mount manager is not to see it."""
        return bool(self.attributes & gpt.HIDDEN)

    @property
    def has_volume(self) -> bool:
        """Whether Windows makes a volume of it."""
        if self.type:
            return self.type in _GPT_VOLUME_TYPES and not self.is_hidden
        return self.mbr_type in _MBR_VOLUME_TYPES


@dataclass(frozen=True, slots=True)
class Extent:
    """Bytes ``offset`` to ``end`` that no partition uses."""

    offset: int
    end: int

    @property
    def size(self) -> int:
        """Bytes."""
        return self.end - self.offset

    def aligned(self, unit: int = ALIGNMENT) -> "Extent":
        """The part of it that begins at a multiple of ``unit`` and ends at a whole MiB; may be empty."""
        offset = _round_up(self.offset, unit)
        return Extent(offset, max(offset, self.end - self.end % ALIGNMENT))


@dataclass(frozen=True)
class Layout:
    """What a disk holds.

    ``damage`` says why its table cannot be used (nothing may then be changed), also where it is
    ``unreadable`` now and may be whole; ``foreign`` what a disk without a table holds instead.  What follows
    from it is found once: it is asked for with every call.
    """

    style: PartitionStyle
    size: int
    partitions: tuple[Partition, ...] = ()
    sector_size: int = SECTOR
    guid: str = ""
    signature: int = 0
    table: gpt.Table | mbr.Table | None = None
    damage: str = ""
    unreadable: bool = False
    foreign: str = ""

    @cached_property
    def volumes(self) -> Mapping[str, Partition]:
        """The first partition of each name that has a volume, by the GUID (lower case) in its name."""
        with_volume = [partition for partition in reversed(self.partitions) if partition.has_volume]
        return {self.volume_guid(partition).lower(): partition for partition in with_volume}

    def volume_guid(self, partition: Partition) -> str:
        """What a volume is named after.

        GPT: the partition's own GUID.  MBR, as Windows makes it up: signature, then the offset's eight bytes.
        """
        if partition.guid:
            return partition.guid
        tail = partition.offset.to_bytes(8, "little")
        return str(uuid.UUID(bytes=self.signature.to_bytes(4, "big") + bytes(4) + tail))

    @cached_property
    def names(self) -> frozenset[str]:
        """What may stand on one online disk of a node alone, since volumes are named after it.

        GUIDs of a GPT disk and its partitions, the signature of an MBR disk (0 as well, for "none").
        """
        if not self.table:
            return frozenset()
        if self.style is PartitionStyle.MBR:
            return frozenset({f"{self.signature:08x}"})
        return frozenset({self.guid, *(partition.guid for partition in self.partitions)})

    @cached_property
    def free(self) -> tuple[Extent, ...]:
        """The gaps between the partitions, in order."""
        if self.table is None:
            return ()
        if isinstance(self.table, gpt.Table):
            table = gpt.fitted(self.table, self.size)
            begin, end = table.first_usable * self.sector_size, (table.last_usable + 1) * self.sector_size
            used = [(partition.offset, partition.end) for partition in self.partitions]
        else:
            begin, end = SECTOR, min(self.size, mbr.MAX_SECTORS * SECTOR)
            taken = [entry for entry in self.table.primary if entry]
            used = sorted((entry.first * SECTOR, (entry.last + 1) * SECTOR) for entry in taken)
        gaps = []
        for offset, stop in [*used, (end, end)]:
            if offset > begin:
                gaps.append(Extent(begin, offset))
            begin = max(begin, stop)
        return tuple(gaps)

    @cached_property
    def largest_free(self) -> Extent:
        """The largest gap after alignment; empty when there is none."""
        return max((gap.aligned() for gap in self.free), key=lambda gap: gap.size, default=Extent(0, 0))

    def largest_size(self, partition: Partition) -> int:
        """How large a partition can become: its size and the gap right behind it."""
        if partition.logical and isinstance(self.table, mbr.Table):
            return self.table.room(_logical(self.table, partition)) * SECTOR
        behind = next((gap.size for gap in self.free if gap.offset == partition.end), 0)
        return partition.size + behind


def read(device: Sectors) -> Layout:
    """Read a disk's table, or recognise what is there instead of one."""
    sector = device.read(0, SECTOR)
    size = device.size
    if gpt.is_protective(sector):
        try:
            return _of_gpt(gpt.read(device), size)
        except gpt.GptError as error:
            return Layout(PartitionStyle.GPT, size, damage=str(error))
    if not mbr.is_record(sector):
        found = file_systems.recognise(device)
        return Layout(PartitionStyle.RAW, size, foreign=found.name if found else "")
    boot_sector = file_systems.recognise_bytes(sector)
    if boot_sector:
        return Layout(PartitionStyle.RAW, size, foreign=boot_sector.name)
    try:
        return _of_mbr(mbr.read(device), size)
    except mbr.MbrError as error:
        return Layout(PartitionStyle.MBR, size, damage=str(error))


def _of_gpt(table: gpt.Table, size: int) -> Layout:
    unit = table.sector_size
    partitions = tuple(
        Partition(
            number,
            entry.first * unit,
            (entry.last - entry.first + 1) * unit,
            entry.type,
            entry.guid,
            entry.attributes,
        )
        for number, entry in enumerate(table.partitions, 1)
    )
    return Layout(PartitionStyle.GPT, size, partitions, unit, guid=table.disk_guid, table=table)


def _of_mbr(table: mbr.Table, size: int) -> Layout:
    numbered = [*enumerate(table.partitions, 1), *((0, container) for container in table.containers)]
    partitions = tuple(
        Partition(
            number,
            entry.first * SECTOR,
            entry.sectors * SECTOR,
            mbr_type=entry.type,
            active=entry.active,
            logical=entry in table.logical,
        )
        for number, entry in sorted(numbered, key=lambda pair: pair[1].first)
    )
    return Layout(PartitionStyle.MBR, size, partitions, signature=table.signature, table=table)


def _logical(table: mbr.Table, partition: Partition) -> mbr.Entry:
    return next(entry for entry in table.logical if entry.first * SECTOR == partition.offset)


def initialize_gpt(device: Sectors, disk_guid: str, msr_guid: str) -> None:
    """Write a GPT with the reserved partition that Windows makes, on a disk large enough for one."""
    table = gpt.blank(device.size, disk_guid)
    if device.size >= MIN_DISK_WITH_MSR:
        last = MSR_END // SECTOR - 1
        msr = gpt.Entry(gpt.MICROSOFT_RESERVED, msr_guid, table.first_usable, last, name=MSR_NAME)
        table = replace(table, entries=(msr, *table.entries[1:]))
    gpt.write(device, table)


def initialize_mbr(device: Sectors, signature: int) -> None:
    """Write an MBR without partitions."""
    mbr.initialize(device, signature)


def add(device: Sectors, layout: Layout, partition: Partition, name: str = DATA_NAME) -> None:
    """Write one more partition; its ``number`` is not looked at.  Raises :class:`LayoutError`."""
    unit = layout.sector_size
    first, count = partition.offset // unit, partition.size // unit
    table = layout.table
    if isinstance(table, gpt.Table):
        entry = gpt.Entry(
            partition.type, partition.guid, first, first + count - 1, partition.attributes, name
        )
        slots = _with_slot(table.entries, None, entry)
        _write(device, replace(table, entries=slots))
    elif isinstance(table, mbr.Table):
        record = mbr.Entry(partition.mbr_type, first, count, partition.active)
        _write(device, replace(table, primary=_with_slot(table.primary, None, record)))
    else:
        raise LayoutError(layout.damage or "the disk has no partition table")


def change(device: Sectors, layout: Layout, old: Partition, new: Partition | None) -> None:
    """Replace one partition's entry (size, guid, attributes, active), or remove it.

    Of a logical partition the size alone; and it stays.
    """
    unit = layout.sector_size
    first = old.offset // unit
    table = layout.table
    if isinstance(table, gpt.Table):
        entry = next(slot for slot in table.entries if slot and slot.first == first)
        edited: gpt.Entry | None = None
        if new is not None:
            last = first + new.size // unit - 1
            edited = replace(entry, guid=new.guid, last=last, type=new.type, attributes=new.attributes)
        _write(device, replace(table, entries=_with_slot(table.entries, entry, edited)))
    elif isinstance(table, mbr.Table) and not old.logical:
        record = next(slot for slot in table.primary if slot and slot.first == first)
        rewritten: mbr.Entry | None = None
        if new is not None:
            rewritten = replace(record, sectors=new.size // unit, type=new.mbr_type, active=new.active)
        _write(device, replace(table, primary=_with_slot(table.primary, record, rewritten)))
    elif isinstance(table, mbr.Table) and new is not None:
        try:
            mbr.resize_logical(device, table, _logical(table, old), new.size // SECTOR)
        except mbr.MbrError as error:
            raise LayoutError(str(error)) from error
    else:
        raise LayoutError(layout.damage or "logical partitions are not removed here")


def rename_disk(
    device: Sectors, layout: Layout, guid: str, signature: int, fresh_guid: Callable[[], str] | None = None
) -> None:
    """Give the disk another GUID (GPT) or signature (MBR), and with ``fresh_guid`` every partition, too.

    All of it happens in one write of the table, or nothing.
    """
    if isinstance(layout.table, gpt.Table):
        entries = layout.table.entries
        if fresh_guid:
            entries = tuple(entry and replace(entry, guid=fresh_guid()) for entry in entries)
        _write(device, replace(layout.table, disk_guid=guid, entries=entries))
    elif isinstance(layout.table, mbr.Table):
        _write(device, replace(layout.table, signature=signature))
    else:
        raise LayoutError(layout.damage or "the disk has no partition table")


def repair(device: Sectors, layout: Layout) -> None:
    """Write a GPT anew whose halves do not agree, as a kill between their writes leaves them.

    What :func:`read` took is what counts.  Windows has IoVerifyPartitionTable for that:
    https://learn.microsoft.com/windows-hardware/drivers/ddi/ntddk/nf-ntddk-ioverifypartitiontable
    """
    if isinstance(layout.table, gpt.Table) and not gpt.halves_agree(device, layout.table):
        _write(device, layout.table)


def erase(device: Sectors) -> None:
    """Make the disk raw: sector 0 first, which alone makes it so, then both ends of a GPT."""
    device.write(0, bytes(SECTOR))
    device.sync()
    begin = min(MIB, device.size)
    device.write(SECTOR, bytes(begin - SECTOR))
    end = max(begin, device.size - 64 * SECTOR)
    device.write(end, bytes(device.size - end))
    device.sync()


def _with_slot(slots: tuple[Slot | None, ...], old: Slot | None, new: Slot | None) -> tuple[Slot | None, ...]:
    if old not in slots:
        raise LayoutError("the partition table has no free slot")
    at = slots.index(old)
    return (*slots[:at], new, *slots[at + 1 :])


def _write(device: Sectors, table: gpt.Table | mbr.Table) -> None:
    try:
        if isinstance(table, gpt.Table):
            gpt.write(device, table)
        else:
            mbr.write(device, table)
    except (gpt.GptError, mbr.MbrError) as error:
        raise LayoutError(str(error)) from error


def _round_up(value: int, unit: int) -> int:
    return -(-value // unit) * unit
