"""The disk group up to v1beta2: disks are named by decimal text, identifiers are a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from csiproxy.api.conversions.numbers import disk_number

if TYPE_CHECKING:
    from csiproxy.api.disk import v1_pb2, v1beta2_pb2

M = TypeVar(
    "M",
    "v1beta2_pb2.PartitionDiskRequest",
    "v1beta2_pb2.DiskStatsRequest",
    "v1beta2_pb2.GetAttachStateRequest",
)


def list_disk_locations_reply(
    hub: v1_pb2.ListDiskLocationsResponse, old: type[v1beta2_pb2.ListDiskLocationsResponse]
) -> v1beta2_pb2.ListDiskLocationsResponse:
    """Key the locations by text."""
    reply = old()
    for number, location in hub.disk_locations.items():
        entry = reply.disk_locations[str(number)]
        entry.Adapter, entry.Bus, entry.Target = location.Adapter, location.Bus, location.Target
        entry.LUNID = location.LUNID
    return reply


def list_disk_ids_reply(
    hub: v1_pb2.ListDiskIDsResponse, old: type[v1beta2_pb2.ListDiskIDsResponse]
) -> v1beta2_pb2.ListDiskIDsResponse:
    """Key the identifiers by text, each a map that always has both keys."""
    reply = old()
    for number, ids in hub.diskIDs.items():
        identifiers = reply.diskIDs[str(number)].identifiers
        identifiers["page83"] = ids.page83
        identifiers["serialNumber"] = ids.serial_number
    return reply


def partition_disk(
    old: v1beta2_pb2.PartitionDiskRequest, hub: type[v1_pb2.PartitionDiskRequest]
) -> v1_pb2.PartitionDiskRequest:
    """Read the disk's number from text."""
    return hub(disk_number=disk_number(old.diskID, "diskID"))


def disk_stats(
    old: v1beta2_pb2.DiskStatsRequest, hub: type[v1_pb2.GetDiskStatsRequest]
) -> v1_pb2.GetDiskStatsRequest:
    """Read the disk's number from text."""
    return hub(disk_number=disk_number(old.diskID, "diskID"))


def set_attach_state(
    old: v1beta2_pb2.SetAttachStateRequest, hub: type[v1_pb2.SetDiskStateRequest]
) -> v1_pb2.SetDiskStateRequest:
    """Read the disk's number from text."""
    return hub(disk_number=disk_number(old.diskID, "diskID"), is_online=old.isOnline)


def get_attach_state(
    old: v1beta2_pb2.GetAttachStateRequest, hub: type[v1_pb2.GetDiskStateRequest]
) -> v1_pb2.GetDiskStateRequest:
    """Read the disk's number from text."""
    return hub(disk_number=disk_number(old.diskID, "diskID"))


def ask_for_disk(
    hub: v1_pb2.PartitionDiskRequest | v1_pb2.GetDiskStatsRequest | v1_pb2.GetDiskStateRequest, old: type[M]
) -> M:
    """Write the disk's number as text, for every request that has nothing else."""
    return old(diskID=str(hub.disk_number))


def ask_for_attach_state(
    hub: v1_pb2.SetDiskStateRequest, old: type[v1beta2_pb2.SetAttachStateRequest]
) -> v1beta2_pb2.SetAttachStateRequest:
    """Write the disk's number as text."""
    return old(diskID=str(hub.disk_number), isOnline=hub.is_online)


def hear_disk_locations(
    old: v1beta2_pb2.ListDiskLocationsResponse, hub: type[v1_pb2.ListDiskLocationsResponse]
) -> v1_pb2.ListDiskLocationsResponse:
    """Key the locations by number."""
    reply = hub()
    for text, location in old.disk_locations.items():
        entry = reply.disk_locations[disk_number(text, "disk_locations")]
        entry.Adapter, entry.Bus, entry.Target = location.Adapter, location.Bus, location.Target
        entry.LUNID = location.LUNID
    return reply


def hear_disk_ids(
    old: v1beta2_pb2.ListDiskIDsResponse, hub: type[v1_pb2.ListDiskIDsResponse]
) -> v1_pb2.ListDiskIDsResponse:
    """Key the identifiers by number; a key that is missing means an identifier that the disk has not."""
    reply = hub()
    for text, ids in old.diskIDs.items():
        entry = reply.diskIDs[disk_number(text, "diskIDs")]
        entry.page83 = ids.identifiers.get("page83", "")
        entry.serial_number = ids.identifiers.get("serialNumber", "")
    return reply
