"""Whole calls, from their bytes to their audit record, on an emulated node of this process.

An input is calls: two bytes that choose an RPC and the request's bytes behind their length.  The node goes on
from input to input, so one that found something may need those before it; mostly it does not.
"""

import io
import json
from collections.abc import Iterable
from time import monotonic

from csiproxy.api import versions
from csiproxy.errors import Code
from csiproxy.rpc.call import Call
from csiproxy.rpc.status import RpcError
from csiproxy.rpc.stream import Peer
from csiproxy.server.audit import Trail
from csiproxy.server.dispatch import Dispatcher
from fuzz.broken import demand
from fuzz.cuts import Cuts
from fuzz.targets.endpoints import Endpoint, chosen, groups
from fuzz.targets.sample_requests import sample_requests

SECONDS = 0.5
_LEAVES_THE_NODE = ("smb", "iscsi")
"""Operations with this in their name would talk to servers that an input names."""
_MOST_CALLS = 6


class _Records:
    """A sink that keeps the last record."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write(self, line: bytes) -> None:
        self.lines.append(line)


def run(data: bytes) -> None:
    """Make the calls; a reply is a message of its type, a failure is one that somebody foresaw."""
    cuts = Cuts(data)
    for _ in range(_MOST_CALLS):
        if not cuts:
            return
        endpoint = chosen(cuts.number(2))
        message = cuts.take(cuts.number(2))
        words = (endpoint.contract.group, *endpoint.route.method.operation.split("_"))
        if not any(word in _LEAVES_THE_NODE for word in words):
            _call(endpoint, message)


def _call(endpoint: Endpoint, message: bytes) -> None:
    records, log = _Records(), io.StringIO()
    dispatcher = Dispatcher(versions.CONTRACTS, groups(), Trail(records, log), log)
    call = Call(endpoint.contract.endpoint, endpoint.path, message, Peer(1, 1), monotonic() + SECONDS)
    try:
        reply = dispatcher(call)
    except RpcError as error:
        demand(error.code not in (Code.INTERNAL, Code.UNKNOWN, Code.OK), f"a failure is foreseen: {error}")
        demand(len(error.details) < 6000, "details fit into trailers")
    else:
        endpoint.route.method.reply.FromString(reply)
    demand(not log.getvalue(), f"csi-proxy itself does not fail: {log.getvalue()}")
    demand(len(records.lines) == 1, "a call leaves one record")
    record = json.loads(records.lines[0])
    demand(record["rpc"] == endpoint.path, "a record says what was called")


def seeds() -> Iterable[bytes]:
    """A call of every RPC."""
    for number, message in sample_requests():
        yield number.to_bytes(2, "big") + len(message).to_bytes(2, "big") + message
