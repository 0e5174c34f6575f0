import pytest
from tests.csi_conformance.client import CODE, MIB, Mode, block, mounted

from csiproxy.csi import v1_pb2

must = pytest.mark.must
RPC = v1_pb2.ControllerServiceCapability.RPC
UNKNOWN = "vol-0000"


def listed(csi, **fields):
    return csi(v1_pb2.ListVolumesRequest(**fields))


# --- CreateVolume


@must("create.name")
def test_a_volume_needs_a_name(bed, csi):
    request = bed.create()
    request.name = ""
    assert csi.status(request) is CODE.INVALID_ARGUMENT


@must("create.capabilities")
def test_a_volume_needs_capabilities(bed, csi):
    assert csi.status(bed.create(volume_capabilities=[])) is CODE.INVALID_ARGUMENT


@must("create.unknown-name")
def test_a_name_may_be_anything(bed, csi):
    for name in ("x" * 128, "ä" * 64, "a b/c\\d:e", "..", "%s'\""):
        assert csi(bed.create(name)).volume.volume_id


@must("create.id")
def test_a_volume_has_an_id(bed, csi):
    assert 0 < len(csi(bed.create()).volume.volume_id.encode()) <= 128


@must("create.capacity")
def test_a_volume_is_within_its_range(bed, csi):
    for required, limit in ((64 * MIB + 1, 0), (1, 64 * MIB), (70 * MIB, 80 * MIB), (0, 0)):
        size = csi(bed.create("", required, limit)).volume.capacity_bytes
        assert size >= required
        assert not limit or size <= limit


@must("create.repeat")
def test_the_same_name_is_the_same_volume(bed, csi):
    name = bed.name()
    first = csi(bed.create(name, 64 * MIB, 128 * MIB)).volume
    for _ in range(3):
        assert csi(bed.create(name, 64 * MIB, 128 * MIB)).volume == first


@must("create.exists")
def test_the_same_name_with_another_size_exists_already(bed, csi):
    name = bed.name()
    csi(bed.create(name, 64 * MIB))
    assert csi.status(bed.create(name, 128 * MIB)) is CODE.ALREADY_EXISTS


@must("create.range")
def test_more_than_there_is_is_out_of_range(bed, csi):
    assert csi.status(bed.create(required=1 << 62)) is CODE.OUT_OF_RANGE


@must("create.parameters")
def test_unknown_parameters_are_refused(bed, csi):
    assert csi.status(bed.create(parameters={"speed": "warp"})) is CODE.INVALID_ARGUMENT


@must("create.content")
def test_a_content_source_is_refused(bed, csi):
    source = v1_pb2.VolumeContentSource()
    source.snapshot.snapshot_id = "s"
    assert csi.status(bed.create(volume_content_source=source)) is CODE.INVALID_ARGUMENT


@must("create.block")
def test_a_use_that_cannot_be_had_is_refused(bed, csi):
    for capability in (block(), mounted(Mode.MULTI_NODE_MULTI_WRITER), mounted(fs_type="ext4")):
        request = bed.create(volume_capabilities=[mounted(), capability])
        assert csi.status(request) is CODE.INVALID_ARGUMENT


# --- DeleteVolume


@must("delete.id")
def test_a_deletion_needs_a_volume(csi):
    assert csi.status(v1_pb2.DeleteVolumeRequest()) is CODE.INVALID_ARGUMENT


@must("delete.repeat")
def test_a_deletion_may_be_repeated(bed, csi):
    volume = csi(bed.create()).volume.volume_id
    for volume_id in (volume, volume, UNKNOWN, "anything at all"):
        csi(v1_pb2.DeleteVolumeRequest(volume_id=volume_id))


@must("delete.in-use")
def test_a_volume_in_use_is_not_deleted(bed, csi):
    volume = bed.provisioned()
    assert csi.status(v1_pb2.DeleteVolumeRequest(volume_id=volume.id)) is CODE.FAILED_PRECONDITION


# --- ControllerPublishVolume


@must("attach.id")
def test_attaching_needs_a_volume(bed, csi):
    assert csi.status(bed.attach("")) is CODE.INVALID_ARGUMENT


@must("attach.node")
def test_attaching_needs_a_node(bed, csi):
    volume = csi(bed.create()).volume.volume_id
    assert csi.status(bed.attach(volume, "")) is CODE.INVALID_ARGUMENT


@must("attach.capability")
def test_attaching_needs_a_capability(bed, csi):
    volume = csi(bed.create()).volume.volume_id
    request = v1_pb2.ControllerPublishVolumeRequest(volume_id=volume, node_id="node-1")
    assert csi.status(request) is CODE.INVALID_ARGUMENT


@must("attach.volume-not-found")
def test_an_unknown_volume_is_not_attached(bed, csi):
    assert csi.status(bed.attach(UNKNOWN)) is CODE.NOT_FOUND


@must("attach.node-not-found")
def test_nothing_is_attached_to_an_unknown_node(bed, csi):
    volume = csi(bed.create()).volume.volume_id
    assert csi.status(bed.attach(volume, "node-77")) is CODE.NOT_FOUND


@must("attach.repeat")
def test_attaching_may_be_repeated(bed, csi):
    volume = csi(bed.create()).volume.volume_id
    contexts = [dict(csi(bed.attach(volume)).publish_context) for _ in range(3)]
    assert contexts[0] == contexts[1] == contexts[2]


@must("attach.exists")
def test_attaching_otherwise_exists_already(bed, csi):
    volume = bed.provisioned()
    assert csi.status(bed.attach(volume.id, readonly=True)) is CODE.ALREADY_EXISTS


@must("attach.elsewhere")
def test_a_second_node_does_not_get_the_volume(bed, csi):
    volume = bed.provisioned()
    assert csi.status(bed.attach(volume.id, "node-2")) is CODE.FAILED_PRECONDITION


@must("attach.read-only")
def test_a_disk_that_is_attached_read_only_cannot_be_written(bed, csi):
    volume = csi(bed.create()).volume.volume_id
    csi(bed.attach(volume, readonly=True))
    [disk] = [disk for disk in bed.nodes[0].control.list() if disk.number]
    assert disk.read_only


# --- ControllerUnpublishVolume


@must("detach.id")
def test_detaching_needs_a_volume(csi):
    request = v1_pb2.ControllerUnpublishVolumeRequest(node_id="node-1")
    assert csi.status(request) is CODE.INVALID_ARGUMENT


@must("detach.repeat")
def test_detaching_may_be_repeated(bed, csi):
    volume = bed.provisioned()
    for volume_id, node in ((volume.id, "node-2"), (volume.id, "node-1"), (volume.id, "node-1"),
                            (volume.id, "node-77"), (UNKNOWN, "node-1")):  # fmt: skip
        csi(v1_pb2.ControllerUnpublishVolumeRequest(volume_id=volume_id, node_id=node))


@must("detach.everywhere")
def test_detaching_without_a_node_is_from_all(bed, csi):
    volume = bed.provisioned()
    csi(v1_pb2.ControllerUnpublishVolumeRequest(volume_id=volume.id))
    csi(bed.attach(volume.id, "node-2"))


# --- ValidateVolumeCapabilities


@must("validate.id")
def test_validating_needs_a_volume(csi):
    request = v1_pb2.ValidateVolumeCapabilitiesRequest(volume_capabilities=[mounted()])
    assert csi.status(request) is CODE.INVALID_ARGUMENT


@must("validate.capabilities")
def test_validating_needs_capabilities(bed, csi):
    volume = csi(bed.create()).volume.volume_id
    request = v1_pb2.ValidateVolumeCapabilitiesRequest(volume_id=volume)
    assert csi.status(request) is CODE.INVALID_ARGUMENT


@must("validate.not-found")
def test_an_unknown_volume_is_not_validated(csi):
    request = v1_pb2.ValidateVolumeCapabilitiesRequest(volume_id=UNKNOWN, volume_capabilities=[mounted()])
    assert csi.status(request) is CODE.NOT_FOUND


@must("validate.confirmed")
def test_what_can_be_had_is_confirmed(bed, csi):
    volume = csi(bed.create()).volume
    wanted = [mounted(), mounted(Mode.SINGLE_NODE_MULTI_WRITER)]
    request = v1_pb2.ValidateVolumeCapabilitiesRequest(
        volume_id=volume.volume_id, volume_capabilities=wanted, volume_context=volume.volume_context
    )
    confirmed = csi(request).confirmed
    assert list(confirmed.volume_capabilities) == wanted
    assert confirmed.volume_context == volume.volume_context


@must("validate.refused")
def test_what_cannot_be_had_is_not_confirmed(bed, csi):
    volume = csi(bed.create()).volume.volume_id
    request = v1_pb2.ValidateVolumeCapabilitiesRequest(
        volume_id=volume, volume_capabilities=[mounted(), block()]
    )
    assert not csi(request).HasField("confirmed")


# --- lists and questions


@must("list.lifecycle")
def test_a_volume_is_listed_while_it_lives(bed, csi):
    volume = csi(bed.create()).volume.volume_id
    assert volume in [entry.volume.volume_id for entry in listed(csi).entries]
    csi(v1_pb2.DeleteVolumeRequest(volume_id=volume))
    assert volume not in [entry.volume.volume_id for entry in listed(csi).entries]


@must("list.pages")
def test_a_list_is_read_page_by_page(bed, csi):
    made = {csi(bed.create()).volume.volume_id for _ in range(3)}
    first = listed(csi, max_entries=2)
    assert len(first.entries) == 2
    second = listed(csi, max_entries=2, starting_token=first.next_token)
    assert not second.next_token
    assert {e.volume.volume_id for e in (*first.entries, *second.entries)} == made


@must("list.token")
def test_a_token_that_is_none_is_refused(csi):
    assert csi.status(v1_pb2.ListVolumesRequest(starting_token="invalid")) is CODE.ABORTED


@must("list.published")
def test_the_nodes_of_a_volume_are_listed(bed, csi):
    volume = bed.provisioned()
    [entry] = listed(csi).entries
    assert list(entry.status.published_node_ids) == ["node-1"]
    csi(v1_pb2.ControllerUnpublishVolumeRequest(volume_id=volume.id))
    [entry] = listed(csi).entries
    assert list(entry.status.published_node_ids) == []


@must("capacity.amount")
def test_what_is_left_shrinks(bed, csi):
    before = csi(v1_pb2.GetCapacityRequest()).available_capacity
    size = csi(bed.create()).volume.capacity_bytes
    assert csi(v1_pb2.GetCapacityRequest()).available_capacity == before - size >= 0


@must("get.id")
def test_asking_needs_a_volume(csi):
    assert csi.status(v1_pb2.ControllerGetVolumeRequest()) is CODE.INVALID_ARGUMENT


@must("get.not-found")
def test_an_unknown_volume_is_not_found(csi):
    assert csi.status(v1_pb2.ControllerGetVolumeRequest(volume_id=UNKNOWN)) is CODE.NOT_FOUND


@must("get.condition")
def test_a_volumes_condition_is_said(bed, csi):
    volume = csi(bed.create()).volume.volume_id
    condition = csi(v1_pb2.ControllerGetVolumeRequest(volume_id=volume)).status.volume_condition
    assert not condition.abnormal
    assert condition.message


# --- ControllerExpandVolume


@must("expand.id")
def test_expanding_needs_a_volume(bed, csi):
    assert csi.status(bed.expand("", 128 * MIB)) is CODE.INVALID_ARGUMENT


@must("expand.missing-range")
def test_expanding_needs_a_range(bed, csi):
    volume = csi(bed.create()).volume.volume_id
    assert csi.status(v1_pb2.ControllerExpandVolumeRequest(volume_id=volume)) is CODE.INVALID_ARGUMENT


@must("expand.not-found")
def test_an_unknown_volume_does_not_grow(bed, csi):
    assert csi.status(bed.expand(UNKNOWN, 128 * MIB)) is CODE.NOT_FOUND


@must("expand.capacity")
def test_a_volume_grows_to_what_is_required(bed, csi):
    volume = csi(bed.create()).volume.volume_id
    assert csi(bed.expand(volume, 100 * MIB + 1)).capacity_bytes > 100 * MIB


@must("expand.repeat")
def test_a_volume_that_is_large_enough_is_left_alone(bed, csi):
    volume = csi(bed.create()).volume.volume_id
    for required in (128 * MIB, 128 * MIB, MIB):
        assert csi(bed.expand(volume, required)).capacity_bytes == 128 * MIB


@must("expand.range")
def test_a_volume_does_not_grow_beyond_what_there_is(bed, csi):
    volume = csi(bed.create()).volume.volume_id
    assert csi.status(bed.expand(volume, 1 << 62)) is CODE.OUT_OF_RANGE
    assert csi.status(bed.expand(volume, 0, MIB)) is CODE.OUT_OF_RANGE


@must("expand.node")
def test_the_node_has_to_follow(bed, csi):
    volume = csi(bed.create()).volume.volume_id
    assert csi(bed.expand(volume, 128 * MIB)).node_expansion_required


@must("controller.served")
def test_what_is_announced_is_served(bed, csi):
    announced = {c.rpc.type for c in csi(v1_pb2.ControllerGetCapabilitiesRequest()).capabilities}
    calls = {
        RPC.CREATE_DELETE_VOLUME: v1_pb2.CreateVolumeRequest(),
        RPC.PUBLISH_UNPUBLISH_VOLUME: v1_pb2.ControllerPublishVolumeRequest(),
        RPC.LIST_VOLUMES: v1_pb2.ListVolumesRequest(starting_token="x"),
        RPC.EXPAND_VOLUME: v1_pb2.ControllerExpandVolumeRequest(),
        RPC.GET_VOLUME: v1_pb2.ControllerGetVolumeRequest(),
    }
    assert announced >= set(calls)
    for request in calls.values():
        assert csi.status(request) is not CODE.UNIMPLEMENTED
    csi(v1_pb2.GetCapacityRequest())
    assert RPC.GET_CAPACITY in announced
    assert not announced & {RPC.CREATE_DELETE_SNAPSHOT, RPC.CLONE_VOLUME, RPC.MODIFY_VOLUME, RPC.GET_SNAPSHOT}
