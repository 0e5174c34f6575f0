"""Two nodes, and a disk that goes from one to the other with what is on it."""

import pytest

from csiproxy.errors import HostError

STAGING = r"C:\var\lib\kubelet\plugins\kubernetes.io\csi\v"


def test_a_disk_moves_with_its_files_and_is_found_by_the_same_serial_number(csi_proxy_nodes):
    pair = csi_proxy_nodes
    disk = pair.first.attach("data.img")
    with pair.first.client() as client:
        serial = {ids.disk_number: ids.serial_number for ids in client.disk.list_disk_ids()}[disk.number]
        client.disk.partition_disk(disk.number)
        [volume] = client.volume.list_volumes_on_disk(disk.number)
        client.volume.format_volume(volume)
        client.filesystem.mkdir(STAGING)
        client.volume.mount_volume(volume, STAGING)
        (pair.first.path(STAGING) / "row").write_text("42")
        with pytest.raises(HostError):
            pair.second.attach(disk.image)
        client.volume.unmount_volume(volume, STAGING)
        client.disk.set_disk_state(disk.number, is_online=False)
    moved = pair.move(disk, to=pair.second, lun=3)
    with pair.second.client() as client:
        assert serial == next(
            ids.serial_number for ids in client.disk.list_disk_ids() if ids.disk_number == moved.number
        )
        client.disk.partition_disk(moved.number)
        [volume] = client.volume.list_volumes_on_disk(moved.number)
        assert client.volume.is_volume_formatted(volume)
        client.filesystem.mkdir(STAGING)
        client.volume.mount_volume(volume, STAGING)
        assert (pair.second.path(STAGING) / "row").read_text() == "42"
    back = pair.move(moved, to=pair.first)
    assert back.image == disk.image
