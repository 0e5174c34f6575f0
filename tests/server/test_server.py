"""Contracts, operations and the audit trail behind one server."""

import pytest
from tests.server.ground import Lines, emulated, serving

from csiproxy.api import versions
from csiproxy.errors import Code
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.memory import MemoryListener
from csiproxy.rpc.status import RpcError
from csiproxy.rpc.stream import EndpointInUse, EndpointUntrusted, Peer
from csiproxy.server.audit import Trail
from csiproxy.server.server import Proxy

HEALTH = "/grpc.health.v1.Health/Check"
SERVING = b"\x08\x01"


@pytest.mark.parametrize("contract", versions.CONTRACTS, ids=lambda contract: contract.name)
def test_every_endpoint_answers_health_for_itself_and_its_service(contract):
    with serving(object(), [contract]) as proxy:
        name = contract.service.encode()
        assert proxy.send(contract.name, HEALTH, b"") == SERVING
        assert proxy.send(contract.name, HEALTH, b"\x0a" + bytes([len(name)]) + name) == SERVING
        with pytest.raises(RpcError) as caught:
            proxy.send(contract.name, HEALTH, b"\x0a\x05other")
        assert caught.value.code is Code.NOT_FOUND
        with pytest.raises(RpcError) as caught:
            proxy.send(contract.name, "/grpc.health.v1.Health/Watch", b"")
        assert caught.value.code is Code.UNIMPLEMENTED
        assert proxy.audit.written == []


def proxy_of(contracts):
    return Proxy(contracts, object(), Trail(Lines(), None), None)


def test_an_endpoint_that_another_process_serves_is_left_to_it():
    contracts = versions.select(["disk/*"], [])
    proxy = proxy_of(contracts)

    def open_endpoint(contract):
        if contract.version == "v1":
            raise EndpointInUse(contract.endpoint)
        return MemoryListener(contract.endpoint)

    endpoints = proxy.listen(open_endpoint)
    assert endpoints.left == ("csi-proxy-disk-v1",)
    assert len(endpoints.served) == len(contracts) - 1
    proxy.stop(0)


def test_an_endpoint_of_somebody_who_may_not_have_it_is_left_recorded_and_makes_health_fail():
    contracts = versions.select(["disk/v1", "volume/v1"], [])
    sink = Lines()
    proxy = Proxy(contracts, object(), Trail(sink, None), None)
    opened = MemoryListener("csi-proxy-volume-v1")

    def open_endpoint(contract):
        if contract.group == "disk":
            raise EndpointUntrusted("the pipe", Peer(41, None, r"NODE\mallory", r"C:\fish.exe"))
        return opened

    endpoints = proxy.listen(open_endpoint)
    assert (endpoints.served, endpoints.left) == (("csi-proxy-volume-v1",), ("csi-proxy-disk-v1",))
    (told,) = endpoints.untrusted
    assert "process 41" in told
    assert r"NODE\mallory" in told
    (event,) = sink.records()
    del event["time"]
    assert event == {
        "event": "endpoint-untrusted",
        "endpoint": "csi-proxy-disk-v1",
        "pid": 41,
        "image": r"C:\fish.exe",
        "account": r"NODE\mallory",
    }
    proxy.start()
    with Channel(opened.connect) as channel:
        assert channel.call(HEALTH, b"", timeout=10) == b"\x08\x02"  # NOT_SERVING
        assert channel.call(HEALTH, b"\x0a\x09v1.Volume", timeout=10) == SERVING
    proxy.stop(0)


def test_what_was_opened_is_closed_when_another_endpoint_cannot_be():
    opened = []

    def open_endpoint(contract):
        if len(opened) == 2:
            raise PermissionError(13, "no")
        opened.append(MemoryListener(contract.endpoint))
        return opened[-1]

    with pytest.raises(PermissionError):
        proxy_of(versions.CONTRACTS).listen(open_endpoint)
    for listener in opened:
        with pytest.raises(OSError):
            listener.connect()


def test_the_same_node_looks_the_same_through_every_contract(tmp_path):
    with emulated(tmp_path) as proxy:
        assert list(proxy.call("disk/v1", "ListDiskIDs")["diskIDs"]) == ["0"]
        assert list(proxy.call("disk/v1beta1", "ListDiskIDs")["diskIDs"]) == ["0"]
        assert list(proxy.call("csi-proxy/v1alpha1", "ListDiskIDs")["disk_id"]) == [r"\\.\PhysicalDrive0"]
