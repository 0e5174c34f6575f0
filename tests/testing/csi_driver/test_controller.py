"""The controller's rules over gRPC, on two emulated nodes."""

import pytest
from tests.testing.csi_driver.ground import MIB, Mode, mounted

from csiproxy.csi import v1_pb2
from csiproxy.errors import Code


def expand(volume, required, limit=0):
    request = v1_pb2.ControllerExpandVolumeRequest(volume_id=volume)
    request.capacity_range.required_bytes = required
    request.capacity_range.limit_bytes = limit
    return request


def listed(driver, **fields):
    return driver.call(v1_pb2.ListVolumesRequest(**fields))


def test_a_name_means_one_volume(driver):
    volume = driver.create("pvc-1", 100 * MIB)
    assert volume.capacity_bytes == 100 * MIB
    assert driver.create("pvc-1", 100 * MIB) == volume
    assert driver.create("pvc-1", 10 * MIB) == volume
    assert driver.fails(driver.create_request("pvc-1", 200 * MIB)).code is Code.ALREADY_EXISTS
    assert driver.fails(driver.create_request("pvc-1", 0, 64 * MIB)).code is Code.ALREADY_EXISTS
    driver.delete(volume.volume_id)
    driver.delete(volume.volume_id)
    assert list(driver.images.iterdir()) == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": ""}, Code.INVALID_ARGUMENT),
        ({"volume_capabilities": []}, Code.INVALID_ARGUMENT),
        ({"volume_capabilities": [mounted(Mode.MULTI_NODE_MULTI_WRITER)]}, Code.INVALID_ARGUMENT),
        ({"volume_capabilities": [mounted(Mode.MULTI_NODE_READER_ONLY)]}, Code.INVALID_ARGUMENT),
        ({"parameters": {"colour": "red"}}, Code.INVALID_ARGUMENT),
        ({"mutable_parameters": {"iops": "1"}}, Code.INVALID_ARGUMENT),
        ({"volume_content_source": v1_pb2.VolumeContentSource()}, Code.INVALID_ARGUMENT),
        ({"required": -1}, Code.INVALID_ARGUMENT),
        ({"required": 2 * MIB, "limit": MIB}, Code.INVALID_ARGUMENT),
        ({"required": 1, "limit": 2}, Code.OUT_OF_RANGE),
        ({"required": 1 << 60}, Code.OUT_OF_RANGE),
    ],
)
def test_what_cannot_be_provisioned_is_refused(driver, fields, code):
    assert driver.fails(driver.create_request(**{"name": "x", **fields})).code is code


def test_a_volume_is_on_one_node_at_a_time(driver, nodes):
    volume = driver.create("v").volume_id
    for _ in range(2):
        context = driver.call(driver.attach_request(volume)).publish_context
    [disk] = [disk for disk in nodes[0].control.list() if disk.number]
    assert dict(context) == {"serialNumber": disk.serial}
    assert driver.fails(driver.attach_request(volume, "node-2")).code is Code.FAILED_PRECONDITION
    assert driver.fails(driver.attach_request(volume, readonly=True)).code is Code.ALREADY_EXISTS
    assert driver.fails(v1_pb2.DeleteVolumeRequest(volume_id=volume)).code is Code.FAILED_PRECONDITION
    driver.detach(volume, "node-2")
    driver.detach(volume, "node-1")
    driver.detach(volume)
    driver.call(driver.attach_request(volume, "node-2"))
    [entry] = listed(driver).entries
    assert list(entry.status.published_node_ids) == ["node-2"]


def test_readers_get_a_disk_that_is_read_only(driver, nodes):
    volume = driver.create("v").volume_id
    for fields in ({"readonly": True}, {"mode": Mode.SINGLE_NODE_READER_ONLY}):
        context = driver.call(driver.attach_request(volume, **fields)).publish_context
        assert context["readOnly"] == "true"
        [disk] = [disk for disk in nodes[0].control.list() if disk.number]
        assert disk.read_only
        driver.detach(volume)


@pytest.mark.parametrize(
    ("volume", "node", "code"),
    [
        ("", "node-1", Code.INVALID_ARGUMENT),
        ("v", "", Code.INVALID_ARGUMENT),
        ("v", "node-9", Code.NOT_FOUND),
        ("vol-0", "node-1", Code.NOT_FOUND),
        ("../../etc/passwd", "node-1", Code.NOT_FOUND),
    ],
)
def test_what_is_not_there_is_not_attached(driver, volume, node, code):
    there = driver.create("v").volume_id
    assert driver.fails(driver.attach_request(there if volume == "v" else volume, node)).code is code


def test_a_volume_without_a_capability_is_not_attached(driver):
    volume = driver.create("v").volume_id
    request = v1_pb2.ControllerPublishVolumeRequest(volume_id=volume, node_id="node-1")
    assert driver.fails(request).code is Code.INVALID_ARGUMENT


def test_a_volume_grows_attached_or_not_and_never_shrinks(driver, nodes):
    volume = driver.create("v").volume_id
    reply = driver.call(expand(volume, 100 * MIB))
    assert reply.capacity_bytes == 100 * MIB
    assert reply.node_expansion_required
    driver.call(driver.attach_request(volume))
    assert driver.call(expand(volume, 128 * MIB)).capacity_bytes == 128 * MIB
    assert driver.call(expand(volume, MIB)).capacity_bytes == 128 * MIB
    [image] = driver.images.glob("*.img")
    assert image.stat().st_size == 128 * MIB
    assert driver.fails(expand(volume, 0, 64 * MIB)).code is Code.OUT_OF_RANGE
    assert driver.fails(expand(volume, 1 << 60)).code is Code.OUT_OF_RANGE
    assert driver.fails(expand("vol-0", MIB)).code is Code.NOT_FOUND
    assert driver.fails(v1_pb2.ControllerExpandVolumeRequest(volume_id=volume)).code is Code.INVALID_ARGUMENT


def test_lists_come_in_pages(driver):
    made = {driver.create(f"v{number}").volume_id for number in range(5)}
    found, token = [], ""
    while True:
        page = listed(driver, max_entries=2, starting_token=token)
        assert len(page.entries) <= 2
        found += [entry.volume.volume_id for entry in page.entries]
        token = page.next_token
        if not token:
            break
    assert len(found) == 5
    assert set(found) == made
    assert driver.fails(v1_pb2.ListVolumesRequest(starting_token="x")).code is Code.ABORTED
    assert driver.fails(v1_pb2.ListVolumesRequest(max_entries=-1)).code is Code.INVALID_ARGUMENT


def test_capacity_is_what_is_left(driver):
    before = driver.call(v1_pb2.GetCapacityRequest()).available_capacity
    driver.create("v", 64 * MIB)
    assert before - driver.call(v1_pb2.GetCapacityRequest()).available_capacity == 64 * MIB
    impossible = v1_pb2.GetCapacityRequest(volume_capabilities=[mounted(Mode.MULTI_NODE_MULTI_WRITER)])
    assert driver.call(impossible).available_capacity == 0


def test_capabilities_are_confirmed_or_the_reason_is_given(driver):
    volume = driver.create("v").volume_id
    request = v1_pb2.ValidateVolumeCapabilitiesRequest(
        volume_id=volume, volume_capabilities=[mounted()], volume_context={"type": "disk"}
    )
    confirmed = driver.call(request)
    assert list(confirmed.confirmed.volume_capabilities) == [mounted()]
    request.volume_capabilities[0].access_mode.mode = Mode.MULTI_NODE_MULTI_WRITER
    refused = driver.call(request)
    assert not refused.HasField("confirmed")
    assert refused.message
    request.volume_id = "vol-0"
    assert driver.fails(request).code is Code.NOT_FOUND


def test_one_volume_is_found_with_its_condition(driver):
    volume = driver.create("v").volume_id
    found = driver.call(v1_pb2.ControllerGetVolumeRequest(volume_id=volume))
    assert found.volume.volume_id == volume
    assert not found.status.volume_condition.abnormal
    assert found.status.volume_condition.message
    assert driver.fails(v1_pb2.ControllerGetVolumeRequest(volume_id="vol-0")).code is Code.NOT_FOUND


def test_a_node_that_does_not_answer_may_have_the_volume(driver, nodes):
    volume = driver.create("v").volume_id
    driver.call(driver.attach_request(volume))
    nodes[0].kill_node()
    try:
        assert driver.fails(driver.attach_request(volume, "node-2")).code is Code.UNAVAILABLE
        assert driver.fails(v1_pb2.DeleteVolumeRequest(volume_id=volume)).code is Code.UNAVAILABLE
    finally:
        nodes[0].start()
    driver.detach(volume)
    driver.delete(volume)
