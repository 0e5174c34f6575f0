"""SafeFormatAndMount on a real node."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from csiproxy.errors import CsiProxyError, FailedPrecondition, InvalidArgument
from csiproxy.mounter import SafeFormatAndMount, UnformattedReadOnly
from csiproxy.mounter.format_and_mount import disk_number
from csiproxy.testing import Node


@pytest.fixture
def safe(client):
    return SafeFormatAndMount(client)


def test_a_raw_disk_is_formatted_mounted_and_later_taken_offline(node, client, safe, disk, staging):
    for _ in range(2):
        volume = safe.format_and_mount(str(disk.number), staging, "NTFS")
    (node.path(staging) / "row").write_text("42")
    assert client.volume.get_volume_id_from_target_path("c:" + staging) == volume
    for _ in range(2):
        safe.unmount_device(staging, disk.number)
    assert not node.path(staging).exists()
    assert client.disk.get_disk_state(disk.number) is False
    assert safe.format_and_mount(disk.number, staging) == volume
    assert (node.path(staging) / "row").read_text() == "42"


def test_a_call_that_was_killed_between_unmounting_and_switching_is_finished_by_the_next(
    client, safe, disk, staging
):
    volume = safe.format_and_mount(disk.number, staging)
    client.volume.unmount_volume(volume, "c:" + staging)
    safe.unmount_device(staging)
    assert client.disk.get_disk_state(disk.number) is True
    safe.unmount_device(staging, disk.number)
    assert client.disk.get_disk_state(disk.number) is False


def test_a_link_to_a_mounted_volume_is_no_device_and_everything_stays_in_use(
    client, safe, disk, staging, published
):
    safe.format_and_mount(disk.number, staging)
    safe.mounter.mount(staging, published, options=["bind"])
    with pytest.raises(CsiProxyError, match="a link or mount point is in the way"):
        safe.unmount_device(published)
    assert safe.mounter.is_mount_point(staging)
    assert client.disk.get_disk_state(disk.number) is True


def test_what_is_read_only_is_never_partitioned_or_formatted(client, safe, disk, staging, node):
    with pytest.raises(FailedPrecondition, match="has no volume"):
        safe.format_and_mount(disk.number, staging, options=["ro"])
    client.disk.partition_disk(disk.number)
    with pytest.raises(UnformattedReadOnly):
        safe.format_and_mount(disk.number, staging, options=["ro"])
    [volume] = client.volume.list_volumes_on_disk(disk.number)
    assert not client.volume.is_volume_formatted(volume)
    client.volume.format_volume(volume)
    assert safe.format_and_mount(disk.number, staging, options=["ro"]) == volume


@pytest.mark.parametrize(
    ("arguments", "more"),
    [
        (("c:", r"C:\x"), {}),
        ((-1, r"C:\x"), {}),
        (("1", r"C:\x", "ext4"), {}),
        (("1", r"C:\x", "ntfs", ["noatime"]), {}),
        (("1", r"C:\x"), {"format_options": ["-q"]}),
    ],
)
def test_what_windows_cannot_do_is_refused_before_anything_is_done(safe, arguments, more):
    with pytest.raises(InvalidArgument):
        safe.format_and_mount(*arguments, **more)


def test_a_disk_number_is_digits():
    assert [disk_number(text) for text in ("0", 7, "4294967295")] == [0, 7, 4294967295]
    for text in ("", "-1", "4294967296", "²", "99999999999", "1 "):
        with pytest.raises(InvalidArgument):
            disk_number(text)


def test_the_systems_disk_is_refused(safe, staging):
    with pytest.raises(CsiProxyError, match="holds the system"):
        safe.format_and_mount(0, staging)


def test_formats_take_turns_and_nobody_waits_for_ever(node, client, staging):
    safe = SafeFormatAndMount(client, most_formats=1, format_patience=30.0)
    disks = [node.attach() for _ in range(3)]
    places = [f"{staging}-{disk.number}" for disk in disks]
    with ThreadPoolExecutor(3) as threads:
        done = list(threads.map(safe.format_and_mount, [disk.number for disk in disks], places))
    assert len(set(done)) == 3
    hasty = SafeFormatAndMount(client, most_formats=1, format_patience=0.0)
    with hasty._turn(), hasty._turn():
        pass


@pytest.mark.parametrize("versions", ["v1beta1", "v1beta3"])
def test_old_proxies_do(versions):
    serve = (f"disk/{versions}", f"volume/{versions}", "filesystem/v1beta1")
    with Node.temporary(serve=serve) as node, node.client() as client:
        disk = node.attach()
        safe = SafeFormatAndMount(client)
        staging = r"C:\var\lib\kubelet\plugins\kubernetes.io\csi\v\globalmount"
        safe.format_and_mount(disk.number, staging)
        assert safe.mounter.is_mount_point(staging)
        safe.unmount_device(staging)
        assert not node.path(staging).exists()
