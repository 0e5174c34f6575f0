"""Group disk: find, partition and switch disks, by disk number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from csiproxy.client.call import Asynchronous, Call, Rpc, Synchronous, nothing

if TYPE_CHECKING:
    from csiproxy.api.disk import v1_pb2

_GROUP = "disk"


@dataclass(frozen=True, slots=True)
class DiskLocation:
    """Where a disk hangs: numbers, as text."""

    disk_number: int
    adapter: str
    bus: str
    target: str
    lun_id: str


@dataclass(frozen=True, slots=True)
class DiskIds:
    """What names a disk: its first SCSI page-83 identifier, and its serial number; "" where it has none."""

    disk_number: int
    page83: str
    serial_number: str


class DiskCalls:
    """The calls.  Windows gives disks their numbers; they may differ after a restart of the node."""

    @Rpc
    def list_disk_locations(self) -> Call[tuple[DiskLocation, ...]]:
        """Where each disk hangs, by disk number; a disk whose location Windows does not know is left out."""
        return Call(_GROUP, "ListDiskLocations", _locations)

    @Rpc
    def list_disk_ids(self) -> Call[tuple[DiskIds, ...]]:
        """What names each disk, by disk number; a disk that cannot be asked is left out."""
        return Call(_GROUP, "ListDiskIDs", _ids)

    @Rpc
    def partition_disk(self, disk_number: int) -> Call[None]:
        """See to it that a disk has one data partition; a partitioned one is left as it is.

        NotFound; FailedPrecondition for the system's disk or one that is read-only.
        """
        return Call(_GROUP, "PartitionDisk", nothing, {"disk_number": disk_number})

    @Rpc
    def rescan(self) -> Call[None]:
        """Have Windows look for disks, and sizes of disks, that changed."""
        return Call(_GROUP, "Rescan", nothing)

    @Rpc
    def get_disk_stats(self, disk_number: int) -> Call[int]:
        """The size of a disk in bytes.  NotFound."""
        return Call(_GROUP, "GetDiskStats", _total_bytes, {"disk_number": disk_number})

    @Rpc
    def set_disk_state(self, disk_number: int, *, is_online: bool) -> Call[None]:
        """Bring a disk online or take it offline; one that is so already is left alone.

        NotFound; FailedPrecondition for the system's disk.
        """
        return Call(_GROUP, "SetDiskState", nothing, {"disk_number": disk_number, "is_online": is_online})

    @Rpc
    def get_disk_state(self, disk_number: int) -> Call[bool]:
        """Whether a disk is online.  NotFound."""
        return Call(_GROUP, "GetDiskState", _is_online, {"disk_number": disk_number})


class Disk(DiskCalls, Synchronous):
    """The disks of a node."""


class AsyncDisk(DiskCalls, Asynchronous):
    """The disks of a node, for asyncio."""


def _locations(reply: v1_pb2.ListDiskLocationsResponse) -> tuple[DiskLocation, ...]:
    return tuple(
        DiskLocation(number, at.Adapter, at.Bus, at.Target, at.LUNID)
        for number, at in sorted(reply.disk_locations.items())
    )


def _ids(reply: v1_pb2.ListDiskIDsResponse) -> tuple[DiskIds, ...]:
    return tuple(
        DiskIds(number, ids.page83, ids.serial_number) for number, ids in sorted(reply.diskIDs.items())
    )


def _total_bytes(reply: v1_pb2.GetDiskStatsResponse) -> int:
    return reply.total_bytes


def _is_online(reply: v1_pb2.GetDiskStateResponse) -> bool:
    return reply.is_online
