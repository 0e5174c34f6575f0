"""The messages of one version are found by the RPC that carries them."""

import pytest

from csiproxy.api.messages import Messages

DISK = "csiproxy.api.disk.v1_pb2"


def test_an_rpc_has_its_request_and_reply():
    request, reply = Messages(DISK).classes("GetDiskStats")
    assert request(disk_number=3).disk_number == 3
    assert reply.DESCRIPTOR.full_name == "v1.GetDiskStatsResponse"


def test_message_names_need_not_follow_the_rpcs_name():
    request, _ = Messages("csiproxy.api.volume.v1beta1_pb2").classes("GetVolumeDiskNumber")
    assert request.DESCRIPTOR.name == "VolumeDiskNumberRequest"


def test_a_version_has_one_service():
    assert Messages(DISK).service.full_name == "v1.Disk"


def test_an_rpc_that_does_not_exist_is_a_key_error():
    with pytest.raises(KeyError):
        Messages(DISK).classes("DiskStats")


def test_a_module_that_protoc_did_not_make_is_refused():
    with pytest.raises(TypeError, match="not a module that protoc made"):
        Messages("csiproxy.errors")
