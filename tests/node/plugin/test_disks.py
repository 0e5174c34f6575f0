"""What is done with a disk's volume, on disks that are not as usual."""

import subprocess

import pytest
from tests.node.plugin.ground import MIB

from csiproxy.csi import v1_pb2
from csiproxy.errors import Code


@pytest.mark.parametrize("text", ["0", "x", "129", "-1", "1.5"])
def test_a_partition_is_a_number(plugin, text):
    _, publish = plugin.disk()
    error = plugin.fails(plugin.stage_request("v", publish, volume_context={"partition": text}))
    assert error.code is Code.INVALID_ARGUMENT


@pytest.mark.foreign
def test_a_disk_of_several_volumes_wants_one_to_be_selected(plugin, foreign):
    sgdisk = foreign("sgdisk")
    image = plugin.node.images / "two.img"
    with open(image, "wb") as file:
        file.truncate(96 * MIB)
    table = ["-n", "1:0:+40M", "-t", "1:0700", "-n", "2:0:+40M", "-t", "2:0700", str(image)]
    subprocess.run([sgdisk, *table], check=True, stdout=subprocess.DEVNULL)
    plugin.node.attach(image, serial="TWO")
    publish = {"serialNumber": "TWO"}
    error = plugin.fails(plugin.stage_request("v", publish))
    assert error.code is Code.FAILED_PRECONDITION
    assert "'partition'" in error.message
    plugin.call(plugin.stage_request("v", publish, volume_context={"partition": "1"}))
    plugin.call(plugin.stage_request("w", publish, volume_context={"partition": "2"}))
    plugin.unstage("v")  # the disk stays online: the other partition is in use
    path = plugin.staging_path_only("w")
    stats = v1_pb2.NodeGetVolumeStatsRequest(volume_id="w", volume_path=path)
    assert not plugin.call(stats).volume_condition.abnormal


def test_a_staging_directory_that_nobody_has_made_is_made(plugin):
    _, publish = plugin.disk()
    path = plugin.staging_path_only("fresh")
    plugin.call(plugin.stage_request("fresh", publish, staging_target_path=path))
    plugin.call(plugin.publish_request("fresh", "pod"))


def test_a_read_only_disk_without_a_file_system_is_refused(plugin):
    _, publish = plugin.disk(read_only=True)
    error = plugin.fails(plugin.stage_request("v", {**publish, "readOnly": "true"}))
    assert error.code is Code.FAILED_PRECONDITION
