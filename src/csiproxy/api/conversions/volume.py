"""The volume group up to v1beta2: disks are named by decimal text, partitions not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csiproxy.api.conversions.numbers import disk_number
from csiproxy.errors import InvalidArgument, WindowsCode

if TYPE_CHECKING:
    from csiproxy.api.volume import v1beta2_pb2, v2alpha1_pb2


def list_volumes_on_disk(
    old: v1beta2_pb2.ListVolumesOnDiskRequest, hub: type[v2alpha1_pb2.ListVolumesOnDiskRequest]
) -> v2alpha1_pb2.ListVolumesOnDiskRequest:
    """Read the disk's number from text; every partition is meant."""
    return hub(disk_number=disk_number(old.disk_id, "disk_id"))


def ask_for_volumes_on_disk(
    hub: v2alpha1_pb2.ListVolumesOnDiskRequest, old: type[v1beta2_pb2.ListVolumesOnDiskRequest]
) -> v1beta2_pb2.ListVolumesOnDiskRequest:
    """Write the disk's number as text; one partition's volumes alone cannot be asked for."""
    if hub.partition_number:
        raise InvalidArgument(
            "volume v1beta2 and older cannot name a partition: ask for the volumes of the whole disk",
            WindowsCode.NOT_SUPPORTED,
        )
    return old(disk_id=str(hub.disk_number))
