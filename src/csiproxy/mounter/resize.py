"""ResizeFs: volumes that grow with their disk."""

from typing import Final

from csiproxy.client import Client
from csiproxy.mounter.paths import on_node

OVERHEAD: Final = 20 << 20
"""Bytes of a disk that belong to no volume of it: two partition tables and Microsoft's reserved partition."""


class ResizeFs:
    """Grows file systems of one node."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def resize(self, device_path: str, device_mount_path: str) -> bool:  # noqa: ARG002 - the interface's
        """Let the volume mounted at a path fill its disk; True, also where it did already.

        Windows finds the volume by the mount point (a link to one will do), so ``device_path`` is not looked
        at.  NotFound; FailedPrecondition where no volume is mounted.
        """
        volume = self._client.volume.get_volume_id_from_target_path(on_node(device_mount_path))
        self._client.volume.resize_volume(volume)
        return True

    def need_resize(self, device_path: str, mount_path: str) -> bool:  # noqa: ARG002 - the interface's
        """Whether the volume mounted at a path may be smaller than its disk lets it be.

        Other partitions of the disk, and a large reserved one, are taken for room; to resize then changes
        nothing.
        """
        volumes, disks = self._client.volume, self._client.disk
        volume = volumes.get_volume_id_from_target_path(on_node(mount_path))
        size = disks.get_disk_stats(volumes.get_disk_number_from_volume_id(volume))
        return size - volumes.get_volume_stats(volume).total_bytes > OVERHEAD
