"""How calls end that their handler does not end: too late, no room, nobody waits."""

from typing import Final

from csiproxy.errors import Code
from csiproxy.rpc.status import RpcError

TOO_LATE: Final = RpcError(Code.DEADLINE_EXCEEDED, "the deadline passed before the operation was done")
NO_ROOM: Final = RpcError(
    Code.RESOURCE_EXHAUSTED,
    "too many calls wait already, of this process or of all; try again later, make fewer at once, or let the "
    "operator raise --caller-calls (rail caller-calls)",
    rail="caller-calls",
)
TOO_OFTEN: Final = RpcError(
    Code.RESOURCE_EXHAUSTED,
    "this process calls too often; try again later, or let the operator raise --caller-rate (rail "
    "caller-rate)",
    rail="caller-rate",
)
STOPPING: Final = RpcError(Code.UNAVAILABLE, "the server is stopping")
GONE: Final = RpcError(Code.CANCELLED, "the client has gone or cancelled the call")
BROKEN: Final = RpcError(Code.INTERNAL, "the handler failed; the server's operator can find out why")
NOT_BYTES: Final = RpcError(Code.INTERNAL, "the handler gave something that is not a message")
