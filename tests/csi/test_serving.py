import io
import json

import pytest
from tests.csi.identity import Identity, serving

from csiproxy.csi import address, v1_pb2
from csiproxy.csi.serving import method_name
from csiproxy.errors import Code
from csiproxy.rpc.status import RpcError


def fails(caller, request, reply):
    with pytest.raises(RpcError) as refused:
        caller.call(request, reply, timeout=10)
    return refused.value


@pytest.mark.parametrize(
    ("rpc", "name"), [("NodeStageVolume", "node_stage_volume"), ("Probe", "probe"), ("GetInfo", "get_info")]
)
def test_an_rpc_is_a_method_of_its_name(rpc, name):
    assert method_name(rpc) == name


def test_an_errors_class_is_the_status_and_its_text_the_message(short_directory):
    with serving(short_directory / "s", Identity()) as caller:
        error = fails(caller, v1_pb2.ProbeRequest(), v1_pb2.ProbeResponse)
    assert (error.code, error.message) == (
        Code.FAILED_PRECONDITION,
        "it can never become ready; take another",
    )


def test_a_failure_that_nobody_foresaw_tells_the_client_nothing_and_the_log_everything(short_directory):
    log = io.StringIO()
    with serving(short_directory / "s", Identity(), log) as caller:
        error = fails(caller, v1_pb2.GetPluginCapabilitiesRequest(), v1_pb2.GetPluginCapabilitiesResponse)
    assert error.code is Code.INTERNAL
    assert "hunter2" not in error.message
    assert "hunter2" in log.getvalue()


def test_an_rpc_without_a_method_is_unimplemented(short_directory):
    with serving(short_directory / "s", Identity()) as caller:
        assert fails(caller, v1_pb2.NodeGetInfoRequest(), v1_pb2.NodeGetInfoResponse).code is (
            Code.UNIMPLEMENTED
        )


def test_bytes_that_are_no_request_are_refused(short_directory):
    with serving(short_directory / "s", Identity()):
        with address.channel(str(short_directory / "s")) as channel, pytest.raises(RpcError) as refused:
            channel.call("/csi.v1.Identity/Probe", b"\xff\xff", timeout=10)
    assert refused.value.code is Code.INVALID_ARGUMENT


def test_each_call_is_a_line_of_the_log(short_directory):
    log = io.StringIO()
    with serving(short_directory / "s", Identity(), log) as caller:
        caller.call(v1_pb2.GetPluginInfoRequest(), v1_pb2.GetPluginInfoResponse, timeout=10)
        fails(caller, v1_pb2.ProbeRequest(), v1_pb2.ProbeResponse)
    first, second = map(json.loads, log.getvalue().splitlines())
    assert (first["rpc"], first["status"]) == ("GetPluginInfo", "OK")
    assert (second["rpc"], second["status"]) == ("Probe", "FAILED_PRECONDITION")
    assert second["error"] == "it can never become ready; take another"
