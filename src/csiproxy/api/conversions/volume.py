"""The volume group up to v1beta2: disks are named by decimal text, partitions not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csiproxy.api.conversions.numbers import disk_number

if TYPE_CHECKING:
    from csiproxy.api.volume import v1beta2_pb2, v2alpha1_pb2


def list_volumes_on_disk(
    old: v1beta2_pb2.ListVolumesOnDiskRequest, hub: type[v2alpha1_pb2.ListVolumesOnDiskRequest]
) -> v2alpha1_pb2.ListVolumesOnDiskRequest:
    """Read the disk's number from text; every partition is meant."""
    return hub(disk_number=disk_number(old.disk_id, "disk_id"))
