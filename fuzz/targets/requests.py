"""Bytes of a request on their way to the operation: decoded, converted, taken apart, shown.

An input is two bytes that choose an RPC, and the request's bytes.
"""

import json
from collections.abc import Iterable

from csiproxy.api.method import UnreadableMessage
from csiproxy.errors import Code, CsiProxyError, InvalidArgument
from csiproxy.rpc.status import RpcError
from csiproxy.server.route import Route
from fuzz.broken import demand
from fuzz.cuts import Cuts
from fuzz.targets.endpoints import chosen
from fuzz.targets.sample_requests import sample_requests

_MOST_SHOWN = 60  # times the bytes that came: a code point may become 12 characters, a field has its name
_LEAST_SHOWN = 600


def run(data: bytes) -> None:
    """Whatever is read becomes arguments or the client's own error; the rest is refused as unreadable."""
    cuts = Cuts(data)
    route = chosen(cuts.number(2)).route
    message = cuts.rest()
    try:
        wire = route.decode(message)
    except RpcError as error:
        demand(error.code is Code.INVALID_ARGUMENT, "what cannot be read is the client's mistake")
        _refused(route, message)
        return
    shown = json.dumps(route.show(wire))
    demand(len(shown) <= _LEAST_SHOWN + _MOST_SHOWN * len(message), "what is shown is in proportion")
    try:
        hub = route.method.read_request(message)
    except InvalidArgument as error:
        demand(not isinstance(error, UnreadableMessage), "what this version reads, the newest reads, too")
        _sentence(error)
        return
    if route.binding is None:
        return
    try:
        arguments = route.binding.arguments(hub)
    except InvalidArgument as error:
        _sentence(error)
        return
    demand(len(arguments) == len(hub.DESCRIPTOR.fields), "every field is an argument")


def _refused(route: Route, message: bytes) -> None:
    try:
        route.method.read_request(message)
    except UnreadableMessage:
        return
    except CsiProxyError as error:
        demand(False, f"what this version cannot read, its converter never sees: {error}")
    # The hub's class may read what an old version's class cannot: a field that has become unknown there.


def _sentence(error: CsiProxyError) -> None:
    demand(str(error).isprintable(), "a text for people is printable")
    demand(len(str(error)) <= 1000, "a text for people has an end")


def seeds() -> Iterable[bytes]:
    """A request of every RPC, and one with a field of each wire type that nobody knows."""
    for number, message in sample_requests():
        yield number.to_bytes(2, "big") + message
    for text in ("²", "٣", "-1", "4294967296", "1" * 200):
        for number, message in sample_requests(text):
            if text.encode() in message:
                yield number.to_bytes(2, "big") + message
    for unknown in ("a806ff7f", "a1060102030405060708", "aa06026869", "ad0601020304", "a306a406", "0a02c328"):
        yield b"\0\0" + bytes.fromhex(unknown)
