"""The Python SDK: a disk's way from attached to mounted, and what a failure says.

Needs nothing but csi-proxy for Python; the node is an emulated one.
"""

from csiproxy import connect
from csiproxy.errors import CsiProxyError
from csiproxy.testing import Node

STAGING = r"C:\var\lib\kubelet\plugins\kubernetes.io\csi\demo\globalmount"


def main() -> None:
    with Node.temporary() as node, connect(node.endpoints) as client:
        disk = node.attach(size=1 << 30, serial="CLOUD-DISK-1")

        # A cloud names a disk by its serial number; Windows by a number of its own.
        number = next(
            ids.disk_number for ids in client.disk.list_disk_ids() if ids.serial_number == "CLOUD-DISK-1"
        )
        assert number == disk.number
        client.disk.partition_disk(number)
        volume = client.volume.list_volumes_on_disk(number)[0]
        if not client.volume.is_volume_formatted(volume):
            client.volume.format_volume(volume)
        client.filesystem.mkdir(STAGING)
        client.volume.mount_volume(volume, STAGING)
        stats = client.volume.get_volume_stats(volume)
        print(
            f"disk {number} is mounted, {stats.available_bytes >> 20} of {stats.total_bytes >> 20} MiB free"
        )

        # One deadline for everything that belongs to one request.
        request = client.within(seconds=30)
        try:
            request.disk.partition_disk(0)
        except CsiProxyError as error:
            print(f"{type(error).__name__}, Windows error {error.windows_code}: {error}")


if __name__ == "__main__":
    main()
