"""Attached disks through the whole plugin, on an emulated node."""

import pytest
from tests.node.plugin.ground import MIB, mounted

from csiproxy.csi import v1_pb2
from csiproxy.errors import Code


def test_a_disk_lives_from_stage_to_unstage_and_its_files_stay(plugin):
    disk, publish = plugin.disk()
    plugin.call(plugin.stage_request("v", publish))
    plugin.call(plugin.publish_request("v", "pod"))
    (plugin.pod_directory("pod") / "file").write_text("kept")
    plugin.unpublish("v", "pod")
    assert not plugin.pod_directory("pod").exists()
    plugin.unstage("v")
    [there] = [d for d in plugin.node.control.list() if d.number == disk.number]
    assert there.offline
    plugin.call(plugin.stage_request("v", publish))
    plugin.call(plugin.publish_request("v", "other"))
    assert (plugin.pod_directory("other") / "file").read_text() == "kept"


def test_staging_takes_few_calls_and_repeating_it_changes_nothing(plugin):
    _, publish = plugin.disk()
    before = len(plugin.node.audit())
    plugin.call(plugin.stage_request("v", publish))
    made = [record["rpc"] for record in plugin.node.audit()[before:]]
    assert [name.rpartition("/")[2] for name in made] == [
        "ListDiskIDs", "SetDiskState", "PartitionDisk", "ListVolumesOnDisk",
        "IsVolumeFormatted", "FormatVolume", "MountVolume",
    ]  # fmt: skip
    for _ in range(2):
        plugin.call(plugin.stage_request("v", publish))


@pytest.mark.parametrize("key", ["serialNumber", "lun", "page83"])
def test_a_disk_is_found_by_what_names_it(plugin, key):
    disk, publish = plugin.disk(lun=42)
    with plugin.node.client() as client:
        client.disk.rescan()
        [ids] = [ids for ids in client.disk.list_disk_ids() if ids.disk_number == disk.number]
    value = {"serialNumber": publish["serialNumber"], "lun": "42", "page83": ids.page83}[key]
    plugin.call(plugin.stage_request("v", {key: value}))


def test_names_that_do_not_fit_together_find_nothing(plugin):
    _, publish = plugin.disk(lun=42)
    error = plugin.fails(plugin.stage_request("v", {**publish, "lun": "41"}))
    assert error.code is Code.NOT_FOUND


def test_a_name_that_several_disks_have_finds_none(plugin):
    plugin.disk(lun=42, adapter=1)
    plugin.disk(lun=42, adapter=2)
    error = plugin.fails(plugin.stage_request("v", {"lun": "42"}))
    assert error.code is Code.FAILED_PRECONDITION


def test_a_disk_that_nothing_names_is_refused(plugin):
    assert plugin.fails(plugin.stage_request("v", {})).code is Code.INVALID_ARGUMENT


def test_a_disk_that_was_taken_away_is_unstaged_all_the_same(plugin):
    disk, publish = plugin.disk()
    plugin.call(plugin.stage_request("v", publish))
    plugin.node.detach(disk)
    with plugin.node.client() as client:
        client.disk.rescan()
    plugin.unstage("v")
    _, publish = plugin.disk()
    plugin.call(plugin.stage_request("v", publish))


def test_a_volume_grows_with_its_disk(plugin):
    disk, publish = plugin.disk()
    plugin.call(plugin.stage_request("v", publish))
    expand = v1_pb2.NodeExpandVolumeRequest(volume_id="v", volume_path=plugin.staging_path_only("v"))
    expand.capacity_range.required_bytes = 128 * MIB
    assert plugin.fails(expand).code is Code.OUT_OF_RANGE
    plugin.node.grow(disk, 128 * MIB)
    assert plugin.call(expand).capacity_bytes == 128 * MIB
    assert plugin.call(expand).capacity_bytes == 128 * MIB
    stats = v1_pb2.NodeGetVolumeStatsRequest(volume_id="v", volume_path=plugin.staging_path_only("v"))
    [usage] = plugin.call(stats).usage
    assert usage.total > 100 * MIB
    expand.capacity_range.limit_bytes = 128 * MIB - 1
    expand.capacity_range.required_bytes = 0
    assert plugin.fails(expand).code is Code.OUT_OF_RANGE


def test_a_disk_that_is_attached_read_only_is_staged_for_readers(plugin):
    disk, publish = plugin.disk()
    plugin.call(plugin.stage_request("v", publish))
    plugin.call(plugin.publish_request("v", "writer"))
    (plugin.pod_directory("writer") / "file").write_text("kept")
    plugin.unpublish("v", "writer")
    plugin.unstage("v")
    plugin.node.detach(disk)
    plugin.node.attach(disk.image, serial=publish["serialNumber"], read_only=True)
    publish = {**publish, "readOnly": "true"}
    readers = mounted(v1_pb2.VolumeCapability.AccessMode.SINGLE_NODE_READER_ONLY)
    plugin.call(plugin.stage_request("v", publish, volume_capability=readers))
    plugin.call(plugin.publish_request("v", "reader", publish, volume_capability=readers, readonly=True))
    assert (plugin.pod_directory("reader") / "file").read_text() == "kept"
