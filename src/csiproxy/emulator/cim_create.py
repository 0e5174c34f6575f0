"""MSFT_Disk.CreatePartition: which bytes of the disk a new partition gets.

https://learn.microsoft.com/windows-hardware/drivers/storage/createpartition-msft-disk
"""

import uuid
from collections.abc import Callable, Mapping

from csiproxy.emulator import gpt, mbr, partition_table
from csiproxy.emulator.disk import Disk
from csiproxy.emulator.partition_table import (
    ALIGNMENT,
    MIN_PARTITION,
    Extent,
    Layout,
    Partition,
    PartitionStyle,
)
from csiproxy.emulator.return_codes import MethodFailed, ReturnCode
from csiproxy.host.cim import Value

_CREATABLE_MBR_TYPES = frozenset({mbr.FAT12, mbr.FAT16_SMALL, mbr.HUGE, mbr.IFS, mbr.FAT32})


def create_partition(disk: Disk, arguments: Mapping[str, Value], fresh_guid: Callable[[], str]) -> int:
    """Make the partition that the method's arguments ask for, and return its offset.

    The disk is online and writable.  Raises MethodFailed with the method's return code.
    """
    layout = disk.layout
    if layout.style is PartitionStyle.RAW:
        raise MethodFailed(ReturnCode.NOT_INITIALIZED, f"disk {disk.number} is not initialized")
    if (arguments["Size"] is None) is not (arguments["UseMaximumSize"] is True):
        raise MethodFailed(ReturnCode.SIZE_XOR_USE_MAXIMUM_SIZE, "give either Size or UseMaximumSize")
    if arguments["DriveLetter"] or arguments["AssignDriveLetter"]:
        raise MethodFailed(
            ReturnCode.NOT_SUPPORTED, "partitions here get no drive letter: mount at a directory"
        )
    kind = _gpt_kind if layout.style is PartitionStyle.GPT else _mbr_kind
    template = kind(layout, arguments, fresh_guid)
    extent = _extent(layout, arguments)
    placed = Partition(
        0,
        extent.offset,
        extent.size,
        template.type,
        template.guid,
        template.attributes,
        template.mbr_type,
        template.active,
    )
    partition_table.add(disk.device, layout, placed)
    disk.reload()
    return extent.offset


def _gpt_kind(layout: Layout, arguments: Mapping[str, Value], fresh_guid: Callable[[], str]) -> Partition:
    """A partition without a place, of the type asked for, on a GPT disk."""
    if arguments["MbrType"] is not None or arguments["IsActive"]:
        raise MethodFailed(ReturnCode.NOT_FOR_THIS_PARTITION_TYPE, "MbrType and IsActive are for MBR disks")
    if len(layout.partitions) >= gpt.ENTRIES:
        raise MethodFailed(ReturnCode.PARTITION_LIMIT, f"a disk has at most {gpt.ENTRIES} partitions")
    wanted = arguments["GptType"]
    try:
        text = wanted.removeprefix("{").removesuffix("}") if isinstance(wanted, str) else gpt.BASIC_DATA
        kind = str(uuid.UUID(text))
    except ValueError as error:
        raise MethodFailed(ReturnCode.INVALID_PARTITION_TYPE, "GptType is not a GUID") from error
    if not uuid.UUID(kind).int:
        raise MethodFailed(ReturnCode.INVALID_PARTITION_TYPE, "GptType is the type of an unused entry")
    return Partition(0, 0, 0, kind, fresh_guid(), gpt.HIDDEN if arguments["IsHidden"] else 0)


def _mbr_kind(layout: Layout, arguments: Mapping[str, Value], fresh_guid: Callable[[], str]) -> Partition:  # noqa: ARG001
    """The same on an MBR disk: primary partitions only."""
    if arguments["GptType"] is not None or arguments["IsHidden"]:
        raise MethodFailed(ReturnCode.NOT_FOR_THIS_PARTITION_TYPE, "GptType and IsHidden are for GPT disks")
    wanted = arguments["MbrType"]
    kind = wanted if isinstance(wanted, int) else mbr.HUGE
    if kind not in _CREATABLE_MBR_TYPES:
        raise MethodFailed(ReturnCode.INVALID_PARTITION_TYPE, f"{kind} is not a type of primary partitions")
    if isinstance(layout.table, mbr.Table) and None not in layout.table.primary:
        raise MethodFailed(
            ReturnCode.PARTITION_LIMIT, f"a disk has at most {mbr.PRIMARY_SLOTS} primary partitions"
        )
    return Partition(0, 0, 0, mbr_type=kind, active=arguments["IsActive"] is True)


def _extent(layout: Layout, arguments: Mapping[str, Value]) -> Extent:
    """The bytes of the new partition."""
    free = _free(layout, arguments)
    size = arguments["Size"]
    if not isinstance(size, int):
        if free.size < MIN_PARTITION:
            raise MethodFailed(ReturnCode.NOT_ENOUGH_FREE_SPACE, "the disk has no free extent of 1 MB")
        return free
    if size < MIN_PARTITION:
        message = "The size of the extent is less than the minimum of 1MB."
        raise MethodFailed(ReturnCode.SIZE_NOT_SUPPORTED, message)
    rounded = -(-size // layout.sector_size) * layout.sector_size
    if rounded > free.size:
        raise MethodFailed(
            ReturnCode.NOT_ENOUGH_FREE_SPACE,
            f"the largest free extent there has {free.size} bytes, not {size}",
        )
    return Extent(free.offset, free.offset + rounded)


def _free(layout: Layout, arguments: Mapping[str, Value]) -> Extent:
    """The free bytes from the offset asked for, or the largest aligned free extent."""
    offset, alignment = arguments["Offset"], arguments["Alignment"]
    if isinstance(alignment, int) and (not alignment or alignment % layout.sector_size):
        raise MethodFailed(ReturnCode.INVALID_ALIGNMENT, f"Alignment is a multiple of {layout.sector_size}")
    if not isinstance(offset, int):
        unit = alignment if isinstance(alignment, int) else ALIGNMENT
        aligned = (extent.aligned(unit) for extent in layout.free)
        return max(aligned, key=lambda extent: extent.size, default=Extent(0, 0))
    if offset % layout.sector_size or (isinstance(alignment, int) and offset % alignment):
        raise MethodFailed(ReturnCode.INVALID_OFFSET, f"{offset} is not a multiple of the alignment")
    for extent in layout.free:
        if extent.offset <= offset < extent.end:
            end = extent.aligned().end
            return Extent(offset, max(offset, end))
    raise MethodFailed(ReturnCode.INVALID_OFFSET, f"no free extent holds the offset {offset}")
