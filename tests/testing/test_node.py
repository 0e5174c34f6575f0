"""A node for tests: what runs, what its operator can do, and that it leaves nothing behind."""

import os

import pytest

from csiproxy.errors import CsiProxyError, HostUnreachable, InvalidArgument, Unavailable
from csiproxy.testing import Node
from csiproxy.testing.node import DISK_BYTES

STAGING = r"C:\var\lib\kubelet\plugins\kubernetes.io\csi\v"


@pytest.fixture
def node(csi_proxy_node):
    return csi_proxy_node


def staged(node, client, disk):
    client.disk.partition_disk(disk.number)
    [volume] = client.volume.list_volumes_on_disk(disk.number)
    if not client.volume.is_volume_formatted(volume):
        client.volume.format_volume(volume)
    client.filesystem.mkdir(STAGING)
    client.volume.mount_volume(volume, STAGING)
    return volume


def test_disks_come_grow_and_go(node):
    with node.client() as client:
        disk = node.attach()
        assert client.disk.get_disk_stats(disk.number) == DISK_BYTES
        node.grow(disk, 2 * DISK_BYTES)
        client.disk.rescan()
        assert client.disk.get_disk_stats(disk.number) == 2 * DISK_BYTES
        node.detach(disk)
        with pytest.raises(CsiProxyError):
            client.disk.get_disk_stats(disk.number)
        assert disk.image.exists()
        again = node.attach(disk.image, lun=5)
        assert client.disk.get_disk_stats(again.number) == 2 * DISK_BYTES


def test_what_a_container_writes_on_the_volume_is_written_through_the_nodes_path(node):
    with node.client() as client:
        staged(node, client, node.attach("v.img"))
        (node.path(STAGING) / "hello").write_text("from a container")
        client.filesystem.create_symlink(source_path=STAGING, target_path=STAGING + "-pod")
        assert (node.path("/var/lib/kubelet/plugins/kubernetes.io/csi/v-pod") / "hello").read_text()
    with pytest.raises(InvalidArgument, match="drive C"):
        node.path(r"D:\elsewhere")


def test_a_killed_proxy_and_a_killed_node_are_started_again_and_have_lost_nothing(node):
    with node.client() as client:
        volume = staged(node, client, node.attach("v.img"))
        node.kill_proxy()
        with pytest.raises(Unavailable):
            client.disk.rescan()
        node.start()
        node.kill_node()
        node.start()
        assert client.volume.get_volume_id_from_target_path(STAGING) == volume


def test_every_call_is_in_the_audit(node):
    with node.client() as client:
        client.disk.rescan()
    assert [record["rpc"] for record in node.audit()] == ["/v1.Disk/Rescan"]


def test_a_node_that_does_not_start_leaves_no_process(tmp_path):
    with pytest.raises(RuntimeError, match="csi-proxy did not start"):
        Node(tmp_path / "n", serve=("no/such",))


def test_a_temporary_node_goes_with_its_directory():
    with Node.temporary(serve=("disk/v1",)) as node:
        directory, control = node.directory, node.control
        assert control.process
        assert os.listdir(node.endpoints) == ["csi-proxy-disk-v1.sock"]
    assert not directory.exists()
    with pytest.raises(HostUnreachable):
        control.list()
