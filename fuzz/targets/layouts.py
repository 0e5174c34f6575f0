"""What Windows would show of a disk in memory, whatever it holds (``emulator.partition_table``)."""

from dataclasses import replace

from csiproxy.emulator import file_systems, gpt, mbr, partition_table
from csiproxy.emulator.partition_table import MIB, Layout, LayoutError, Partition, PartitionStyle
from fuzz.broken import demand
from fuzz.targets.memory_disk import MemoryDisk

_GUID = "99999999-0000-4000-8000-000000000000"


def run(disk: MemoryDisk) -> None:
    """The layout of any disk can be read; what it calls free is, and takes a partition."""
    layout = partition_table.read(disk)
    demand(not layout.damage or layout.table is None, "what is damaged is not used")
    end = 0
    boxes = [partition for partition in layout.partitions if partition.is_container]
    for box in boxes:
        demand(0 < box.offset < box.end <= disk.size, "an extended partition is on the disk")
    for partition in layout.partitions:
        if partition.is_container:
            continue
        demand(end <= partition.offset < partition.end <= disk.size, "partitions are on the disk, in order")
        for box in boxes:
            inside = box.offset < partition.offset and partition.end <= box.end
            outside = partition.end <= box.offset or box.end <= partition.offset
            demand(outside or (inside and partition.logical), "only logical partitions are in a box")
        demand(layout.largest_size(partition) >= partition.size, "a partition can stay as large as it is")
        file_systems.recognise(disk, partition.offset, partition.size)
        end = partition.end
    for gap in layout.free:
        demand(0 < gap.offset < gap.end <= disk.size, "a gap is on the disk")
        demand(all(p.end <= gap.offset or gap.end <= p.offset for p in layout.partitions), "a gap is free")
    for partition in layout.partitions:
        if partition.logical:
            _grow(disk, layout, partition)
    if layout.largest_free.size >= MIB:
        _add(disk, layout)


def _grow(disk: MemoryDisk, layout: Layout, logical: Partition) -> None:
    """A logical partition can have all of its room, and nothing else changes by that."""
    pages = dict(disk._pages)
    grown = replace(logical, size=layout.largest_size(logical))
    partition_table.change(disk, layout, logical, grown)
    wanted = tuple(grown if one == logical else one for one in layout.partitions)
    demand(partition_table.read(disk).partitions == wanted, "a logical partition that grew is there")
    disk._pages = pages


def _add(disk: MemoryDisk, layout: Layout) -> None:
    gap = layout.largest_free
    new = (
        Partition(0, gap.offset, gap.size, type=gpt.BASIC_DATA, guid=_GUID)
        if layout.style is PartitionStyle.GPT
        else Partition(0, gap.offset, gap.size, mbr_type=mbr.IFS)
    )
    pages = dict(disk._pages)
    try:
        partition_table.add(disk, layout, new)
    except LayoutError as error:
        table = layout.table
        slots = table.entries if isinstance(table, gpt.Table) else table.primary if table else ()
        taken = any(p.guid == _GUID for p in layout.partitions)
        demand(
            None not in slots or taken or gap.size > mbr.MAX_SECTORS * 512,
            f"a gap takes a partition: {error}",
        )
        demand(disk._pages == pages, "what is refused changes nothing")
        return
    found = [p for p in partition_table.read(disk).partitions if p.offset == gap.offset]
    demand(len(found) == 1 and found[0].size == gap.size, "a partition that was added is there")
    disk._pages = pages
