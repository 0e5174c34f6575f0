"""Records of the audit trail, made of any request of any RPC.

An input is two bytes that choose an RPC, a byte of choices, and the request's bytes.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from google.protobuf.message import DecodeError, Message

from csiproxy.audit import chain
from csiproxy.errors import Code
from csiproxy.operations.context import Note
from csiproxy.rpc.stream import Peer
from csiproxy.server import audit
from csiproxy.server.audit import Record
from fuzz.broken import demand
from fuzz.cuts import Cuts
from fuzz.targets.endpoints import chosen
from fuzz.targets.sample_requests import sample_requests

SECRET = "hunter2-hunter2"
_LINE = 200_000  # a list of 64 texts of 1024 characters, each six bytes when escaped, is not in the API
_TIME = datetime(2026, 1, 31, 12, tzinfo=UTC)


def run(data: bytes) -> None:
    """Put a secret into every field that holds one; it is not in the record, and the record is one line."""
    cuts = Cuts(data)
    route = chosen(cuts.number(2)).route
    choices = cuts.number()
    try:
        message = route.method.request.FromString(cuts.rest())
    except DecodeError:
        return
    for holder, name in _secrets(message):
        setattr(holder, name, SECRET)
    text = data.decode("utf-8", "surrogateescape")
    record = Record(
        time=_TIME,
        endpoint=route.contract.endpoint,
        rpc=text if choices & 1 else f"/{route.contract.service}/{route.method.rpc}",
        peer=Peer(choices, None if choices & 2 else 0, text if choices & 4 else ""),
        arguments=route.show(message),
        outcome=Code(choices % 17),
        windows_code=None if choices & 8 else choices,
        seconds=choices / 7,
        notes=[Note(text, {"path": text, "count": choices})] if choices & 16 else [],
        error=text if choices & 32 else "",
        origin=text if choices & 64 else "",
    )
    line = audit.encode(record)
    demand(
        line.endswith(b"\n") and line.count(b"\n") == 1 and line.isascii(), "a record is one line of ASCII"
    )
    demand(len(line) <= _LINE, "a record is bounded")
    demand(all(0x20 <= byte < 0x7F for byte in line[:-1]), "a record holds no control character")
    demand(isinstance(json.loads(line), dict), "a record is a JSON object")
    chained, position = chain.forge(chain.START, line)
    link = chain.read(chained[:-1])
    demand(link is not None and link.claim == position, "a record keeps its place in the chain")
    demand(SECRET in text or SECRET.encode() not in line, "a secret is never recorded")


def _secrets(message: Message) -> Iterator[tuple[Message, str]]:
    for field in message.DESCRIPTOR.fields:
        if field.GetOptions().debug_redact:
            yield message, field.name
        elif field.message_type is not None and not field.is_repeated and message.HasField(field.name):
            yield from _secrets(getattr(message, field.name))


def seeds() -> Iterable[bytes]:
    """A record of every RPC."""
    for number, message in sample_requests():
        yield number.to_bytes(2, "big") + bytes((number % 256,)) + message
