"""Every version of every group answers on its own endpoint, as gRPC and the health protocol want it."""

import grpc
import pytest
from tests.conformance.go_client import GoRefused
from tests.conformance.wire import names_of_protos, refusal


def status(call, *arguments) -> str:
    with pytest.raises((grpc.RpcError, GoRefused)) as caught:
        call(*arguments)
    error = caught.value
    return error.refusal.status if isinstance(error, GoRefused) else refusal(error).status


@pytest.mark.parametrize("name", names_of_protos())
def test_an_endpoint_serves_its_version_and_says_it_is_healthy(running, name):
    client = running.client(name)
    for service in ("", client.api.service):
        question = b"\n" + bytes([len(service)]) + service.encode() if service else b""
        assert client.raw("/grpc.health.v1.Health/Check", question) == b"\x08\x01"
    assert status(client.raw, "/grpc.health.v1.Health/Check", b"\n\x05other") == "NOT_FOUND"


@pytest.mark.parametrize("name", names_of_protos())
def test_an_unknown_method_and_an_unreadable_message_are_statuses(running, name):
    client = running.client(name)
    assert status(client.raw, f"/{client.api.service}/Exec") == "UNIMPLEMENTED"
    assert status(client.raw, "/v9.Other/Rescan") == "UNIMPLEMENTED"
    for rpc in client.api.rpcs:
        assert status(client.raw, f"/{client.api.service}/{rpc}", b"\xff\xff\xff") == "INVALID_ARGUMENT"


@pytest.mark.parametrize("name", names_of_protos())
def test_text_that_is_not_utf_8_never_becomes_a_call(running, name):
    client = running.client(name)
    for rpc, (request, _) in client.api.rpcs.items():
        texts = [f for f in request.DESCRIPTOR.fields if f.type == f.TYPE_STRING]
        if texts:
            tag = bytes([texts[0].number << 3 | 2])
            assert status(client.raw, f"/{client.api.service}/{rpc}", tag + b"\x01\xff") == "INVALID_ARGUMENT"


@pytest.mark.parametrize("name", names_of_protos())
def test_an_endpoint_serves_no_other_version(running, name):
    client = running.client(name)
    for other in ("v1.Disk/Rescan", "v1beta2.Disk/Rescan", "csiproxy.v1beta1.CSIProxyService/Rescan"):
        if not other.startswith(client.api.service):
            assert status(client.raw, f"/{other}") == "UNIMPLEMENTED"
