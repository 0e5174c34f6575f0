"""The node half of a small CSI driver: what it does with storage, without its gRPC service."""

from csiproxy.client import Client
from csiproxy.mounter import SafeFormatAndMount

REQUEST_SECONDS = 110.0
"""Less than the two minutes after which kubelet gives a request up and makes it again."""


class Driver:
    """Stages disks by serial number and publishes them to pods.  Every method may be called again."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def stage(self, serial: str, staging_path: str) -> None:
        """NodeStageVolume: the disk's volume at the staging path."""
        client = self._client.within(REQUEST_SECONDS)
        SafeFormatAndMount(client).format_and_mount(self._find(client, serial), staging_path)

    def publish(self, staging_path: str, target_path: str) -> None:
        """NodePublishVolume: a link in the pod's directory."""
        client = self._client.within(REQUEST_SECONDS)
        SafeFormatAndMount(client).mounter.mount(staging_path, target_path, options=["bind"])

    def unpublish(self, target_path: str) -> None:
        """NodeUnpublishVolume."""
        SafeFormatAndMount(self._client.within(REQUEST_SECONDS)).mounter.unmount(target_path)

    def unstage(self, serial: str, staging_path: str) -> None:
        """NodeUnstageVolume: flushed, unmounted, and the disk offline, so that it can be detached."""
        client = self._client.within(REQUEST_SECONDS)
        SafeFormatAndMount(client).unmount_device(staging_path, self._find(client, serial))

    @staticmethod
    def _find(client: Client, serial: str) -> int:
        for _ in range(2):
            for ids in client.disk.list_disk_ids():
                if ids.serial_number == serial:
                    return ids.disk_number
            client.disk.rescan()  # it may have been attached a moment ago
        raise LookupError(f"no disk with the serial number {serial} is attached to this node")
