"""What a row of the table is: a rule, what the peer sends, and what must come of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import hpack
from hyperframe.frame import Frame
from tests.rpc.wire import START, framed, read_frames

from csiproxy.errors import Code
from csiproxy.rpc import frames
from csiproxy.rpc.frames import Reason
from csiproxy.rpc.limits import Limits

PROBE = frames.frame(frames.PING, 0, 0, b"goes on?")
"""Sent behind every row: it is answered if the connection goes on."""


@dataclass(slots=True)
class Seen:
    """What the peer was told, frame by frame, as another implementation reads it."""

    all: list[Frame] = field(default_factory=list)
    heads: dict[int, list[dict[bytes, bytes]]] = field(default_factory=dict)
    data: dict[int, bytes] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)
    resets: dict[int, Reason] = field(default_factory=dict)
    goaway: Reason | None = None
    last_stream: int = -1
    goes_on: bool = False
    decoder: hpack.Decoder = field(default_factory=hpack.Decoder)

    def read(self, wire: bytes) -> bytes:
        """Take frames; give the part of one that is left."""
        while len(wire) >= frames.HEADER_BYTES:
            size = frames.HEADER_BYTES + int.from_bytes(wire[:3], "big")
            if len(wire) < size:
                break
            (frame,) = read_frames(wire[:size])
            wire = wire[size:]
            self.all.append(frame)
            self._take(frame)
        return wire

    def _take(self, frame: Frame) -> None:
        stream = frame.stream_id
        if frame.type == frames.HEADERS:
            self.heads.setdefault(stream, []).append(dict(self.decoder.decode(frame.data, raw=True)))
        elif frame.type == frames.DATA:
            self.data[stream] = self.data.get(stream, b"") + frame.data
        elif frame.type == frames.RST_STREAM:
            self.resets[stream] = Reason(frame.error_code)
        elif frame.type == frames.GOAWAY:
            self.goaway, self.last_stream = Reason(frame.error_code), frame.last_stream_id
        elif frame.type == frames.PING and "ACK" in frame.flags:
            self.goes_on |= frame.opaque_data == PROBE[-8:]
        if "END_STREAM" in frame.flags:
            self.ended.add(stream)

    def fields(self, stream: int) -> dict[bytes, bytes]:
        """Headers and trailers of a stream together."""
        return {name: value for head in self.heads.get(stream, []) for name, value in head.items()}


class Outcome(Protocol):
    """What must come of a row.  ``text`` ends a sentence that begins with the peer's frames."""

    @property
    def text(self) -> str: ...

    def holds(self, seen: Seen) -> bool: ...


@dataclass(frozen=True, slots=True)
class ConnectionEnds:
    """GOAWAY with a reason and perhaps the last stream, and the end of the connection."""

    reason: Reason
    last: int | None = None

    @property
    def text(self) -> str:
        return f"GOAWAY {self.reason.name}" + ("" if self.last is None else f", last stream {self.last}")

    def holds(self, seen: Seen) -> bool:
        return seen.goaway is self.reason and self.last in (None, seen.last_stream) and not seen.goes_on


@dataclass(frozen=True, slots=True)
class StreamEnds:
    """RST_STREAM with a reason."""

    reason: Reason
    stream: int = 1

    @property
    def text(self) -> str:
        return f"RST_STREAM {self.reason.name}"

    def holds(self, seen: Seen) -> bool:
        return seen.resets.get(self.stream) is self.reason


@dataclass(frozen=True, slots=True)
class Replied:
    """The call is answered with its own message."""

    message: bytes
    stream: int = 1

    @property
    def text(self) -> str:
        return "the call is answered"

    def holds(self, seen: Seen) -> bool:
        heads = seen.heads.get(self.stream, [])
        return (
            len(heads) == 2
            and heads[0] == {b":status": b"200", b"content-type": b"application/grpc"}
            and heads[1] == {b"grpc-status": b"0"}
            and seen.data.get(self.stream) == framed(self.message)
            and self.stream in seen.ended
        )


@dataclass(frozen=True, slots=True)
class Status:
    """The call is answered with a gRPC status, without a message."""

    code: Code
    stream: int = 1
    fields: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def text(self) -> str:
        return f"status {self.code.name}"

    def holds(self, seen: Seen) -> bool:
        heads = seen.heads.get(self.stream, [])
        return (
            len(heads) == 1
            and heads[0].get(b":status") == b"200"
            and heads[0].get(b"content-type") == b"application/grpc"
            and heads[0].get(b"grpc-status") == b"%d" % self.code
            and set(self.fields) <= heads[0].items()
            and self.stream not in seen.data
            and self.stream in seen.ended
        )


@dataclass(frozen=True, slots=True)
class Http:
    """The request is answered as HTTP, not as gRPC."""

    status: bytes
    stream: int = 1

    @property
    def text(self) -> str:
        return f"HTTP status {self.status.decode()}"

    def holds(self, seen: Seen) -> bool:
        (head,) = seen.heads.get(self.stream, [{}])
        return (
            head.get(b":status") == self.status and b"grpc-status" not in head and self.stream in seen.ended
        )


@dataclass(frozen=True, slots=True)
class Says:
    """A frame is sent, as often as given."""

    name: str
    frame: bytes
    times: int = 1
    stream: int = 0

    @property
    def text(self) -> str:
        return self.name

    def holds(self, seen: Seen) -> bool:
        return sum(frame.serialize() == self.frame for frame in seen.all) == self.times


@dataclass(frozen=True, slots=True)
class Sent:
    """So much of a reply is sent, and no more."""

    name: str
    data: bytes
    stream: int = 1

    @property
    def text(self) -> str:
        return self.name

    def holds(self, seen: Seen) -> bool:
        return seen.data.get(self.stream) == self.data and self.stream not in seen.ended


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing is said to it."""

    @property
    def text(self) -> str:
        return "ignored"

    def holds(self, seen: Seen) -> bool:
        return not (seen.heads or seen.data or seen.resets)


@dataclass(frozen=True, slots=True)
class Row:
    """One rule.  ``wire`` follows ``opening``, the preface and SETTINGS; ``when`` says in words what it is.

    ``then`` is sent after ``first`` has come.  ``h2`` says how another implementation judges the same bytes
    in another way, "" when it does not.
    """

    section: str
    rule: str
    when: str
    wire: bytes
    outcomes: tuple[Outcome, ...]
    opening: bytes = START
    h2: str = ""
    limits: Limits = Limits()  # noqa: RUF009  immutable
    then: bytes = b""
    first: Outcome | None = None

    @property
    def ends(self) -> bool:
        """Whether the connection has to end."""
        return any(isinstance(outcome, ConnectionEnds) for outcome in self.outcomes)

    @property
    def name(self) -> str:
        """The row in a test's name."""
        return f"{self.section}: {self.when}"

    def holds(self, seen: Seen) -> bool:
        """Whether all of it has come, and of the connection's end what must."""
        return all(outcome.holds(seen) for outcome in self.outcomes) and (self.ends or seen.goes_on)

    def unexpected(self, seen: Seen) -> list[object]:
        """What has come beside it."""
        mine = {getattr(outcome, "stream", 0) for outcome in self.outcomes}
        resets = {outcome.stream for outcome in self.outcomes if isinstance(outcome, StreamEnds)}
        early = {stream for stream, reason in seen.resets.items() if reason is Reason.NO_ERROR}
        return [
            *((stream, reason) for stream, reason in seen.resets.items() if stream not in resets | early),
            *(stream for stream in seen.heads if stream not in mine and not self.ends),
            *(() if self.ends or seen.goaway is None else (seen.goaway,)),
        ]


@dataclass(frozen=True, slots=True)
class Absent:
    """A rule of the same documents that cannot apply to this server or client, with the reason."""

    section: str
    rule: str
    reason: str


class Named(Protocol):
    """A row of either end."""

    @property
    def name(self) -> str: ...


AnyRow = TypeVar("AnyRow", bound=Named)


def numbered(rows: Iterable[AnyRow]) -> dict[str, AnyRow]:
    """Rows by their names, which differ."""
    named: dict[str, AnyRow] = {}
    for row in rows:
        assert row.name not in named, row.name
        named[row.name] = row
    return named
