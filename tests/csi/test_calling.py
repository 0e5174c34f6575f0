import pytest
from tests.csi.identity import Identity, serving

from csiproxy.csi import address, v1_pb2
from csiproxy.csi.calling import Caller
from csiproxy.errors import Code
from csiproxy.rpc.status import RpcError


def test_the_request_decides_which_rpc_is_called(short_directory):
    with serving(short_directory / "s", Identity("a.b")) as caller:
        found = caller.call(v1_pb2.GetPluginInfoRequest(), v1_pb2.GetPluginInfoResponse, timeout=10)
    assert found.name == "a.b"


def test_a_reply_of_another_kind_is_told_from_a_good_one(short_directory):
    with serving(short_directory / "s", Identity("\x7f" * 3)) as caller:
        with pytest.raises(RpcError) as refused:
            caller.call(v1_pb2.GetPluginInfoRequest(), v1_pb2.NodeGetVolumeStatsResponse, timeout=10)
    assert refused.value.code is Code.INTERNAL


def test_a_plugin_that_is_not_there_is_unavailable(short_directory):
    caller = Caller(address.channel(str(short_directory / "s")), v1_pb2.DESCRIPTOR)
    with pytest.raises(RpcError) as refused:
        caller.call(v1_pb2.ProbeRequest(), v1_pb2.ProbeResponse, timeout=10)
    assert refused.value.code is Code.UNAVAILABLE
