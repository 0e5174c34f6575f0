"""The Node service's rules, on an emulated node."""

import os
import threading

import pytest
from tests.node.plugin.ground import KUBELET, Mode, in_process, mounted, second_caller
from tests.running import until

from csiproxy.csi import v1_pb2
from csiproxy.emulator.faults import Action, Fault
from csiproxy.errors import Code
from csiproxy.rpc.status import RpcError

BLOCK = v1_pb2.VolumeCapability()
BLOCK.block.SetInParent()
BLOCK.access_mode.mode = Mode.SINGLE_NODE_WRITER


@pytest.fixture
def staged(plugin):
    _, publish = plugin.disk()
    plugin.call(plugin.stage_request("v", publish))
    return publish


# --- what is refused before anything is done


@pytest.mark.parametrize(
    ("capability", "word"),
    [
        (v1_pb2.VolumeCapability(), "access type"),
        (mounted(Mode.UNKNOWN), "access mode"),
        (BLOCK, "raw block"),
        (mounted(fs_type="ext4"), "ext4"),
        (mounted(flags=("ro",)), "mount options"),
        (mounted(flags=("noatime", "vers=3")), "mount options"),
        (mounted(Mode.MULTI_NODE_MULTI_WRITER), "one node"),
        (mounted(Mode.MULTI_NODE_READER_ONLY), "read-only"),
        (mounted(Mode.SINGLE_NODE_READER_ONLY), "read-only"),
        (mounted(77), "77"),
    ],
)
def test_a_use_that_windows_cannot_have_is_refused_with_the_reason(plugin, capability, word):
    _, publish = plugin.disk()
    for request in (
        plugin.stage_request("v", publish, volume_capability=capability),
        plugin.publish_request("v", "pod", volume_capability=capability),
    ):
        error = plugin.fails(request)
        assert error.code is Code.INVALID_ARGUMENT
        assert word in error.message
    assert not os.listdir(plugin.node.path(plugin.staging_path_only("v")))


def test_mount_options_are_not_repeated_as_they_may_be_sensitive(plugin):
    _, publish = plugin.disk()
    request = plugin.stage_request("v", publish, volume_capability=mounted(flags=("password=hunter2",)))
    assert "hunter2" not in plugin.fails(request).message


def test_a_group_that_is_to_own_the_files_is_refused(plugin):
    _, publish = plugin.disk()
    capability = mounted()
    capability.mount.volume_mount_group = "1000"
    error = plugin.fails(plugin.stage_request("v", publish, volume_capability=capability))
    assert error.code is Code.INVALID_ARGUMENT


def test_what_is_missing_is_named(plugin):
    _, publish = plugin.disk()
    stage, expand = v1_pb2.NodeStageVolumeRequest, v1_pb2.NodeExpandVolumeRequest
    for request, word in (
        (plugin.stage_request("", publish), "volume id"),
        (plugin.stage_request("x" * 129, publish), "volume id"),
        (plugin.stage_request("v", publish, staging_target_path=""), "staging target path"),
        (stage(volume_id="v", staging_target_path=r"C:\x"), "capability"),
        (plugin.publish_request("v", "pod", target_path=""), "target path"),
        (v1_pb2.NodeUnstageVolumeRequest(volume_id="v"), "staging target path"),
        (v1_pb2.NodeUnstageVolumeRequest(staging_target_path="x"), "volume id"),
        (v1_pb2.NodeUnpublishVolumeRequest(volume_id="v"), "target path"),
        (v1_pb2.NodeGetVolumeStatsRequest(volume_id="v"), "volume path"),
        (expand(volume_id="v"), "volume path"),
        (plugin.stage_request("v", publish, volume_context={"type": "floppy"}), "floppy"),
    ):
        error = plugin.fails(request)
        assert error.code is Code.INVALID_ARGUMENT, request
        assert word in error.message


@pytest.mark.parametrize("path", [r"C:\Windows\x", r"\\server\share", r"C:\var\lib\kubelet\..\x", "x"])
def test_a_path_outside_kubelets_directory_is_the_proxys_to_refuse(plugin, path):
    _, publish = plugin.disk()
    error = plugin.fails(plugin.stage_request("v", publish, staging_target_path=path))
    assert error.code in (Code.INVALID_ARGUMENT, Code.PERMISSION_DENIED)


# --- staging and publishing


def test_every_call_may_be_repeated(plugin):
    _, publish = plugin.disk()
    stage = plugin.stage_request("v", publish)
    visible = plugin.publish_request("v", "pod")
    for request in (stage, stage, visible, visible, stage, visible):
        plugin.call(request)
    (plugin.pod_directory("pod") / "f").write_text("x")
    for _ in range(2):
        plugin.unpublish("v", "pod")
    for _ in range(2):
        plugin.unstage("v")
    assert os.listdir(plugin.node.path(plugin.staging_path_only("v"))) == []


def test_paths_may_be_spelt_as_kubelet_and_go_programs_spell_them(plugin, staged):
    path = plugin.target_path("pod")
    spelt = path.replace("\\", "/").removeprefix("C:")
    plugin.call(plugin.publish_request("v", "pod", target_path=spelt))
    assert plugin.pod_directory("pod").is_symlink()
    plugin.call(v1_pb2.NodeUnpublishVolumeRequest(volume_id="v", target_path=path.replace("\\", "/")))
    assert not plugin.pod_directory("pod").exists()


def test_a_volume_that_is_staged_is_not_staged_for_another_use_or_elsewhere(plugin, staged):
    other = plugin.stage_request("v", staged, volume_capability=mounted(Mode.SINGLE_NODE_SINGLE_WRITER))
    assert plugin.fails(other).code is Code.ALREADY_EXISTS
    elsewhere = plugin.stage_request("v", staged, staging_target_path=plugin.staging_path("w"))
    assert plugin.fails(elsewhere).code is Code.FAILED_PRECONDITION


def test_only_a_volume_that_is_staged_there_is_published(plugin, staged):
    for request in (
        plugin.publish_request("w", "pod"),
        plugin.publish_request("v", "pod", staging_target_path=""),
        plugin.publish_request("v", "pod", staging_target_path=plugin.staging_path("w")),
    ):
        assert plugin.fails(request).code is Code.FAILED_PRECONDITION


def test_a_pod_is_never_given_the_nodes_own_drive(plugin, staged):
    """Somebody has unmounted the volume meanwhile: its staging path is a directory of drive C:."""
    with plugin.node.client() as client:
        path = plugin.staging_path_only("v")
        client.volume.unmount_volume(client.volume.get_volume_id_from_target_path(path), path)
    error = plugin.fails(plugin.publish_request("v", "pod"))
    assert error.code is Code.FAILED_PRECONDITION
    assert not os.path.lexists(plugin.pod_directory("pod"))


def test_a_volume_for_one_workload_is_published_once(plugin):
    _, publish = plugin.disk()
    alone = mounted(Mode.SINGLE_NODE_SINGLE_WRITER)
    plugin.call(plugin.stage_request("v", publish, volume_capability=alone))
    for _ in range(2):
        plugin.call(plugin.publish_request("v", "pod", volume_capability=alone))
    error = plugin.fails(plugin.publish_request("v", "other", volume_capability=alone))
    assert error.code is Code.FAILED_PRECONDITION
    plugin.unpublish("v", "pod")
    plugin.call(plugin.publish_request("v", "other", volume_capability=alone))


def test_a_volume_for_several_workloads_is_published_to_each(plugin, staged):
    for pod in "abc":
        plugin.call(plugin.publish_request("v", pod))
    (plugin.pod_directory("a") / "f").write_text("seen by all")
    assert (plugin.pod_directory("c") / "f").read_text() == "seen by all"


def test_read_only_is_refused_where_the_storage_system_does_not_see_to_it(plugin, staged):
    error = plugin.fails(plugin.publish_request("v", "pod", readonly=True))
    assert error.code is Code.INVALID_ARGUMENT
    assert "read-only" in error.message


def test_an_empty_directory_at_the_target_is_replaced_and_a_full_one_is_not(plugin, staged):
    plugin.target_path("pod")
    plugin.pod_directory("pod").mkdir()
    plugin.call(plugin.publish_request("v", "pod"))
    plugin.target_path("other")
    plugin.pod_directory("other").mkdir()
    (plugin.pod_directory("other") / "precious").write_text("x")
    assert plugin.fails(plugin.publish_request("v", "other")).code is Code.FAILED_PRECONDITION
    unpublish = v1_pb2.NodeUnpublishVolumeRequest(volume_id="v", target_path=plugin.target_path("other"))
    assert plugin.fails(unpublish).code is Code.FAILED_PRECONDITION
    assert (plugin.pod_directory("other") / "precious").read_text() == "x"


def test_a_volume_that_a_pod_still_has_is_not_unstaged(plugin, staged):
    plugin.call(plugin.publish_request("v", "pod"))
    unstage = v1_pb2.NodeUnstageVolumeRequest(
        volume_id="v", staging_target_path=plugin.staging_path_only("v")
    )
    assert plugin.fails(unstage).code is Code.FAILED_PRECONDITION
    plugin.pod_directory("pod").unlink()  # kubelet has cleaned up without a word
    plugin.call(unstage)


def test_a_volume_is_unstaged_though_what_was_written_down_is_lost(node, plugin, short_directory):
    disk, publish = plugin.disk()
    plugin.call(plugin.stage_request("v", publish))
    (short_directory / "other").mkdir()
    with in_process(node, short_directory / "other") as fresh:
        fresh.unstage("v")
        [there] = [d for d in node.control.list() if d.number == disk.number]
        assert there.offline
        assert not there.volumes[0].mount_points
        fresh.unstage("v")


def test_a_stranger_is_not_unstaged_at_the_path_of_another_volume(plugin, staged):
    path = plugin.staging_path_only("v")
    plugin.call(v1_pb2.NodeUnstageVolumeRequest(volume_id="stranger", staging_target_path=path))
    plugin.call(plugin.publish_request("v", "pod"))


def test_a_volume_that_is_not_here_is_unstaged_and_unpublished_without_a_word(plugin):
    plugin.unstage("nothing")
    plugin.unpublish("nothing", "pod")


# --- questions


def test_statistics_are_those_of_the_file_system(plugin, staged):
    plugin.call(plugin.publish_request("v", "pod"))
    (plugin.pod_directory("pod") / "f").write_bytes(bytes(1 << 20))
    for path in (plugin.target_path("pod"), plugin.staging_path_only("v")):
        reply = plugin.call(v1_pb2.NodeGetVolumeStatsRequest(volume_id="v", volume_path=path))
        [usage] = reply.usage
        assert usage.unit == v1_pb2.VolumeUsage.BYTES
        assert usage.used >= 1 << 20
        assert usage.used + usage.available == usage.total
        assert not reply.volume_condition.abnormal


def test_a_volume_or_path_that_is_not_known_is_not_found(plugin, staged):
    for volume, path in (("w", plugin.staging_path_only("v")), ("v", "some/path"), ("v", KUBELET)):
        stats = v1_pb2.NodeGetVolumeStatsRequest(volume_id=volume, volume_path=path)
        expand = v1_pb2.NodeExpandVolumeRequest(volume_id=volume, volume_path=path)
        assert plugin.fails(stats).code is Code.NOT_FOUND
        assert plugin.fails(expand).code is Code.NOT_FOUND


def test_a_volume_whose_disk_has_gone_is_abnormal(plugin, staged):
    for disk in plugin.node.control.list():
        if disk.number:
            plugin.node.detach(disk.number)
    path = plugin.staging_path_only("v")
    reply = plugin.call(v1_pb2.NodeGetVolumeStatsRequest(volume_id="v", volume_path=path))
    assert reply.volume_condition.abnormal
    assert reply.volume_condition.message


def test_a_capacity_that_makes_no_sense_is_refused(plugin, staged):
    path = plugin.staging_path_only("v")
    for required, limit in ((-1, 0), (0, -1), (10, 5)):
        request = v1_pb2.NodeExpandVolumeRequest(volume_id="v", volume_path=path)
        request.capacity_range.required_bytes = required
        request.capacity_range.limit_bytes = limit
        assert plugin.fails(request).code is Code.INVALID_ARGUMENT


def test_the_node_says_who_it_is_and_what_it_does(node, short_directory):
    with in_process(node, short_directory, topology={"zone": "z1"}, max_volumes=3) as plugin:
        info = plugin.call(v1_pb2.NodeGetInfoRequest())
        assert (info.node_id, info.max_volumes_per_node) == ("node-1", 3)
        assert dict(info.accessible_topology.segments) == {"zone": "z1"}
        capabilities = {c.rpc.type for c in plugin.call(v1_pb2.NodeGetCapabilitiesRequest()).capabilities}
        assert v1_pb2.NodeServiceCapability.RPC.STAGE_UNSTAGE_VOLUME in capabilities
        assert v1_pb2.NodeServiceCapability.RPC.VOLUME_MOUNT_GROUP not in capabilities


# --- calls at the same time


def test_a_second_call_on_a_volume_is_aborted_while_the_first_goes_on(plugin):
    _, publish = plugin.disk()
    _, other = plugin.disk()
    plugin.node.control.order(Fault("MSFT_Volume.Format", Action.HANG))
    first = threading.Thread(target=plugin.call, args=(plugin.stage_request("v", publish),))
    first.start()
    try:
        until(lambda: not plugin.node.control.faults())
        with second_caller(plugin) as second:
            assert second.fails(plugin.stage_request("v", publish)).code is Code.ABORTED
            unstage = v1_pb2.NodeUnstageVolumeRequest(
                volume_id="v", staging_target_path=plugin.staging_path_only("v")
            )
            assert second.fails(unstage).code is Code.ABORTED
            second.call(plugin.stage_request("w", other))
    finally:
        plugin.node.control.clear_faults()
        first.join()
    plugin.call(plugin.publish_request("v", "pod"))


def test_a_call_does_not_last_longer_than_its_deadline(plugin):
    _, publish = plugin.disk()
    plugin.node.control.order(Fault("MSFT_Volume.Format", Action.HANG))
    try:
        with pytest.raises(RpcError) as late:
            plugin.call(plugin.stage_request("v", publish), timeout=0.5)
    finally:
        plugin.node.control.clear_faults()
    assert late.value.code is Code.DEADLINE_EXCEEDED
    until(lambda: _staged(plugin, publish))


def _staged(plugin, publish) -> bool:
    """Kubelet tries again until it works."""
    try:
        plugin.call(plugin.stage_request("v", publish))
    except RpcError as error:
        assert error.code in (Code.ABORTED, Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED)
        return False
    return True
