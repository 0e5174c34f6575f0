"""A node's answers without what only our own server tells."""

from csiproxy.client import Client, over
from csiproxy.client.retry import NO_RETRY
from csiproxy.client.wire import Wire
from csiproxy.errors import Code
from csiproxy.rpc.status import RpcError
from csiproxy.testing import Node

_OF_THE_CONNECTION = frozenset({Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.UNIMPLEMENTED})


class Plain(Wire):
    """The wire to a real node, whose failures arrive as the Go csi-proxy says them: UNKNOWN and a text."""

    def call(self, endpoint: str, method: str, message: bytes, timeout: float) -> bytes:
        try:
            return super().call(endpoint, method, message, timeout)
        except RpcError as error:
            if error.code in _OF_THE_CONNECTION:
                raise
            raise RpcError(Code.UNKNOWN, error.message) from None


def plain_client(node: Node) -> Client:
    return over(Plain(str(node.endpoints)), retry=NO_RETRY)
