r"""Group volume: format, mount, grow and measure volumes, by volume id (``\\?\Volume{guid}\``).

An id is opaque: give it back as it came, its last backslash included.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from csiproxy.client.call import Asynchronous, Call, Rpc, Synchronous, nothing

if TYPE_CHECKING:
    from csiproxy.api.volume import v2alpha1_pb2

_GROUP = "volume"


@dataclass(frozen=True, slots=True)
class VolumeStats:
    """Size of a file system and how much of it is used, in bytes."""

    total_bytes: int
    used_bytes: int

    @property
    def available_bytes(self) -> int:
        """What is free."""
        return self.total_bytes - self.used_bytes


class VolumeCalls:
    """The calls."""

    @Rpc
    def list_volumes_on_disk(self, disk_number: int, partition_number: int = 0) -> Call[tuple[str, ...]]:
        """The volumes of a disk by their place on it, or of one partition; () for a disk without any."""
        fields = {"disk_number": disk_number, "partition_number": partition_number}
        return Call(_GROUP, "ListVolumesOnDisk", _volume_ids, fields)

    @Rpc
    def mount_volume(self, volume_id: str, target_path: str) -> Call[None]:
        """Mount a volume at an existing, empty directory; there already is success.

        NotFound; FailedPrecondition (not empty, or another volume is mounted there).
        """
        return Call(_GROUP, "MountVolume", nothing, {"volume_id": volume_id, "target_path": target_path})

    @Rpc
    def unmount_volume(self, volume_id: str, target_path: str) -> Call[None]:
        """Flush a volume and remove its mount point at a path; one that has gone is success."""
        return Call(_GROUP, "UnmountVolume", nothing, {"volume_id": volume_id, "target_path": target_path})

    @Rpc
    def is_volume_formatted(self, volume_id: str) -> Call[bool]:
        """Whether a volume has a file system that Windows knows.  NotFound."""
        return Call(_GROUP, "IsVolumeFormatted", _formatted, {"volume_id": volume_id})

    @Rpc
    def format_volume(self, volume_id: str) -> Call[None]:
        """Format a volume as NTFS.  Ask :meth:`is_volume_formatted` first: the Go csi-proxy formats anew.

        NotFound; FailedPrecondition (formatted already).
        """
        return Call(_GROUP, "FormatVolume", nothing, {"volume_id": volume_id}, repeatable=False)

    @Rpc
    def resize_volume(self, volume_id: str, size_bytes: int = 0) -> Call[None]:
        """Grow a volume to at least a size in bytes, 0 being all there is; never shrinks.

        NotFound, OutOfRange (above the disk's size).
        """
        return Call(_GROUP, "ResizeVolume", nothing, {"volume_id": volume_id, "size_bytes": size_bytes})

    @Rpc
    def get_volume_stats(self, volume_id: str) -> Call[VolumeStats]:
        """How large a volume is and how full.  NotFound."""
        return Call(_GROUP, "GetVolumeStats", _stats, {"volume_id": volume_id})

    @Rpc
    def get_disk_number_from_volume_id(self, volume_id: str) -> Call[int]:
        """The disk that a volume is on.  NotFound."""
        return Call(_GROUP, "GetDiskNumberFromVolumeID", _disk_number, {"volume_id": volume_id})

    @Rpc
    def get_volume_id_from_target_path(self, target_path: str) -> Call[str]:
        """The volume mounted at a path, also behind links.  NotFound; FailedPrecondition (no mount point)."""
        return Call(_GROUP, "GetVolumeIDFromTargetPath", _volume_id, {"target_path": target_path})

    @Rpc
    def get_closest_volume_id_from_target_path(self, target_path: str) -> Call[str]:
        """The volume that holds what is at a path.

        NotFound; Unimplemented where the node does not serve volume v2alpha1.
        """
        return Call(_GROUP, "GetClosestVolumeIDFromTargetPath", _volume_id, {"target_path": target_path})

    @Rpc
    def write_volume_cache(self, volume_id: str) -> Call[None]:
        """Write what Windows still holds in memory of a volume.  NotFound."""
        return Call(_GROUP, "WriteVolumeCache", nothing, {"volume_id": volume_id})


class Volume(VolumeCalls, Synchronous):
    """The volumes of a node."""


class AsyncVolume(VolumeCalls, Asynchronous):
    """The volumes of a node, for asyncio."""


def _volume_ids(reply: v2alpha1_pb2.ListVolumesOnDiskResponse) -> tuple[str, ...]:
    return tuple(reply.volume_ids)


def _formatted(reply: v2alpha1_pb2.IsVolumeFormattedResponse) -> bool:
    return reply.formatted


def _stats(reply: v2alpha1_pb2.GetVolumeStatsResponse) -> VolumeStats:
    return VolumeStats(reply.total_bytes, reply.used_bytes)


def _disk_number(reply: v2alpha1_pb2.GetDiskNumberFromVolumeIDResponse) -> int:
    return reply.disk_number


def _volume_id(
    reply: v2alpha1_pb2.GetVolumeIDFromTargetPathResponse
    | v2alpha1_pb2.GetClosestVolumeIDFromTargetPathResponse,
) -> str:
    return reply.volume_id
