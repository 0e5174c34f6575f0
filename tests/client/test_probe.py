"""What a node serves."""

from tests.client.conftest import only

from csiproxy.api.versions import CONTRACTS
from csiproxy.client import connect
from csiproxy.testing import Node


def test_every_version_that_is_served_is_named_by_group_the_preferred_one_first(client, node, tmp_path):
    assert set(client.served()) == {contract.name for contract in CONTRACTS}
    with only(node, tmp_path, "disk/v1beta1", "disk/v1", "smb/v1", "volume/v2alpha1") as few:
        assert few.served() == ("disk/v1", "disk/v1beta1", "smb/v1", "volume/v2alpha1")


def test_an_old_proxy_serves_old_versions_and_everything_goes_through_them():
    with Node.temporary(serve=("disk/v1beta1", "volume/v1beta1", "filesystem/v1alpha1")) as node:
        disk = node.attach()
        with node.client() as client:
            assert client.served() == ("disk/v1beta1", "filesystem/v1alpha1", "volume/v1beta1")
            client.disk.partition_disk(disk.number)
            [volume] = client.volume.list_volumes_on_disk(disk.number)
            client.volume.format_volume(volume)
            staging = r"C:\var\lib\kubelet\plugins\kubernetes.io\csi\v\globalmount"
            client.filesystem.mkdir(staging)
            client.volume.mount_volume(volume, staging)
            assert client.filesystem.is_symlink(staging)
            assert client.volume.get_volume_id_from_target_path(staging) == volume


def test_where_nothing_is_nothing_is_served(tmp_path):
    with connect(tmp_path / "missing") as client:
        assert client.served() == ()
