import os

import pytest
from tests.csi_conformance.client import CODE, MIB, Mode, block, mounted

from csiproxy.csi import v1_pb2

must = pytest.mark.must
ALONE = Mode.SINGLE_NODE_SINGLE_WRITER
RPC = v1_pb2.NodeServiceCapability.RPC


def without(request, field):
    """The request without one of its fields."""
    request.ClearField(field)
    return request


# --- fields that have to be there


@pytest.mark.parametrize(
    ("rpc", "field"),
    [
        pytest.param("stage", "volume_id", marks=must("stage.id")),
        pytest.param("stage", "staging_target_path", marks=must("stage.path")),
        pytest.param("stage", "volume_capability", marks=must("stage.capability")),
        pytest.param("publish", "volume_id", marks=must("publish.id")),
        pytest.param("publish", "target_path", marks=must("publish.target")),
        pytest.param("publish", "volume_capability", marks=must("publish.capability")),
        pytest.param("unpublish", "volume_id", marks=must("unpublish.id")),
        pytest.param("unpublish", "target_path", marks=must("unpublish.target")),
        pytest.param("unstage", "volume_id", marks=must("unstage.id")),
        pytest.param("unstage", "staging_target_path", marks=must("unstage.path")),
    ],
)
def test_a_request_without_what_it_needs_is_refused(bed, csi, rpc, field):
    volume = bed.published() if rpc.startswith("un") else bed.staged()
    assert csi.status(without(getattr(bed, rpc)(volume), field)) is CODE.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("rpc", "field"),
    [
        pytest.param("stats", "volume_id", marks=must("stats.id")),
        pytest.param("stats", "volume_path", marks=must("stats.path")),
        pytest.param("grow", "volume_id", marks=must("grow.id")),
        pytest.param("grow", "volume_path", marks=must("grow.path")),
    ],
)
def test_a_question_without_what_it_needs_is_refused(bed, csi, rpc, field):
    volume = bed.staged()
    request = getattr(bed, rpc)(volume.id, bed.staging(volume.id))
    assert csi.status(without(request, field)) is CODE.INVALID_ARGUMENT


# --- NodeStageVolume and NodeUnstageVolume


@must("stage.not-found")
def test_a_volume_that_is_not_on_the_node_is_not_staged(bed, csi):
    volume = bed.provisioned()
    csi(v1_pb2.ControllerUnpublishVolumeRequest(volume_id=volume.id))
    assert csi.status(bed.stage(volume)) is CODE.NOT_FOUND


@must("stage.repeat")
def test_staging_may_be_repeated(bed, csi):
    volume = bed.provisioned()
    for _ in range(10):
        csi(bed.stage(volume))


@must("stage.exists")
def test_staging_for_another_use_exists_already(bed, csi):
    volume = bed.staged()
    assert csi.status(bed.stage(volume, volume_capability=mounted(ALONE))) is CODE.ALREADY_EXISTS


@must("stage.block")
def test_raw_block_is_refused(bed, csi):
    status, text = csi.fails(bed.stage(bed.provisioned(), volume_capability=block()))
    assert status is CODE.INVALID_ARGUMENT
    assert "raw block" in text


@must("stage.flags")
def test_mount_flags_are_refused(bed, csi):
    request = bed.stage(bed.provisioned(), volume_capability=mounted(flags=("noatime",)))
    assert csi.status(request) is CODE.INVALID_ARGUMENT


@must("stage.file-system")
def test_another_file_system_is_refused(bed, csi):
    request = bed.stage(bed.provisioned(), volume_capability=mounted(fs_type="ext4"))
    assert csi.status(request) is CODE.INVALID_ARGUMENT


@must("unstage.repeat")
def test_unstaging_may_be_repeated(bed, csi):
    volume = bed.staged()
    for _ in range(3):
        csi(bed.unstage(volume))
    csi(v1_pb2.NodeUnstageVolumeRequest(volume_id="unknown", staging_target_path=bed.staging("unknown")))


@must("unstage.contents")
def test_what_is_on_a_volume_outlives_unstaging(bed, csi):
    volume = bed.published()
    (bed.files(volume) / "f").write_text("x")
    for request in (bed.unpublish(volume), bed.unstage(volume), bed.stage(volume), bed.publish(volume)):
        csi(request)
    assert (bed.files(volume) / "f").read_text() == "x"


# --- NodePublishVolume and NodeUnpublishVolume


@must("publish.staging")
def test_publishing_needs_a_staging_path(bed, csi):
    assert csi.status(bed.publish(bed.staged(), staging_target_path="")) is CODE.FAILED_PRECONDITION


@must("publish.unstaged")
def test_only_a_staged_volume_is_published(bed, csi):
    assert csi.status(bed.publish(bed.provisioned())) is CODE.FAILED_PRECONDITION


@must("publish.makes-target")
def test_the_target_is_made(bed, csi):
    volume = bed.staged()
    request = bed.publish(volume)
    assert not os.path.lexists(bed.files(volume))
    csi(request)
    (bed.files(volume) / "f").write_text("x")


@must("publish.repeat")
def test_publishing_may_be_repeated(bed, csi):
    volume = bed.staged()
    for _ in range(10):
        csi(bed.publish(volume))


@must("publish.exists")
def test_publishing_otherwise_exists_already(bed, csi):
    volume = bed.published()
    assert csi.status(bed.publish(volume, volume_capability=mounted(ALONE))) is CODE.ALREADY_EXISTS


@must("publish.several")
def test_several_workloads_share_a_volume(bed, csi):
    volume = bed.staged(Mode.SINGLE_NODE_MULTI_WRITER)
    for pod in ("a", "b"):
        csi(bed.publish(volume, pod))
    (bed.files(volume, "a") / "f").write_text("x")
    assert (bed.files(volume, "b") / "f").read_text() == "x"


@must("publish.one")
def test_one_workload_alone_has_a_volume(bed, csi):
    volume = bed.staged(ALONE)
    csi(bed.publish(volume, "a"))
    assert csi.status(bed.publish(volume, "b")) is CODE.FAILED_PRECONDITION


@must("publish.read-only")
def test_read_only_is_refused_where_it_cannot_be_seen_to(bed, csi):
    assert csi.status(bed.publish(bed.staged(), readonly=True)) is CODE.INVALID_ARGUMENT


@must("publish.group")
def test_a_group_is_refused(bed, csi):
    volume = bed.staged()
    request = bed.publish(volume)
    request.volume_capability.mount.volume_mount_group = "1000"
    assert csi.status(request) is CODE.INVALID_ARGUMENT


@must("unpublish.removes-target")
def test_the_target_is_removed_and_the_files_stay(bed, csi):
    volume = bed.published()
    (bed.files(volume) / "f").write_text("x")
    csi(bed.unpublish(volume))
    assert not os.path.lexists(bed.files(volume))
    assert (bed.host(bed.staging(volume.id)) / "f").read_text() == "x"


@must("unpublish.repeat")
def test_unpublishing_may_be_repeated(bed, csi):
    volume = bed.published()
    for _ in range(3):
        csi(bed.unpublish(volume))
    csi(v1_pb2.NodeUnpublishVolumeRequest(volume_id="unknown", target_path=bed.target("unknown")))


# --- NodeGetVolumeStats


@must("stats.unknown-volume")
def test_an_unknown_volume_has_no_statistics(bed, csi):
    volume = bed.staged()
    assert csi.status(bed.stats("unknown", bed.staging(volume.id))) is CODE.NOT_FOUND


@must("stats.wrong-path")
def test_a_path_where_the_volume_is_not_has_no_statistics(bed, csi):
    assert csi.status(bed.stats(bed.staged().id, "some/path")) is CODE.NOT_FOUND


@must("stats.usage")
def test_statistics_add_up(bed, csi):
    volume = bed.published()
    for path in (bed.staging(volume.id), bed.target(volume.id)):
        [usage] = csi(bed.stats(volume.id, path)).usage
        assert usage.unit == v1_pb2.VolumeUsage.BYTES
        assert usage.used + usage.available == usage.total > 0


@must("stats.condition")
def test_the_condition_follows_the_disk(bed, csi):
    volume = bed.staged()
    request = bed.stats(volume.id, bed.staging(volume.id))
    assert not csi(request).volume_condition.abnormal
    csi(v1_pb2.ControllerUnpublishVolumeRequest(volume_id=volume.id))
    assert csi(request).volume_condition.abnormal


# --- NodeExpandVolume


@must("grow.not-found")
def test_a_volume_that_is_not_there_does_not_grow(bed, csi):
    volume = bed.staged()
    for volume_id, path in (("unknown", bed.staging(volume.id)), (volume.id, "some/path")):
        assert csi.status(bed.grow(volume_id, path)) is CODE.NOT_FOUND


@must("grow.capacity")
def test_the_file_system_grows_with_the_volume(bed, csi):
    volume = bed.staged()
    path = bed.staging(volume.id)
    before = csi(bed.stats(volume.id, path)).usage[0].total
    csi(bed.expand(volume.id, 128 * MIB))
    assert csi(bed.grow(volume.id, path, 128 * MIB)).capacity_bytes >= 128 * MIB
    assert csi(bed.stats(volume.id, path)).usage[0].total >= before + 60 * MIB


@must("grow.repeat")
def test_growing_may_be_repeated(bed, csi):
    volume = bed.staged()
    csi(bed.expand(volume.id, 128 * MIB))
    for _ in range(10):
        csi(bed.grow(volume.id, bed.staging(volume.id), 128 * MIB))


@must("grow.range")
def test_a_volume_does_not_grow_beyond_its_disk(bed, csi):
    volume = bed.staged()
    request = bed.grow(volume.id, bed.staging(volume.id), 1 << 40)
    assert csi.status(request) is CODE.OUT_OF_RANGE


@must("grow.in-use")
def test_a_volume_grows_under_a_workload(bed, csi):
    volume = bed.published()
    with open(bed.files(volume) / "f", "w") as file:
        file.write("before ")
        csi(bed.expand(volume.id, 128 * MIB))
        csi(bed.grow(volume.id, bed.target(volume.id), 128 * MIB))
        file.write("after")
    assert (bed.files(volume) / "f").read_text() == "before after"


# --- NodeGetInfo and NodeGetCapabilities


@must("node.id")
def test_the_node_has_an_id_that_the_controller_knows(bed, csi):
    node = csi(v1_pb2.NodeGetInfoRequest()).node_id
    assert 0 < len(node.encode()) <= 256
    csi(bed.attach(csi(bed.create()).volume.volume_id, node))


@must("node.most")
def test_a_node_has_room_for_volumes(csi):
    assert csi(v1_pb2.NodeGetInfoRequest()).max_volumes_per_node >= 0


@must("node.topology")
def test_the_node_says_where_it_stands_if_that_matters(csi):
    constraint = v1_pb2.PluginCapability.Service.VOLUME_ACCESSIBILITY_CONSTRAINTS
    announced = [c.service.type for c in csi(v1_pb2.GetPluginCapabilitiesRequest()).capabilities]
    stands = bool(csi(v1_pb2.NodeGetInfoRequest()).accessible_topology.segments)
    assert stands is (constraint in announced)


@must("node.served")
def test_what_the_node_announces_it_serves(csi):
    announced = {c.rpc.type for c in csi(v1_pb2.NodeGetCapabilitiesRequest()).capabilities}
    calls = {
        RPC.STAGE_UNSTAGE_VOLUME: v1_pb2.NodeStageVolumeRequest(),
        RPC.GET_VOLUME_STATS: v1_pb2.NodeGetVolumeStatsRequest(),
        RPC.EXPAND_VOLUME: v1_pb2.NodeExpandVolumeRequest(),
    }
    assert announced >= set(calls) | {RPC.VOLUME_CONDITION, RPC.SINGLE_NODE_MULTI_WRITER}
    for request in calls.values():
        assert csi.status(request) is not CODE.UNIMPLEMENTED
