import pytest

from csiproxy.cli.demo.client import Client, Refused, Reply
from csiproxy.cli.demo.node import Node
from csiproxy.errors import Code
from csiproxy.rpc.status import RpcError


def test_a_reply_gives_fields_of_the_type_asked_for() -> None:
    reply = Reply({"a": "x", "n": 3, "f": True, "l": ["p", "q"], "m": {"1": {"a": "y"}}})
    assert (reply.text("a"), reply.number("n"), reply.flag("f"), reply.texts("l")) == (
        "x",
        3,
        True,
        ["p", "q"],
    )
    assert reply.table("m")["1"].text("a") == "y"
    with pytest.raises(TypeError, match="n is no str"):
        reply.text("n")
    with pytest.raises(KeyError):
        reply.text("b")


def test_any_version_can_be_called(node: Node) -> None:
    with Client(node.endpoints) as client:
        assert client.call("disk/v1", "GetDiskStats", {"disk_number": 1}).number("total_bytes") == 64 << 20
        assert client.call("disk/v1beta1", "DiskStats", {"diskID": "1"}).number("diskSize") == 64 << 20


def test_a_status_and_an_error_code_are_failures(node: Node) -> None:
    with Client(node.endpoints) as client:
        with pytest.raises(RpcError) as failed:
            client.call("disk/v1", "GetDiskStats", {"disk_number": 9})
        assert failed.value.code is Code.NOT_FOUND
        with pytest.raises(Refused, match="error_code 87 ERROR_INVALID_PARAMETER"):
            client.call("csi-proxy/v1beta1", "PartitionDisk", {"disk_device": "disk 1"})
