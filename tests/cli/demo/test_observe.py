import os

import pytest

from csiproxy.cli.demo import observe
from csiproxy.cli.demo.dialect import PUBLISHED, STAGING, Staged
from csiproxy.cli.demo.node import Node
from csiproxy.cli.demo.player import CheckFailed


@pytest.fixture(scope="module")
def staged(node: Node) -> Staged:
    """A volume on disk 1, mounted at the staging path."""
    call = node.client.call
    call("disk/v1", "PartitionDisk", {"disk_number": 1})
    volume = call("volume/v1", "ListVolumesOnDisk", {"disk_number": 1}).texts("volume_ids")[0]
    call("volume/v1", "FormatVolume", {"volume_id": volume})
    call("filesystem/v1", "Mkdir", {"path": STAGING})
    call("volume/v1", "MountVolume", {"volume_id": volume, "target_path": STAGING})
    return Staged(1, volume, STAGING)


def test_disks_and_partitions_are_seen(node: Node, staged: Staged) -> None:
    assert observe.disks(node) == "the node sees disk 0 (64 GiB), disk 1 (64 MiB)"
    assert observe.partitioned(node, 1) == "disk 1, GPT: 16 MiB reserved, 47 MiB"


def test_a_raw_disk_is_not_partitioned(node: Node) -> None:
    number = node.attach(f"{node.directory}-raw.img", serial="RAW", lun=12, create=32 << 20)
    with pytest.raises(CheckFailed, match="has no partition"):
        observe.partitioned(node, number)
    node.detach(number)


def test_a_file_system_is_seen_and_another_is_not_taken_for_it(node: Node, staged: Staged) -> None:
    assert observe.formatted(node, staged.volume).startswith("NTFS, 2 MiB of 47 MiB used")
    with pytest.raises(CheckFailed, match="holds NTFS"):
        observe.formatted(node, staged.volume, "FAT32")


def test_a_mount_is_seen_where_it_is_alone(node: Node, staged: Staged) -> None:
    assert observe.mounted(node, staged.volume, STAGING) == f"mounted at {STAGING}"
    for check in (
        lambda: observe.mounted(node, staged.volume, PUBLISHED),
        lambda: observe.unmounted(node, staged.volume),
    ):
        with pytest.raises(CheckFailed):
            check()


def test_a_volume_is_as_large_as_its_disk_allows(node: Node, staged: Staged) -> None:
    with pytest.raises(CheckFailed):  # the reserved partition is a quarter of so small a disk
        observe.as_large_as_fits(node, staged.disk, staged.volume)


def test_an_online_disk_is_not_offline(node: Node, staged: Staged) -> None:
    with pytest.raises(CheckFailed, match="still shows 1 volumes"):
        observe.offline(node, staged.disk)


def test_directories_links_and_gaps_are_told_apart(node: Node, staged: Staged) -> None:
    pods = r"C:\var\lib\kubelet\pods"
    assert observe.directory(node, pods) == pods
    os.symlink("..", node.host_path(pods + r"\up"))
    assert observe.linked(node, pods + r"\up", r"C:\var\lib\kubelet") == rf"{pods}\up → C:\var\lib\kubelet"
    assert observe.gone(node, pods + r"\none") == rf"{pods}\none is gone"
    for check in (
        lambda: observe.directory(node, pods + r"\up"),
        lambda: observe.linked(node, pods, pods),
        lambda: observe.linked(node, pods + r"\up", pods),
        lambda: observe.gone(node, pods + r"\up"),
    ):
        with pytest.raises(CheckFailed):
            check()
