"""CSIProxyService v1alpha1 says a port in text and has room for one volume a disk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.calls import METHODS, answer, convert
from tests.api.strategies import UNHURRIED, messages

from csiproxy.api.csi_proxy_service import v1alpha1_pb2 as service_v1alpha1
from csiproxy.api.csi_proxy_service import v1beta1_pb2 as service_v1beta1
from csiproxy.errors import InvalidArgument

PORTS = st.integers(0, 65535).map(str)
CHAP_KINDS = st.sampled_from([0, 1])
LUN = "/csiproxy.v1alpha1.CSIProxyService/MountISCSILun"


@UNHURRIED
@given(
    messages(service_v1alpha1.MountISCSILunRequest.DESCRIPTOR, auth_type=CHAP_KINDS, target_portal_port=PORTS)
)
def test_an_iscsi_mount_arrives_with_every_field_and_its_port_as_a_number(request):
    arrived = convert(LUN, request)
    assert arrived.target_portal_port == int(request.target_portal_port or 0)
    assert (arrived.lun, arrived.initiator_chap_secret) == (0, "")
    shared = set(request.DESCRIPTOR.fields_by_name) - {"target_portal_port"}
    assert len(shared) == 8
    assert all(getattr(arrived, name) == getattr(request, name) for name in shared)


def test_mutual_chap_is_not_supported_where_no_field_carries_the_initiators_secret():
    with pytest.raises(InvalidArgument, match="use v1beta1") as caught:
        convert(LUN, service_v1alpha1.MountISCSILunRequest(auth_type="Mutual"))
    assert caught.value.windows_code == 50


def test_an_unknown_kind_of_chap_is_left_to_the_operation():
    assert convert(LUN, service_v1alpha1.MountISCSILunRequest(auth_type=9)).auth_type == 9


@pytest.mark.parametrize("field", ["discovery_chap_secret", "session_chap_secret"])
def test_a_refused_iscsi_mount_tells_no_secret(field):
    request = service_v1alpha1.MountISCSILunRequest(target_portal_port="x", **{field: "hunter2hunter2"})
    with pytest.raises(InvalidArgument) as caught:
        convert(LUN, request)
    assert "hunter2" not in str(caught.value)


def test_the_first_volume_of_each_disk_stands_for_it_where_there_is_room_for_one():
    devices = service_v1beta1.VolumeDevices
    reply = service_v1beta1.ListDiskVolumeMappingsResponse(
        error_code=5,
        disk_volumes={
            "d0": devices(volume_devices=["a", "b"]),
            "d1": devices(volume_devices=["c"]),
            "d2": devices(),
        },
    )
    old = answer("/csiproxy.v1alpha1.CSIProxyService/ListDiskVolumeMappings", reply)
    assert (dict(old.disk_volume_pair), old.error_code) == ({"d0": "a", "d1": "c"}, 5)


def test_a_caller_hears_the_one_volume_of_each_disk():
    method = METHODS["/csiproxy.v1alpha1.CSIProxyService/ListDiskVolumeMappings"]
    heard = method.read_reply(
        method.reply(error_code=5, disk_volume_pair={"d0": "a", "d1": "c"}).SerializeToString()
    )
    assert heard.error_code == 5
    assert {disk: list(found.volume_devices) for disk, found in heard.disk_volumes.items()} == {
        "d0": ["a"],
        "d1": ["c"],
    }


@pytest.mark.parametrize("fields", [{"lun": 1}, {"initiator_chap_secret": "hunter2"}, {"auth_type": 2}])
def test_a_caller_cannot_tell_v1alpha1_what_it_has_no_field_for(fields):
    method = METHODS[LUN]
    with pytest.raises(InvalidArgument, match="use v1beta1") as caught:
        method.write_request(method.hub_request(**fields))
    assert "hunter2" not in str(caught.value)
