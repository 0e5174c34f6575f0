"""A client's bytes at :class:`csiproxy.rpc.protocol.ServerConnection`, in any pieces, answered or not.

An input begins with a byte of choices, a byte for what is answered, and a byte for how fast time passes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hyperframe.frame import GoAwayFrame

from csiproxy.errors import Code
from csiproxy.rpc import frames, hpack
from csiproxy.rpc.allowance import Budget
from csiproxy.rpc.frames import Http2Error, Reason
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.protocol import ServerConnection
from csiproxy.rpc.server_stream import Cancelled, Request
from fuzz.broken import demand
from fuzz.cuts import Cuts
from fuzz.targets.http2_input import framed, raw, repeated, wires
from fuzz.targets.http2_judge import Judge

LIMITS = replace(
    Limits(),
    streams=4,
    header_list_bytes=600,
    continuation_frames=3,
    hpack_table_bytes=256,
    control_frames=60,
    resets=8,
    message_bytes=900,
    outbox_bytes=2000,
    buffered_bytes=2500,
    status_bytes=300,
)
"""Small enough for an input of some hundred bytes to reach every one of them."""

START = frames.PREFACE + frames.settings()
HEAD = (
    (b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/v1.Disk/Rescan"), (b":authority", b"x"),
    (b"te", b"trailers"), (b"content-type", b"application/grpc"),
)  # fmt: skip
BLOCKS = (
    hpack.encode(*HEAD),
    hpack.encode(*HEAD, (b"grpc-timeout", b"5S")),
    hpack.encode(*HEAD, (b"content-length", b"7")),
    hpack.encode((b":method", b"GET"), *HEAD[1:]),
    hpack.encode(*HEAD[:-1], (b"content-type", b"text/plain")),
    hpack.encode(*HEAD, (b"grpc-encoding", b"gzip")),
    hpack.encode((b"x-trailer", b"1")),
    b"",
)
_ANSWER_BYTES = 40
_PER_FRAME = 400  # what one frame may cause at most: a status with its text, or a reset
_SLOWEST = 8.0


@dataclass(slots=True)
class _Given:
    """A request that was given out: what it holds of the budget, and whether it was answered."""

    held: int
    answered: bool = False


class _Owner:
    """Whoever owns the connection: keeps the rules of its calls, and checks it after each."""

    def __init__(self, replies: int, limits: Limits = LIMITS) -> None:
        self.budget = Budget(limits.buffered_bytes)
        self.end = ServerConnection(limits, self.budget, 0.0)
        self.judge = Judge()
        self.limits = limits
        self.requests: dict[int, _Given] = {}
        self.cancelled: list[int] = []
        self._replies = replies
        self._fed = 0
        self._answers = 0

    def feed(self, wire: bytes, now: float) -> None:
        self._fed += len(wire)
        for event in self.end.receive(wire, now):
            if isinstance(event, Request):
                self._given(event)
            else:
                self._cancelled(event)
        self._check()

    def _given(self, request: Request) -> None:
        demand(len(request.message) <= self.limits.message_bytes, "a request is within its limit")
        demand(request.method.startswith("/"), "a request has a method")
        demand(request.deadline is None or request.deadline >= 0.0, "a deadline is not before the first byte")
        demand(request.stream_id not in self.requests, "a request is given once")
        self.requests[request.stream_id] = _Given(request.held)
        if self._replies & 1:
            self.answer(request.stream_id)

    def _cancelled(self, event: Cancelled) -> None:
        given = self.requests.get(event.stream_id)
        demand((given is not None and not given.answered) or self._replies & 1 == 1,
               "only a request that was given is cancelled")  # fmt: skip
        self.cancelled.append(event.stream_id)

    def answer(self, stream_id: int) -> None:
        """Reply or fail, as the byte of choices says, and give back what the request held."""
        given = self.requests[stream_id]
        if given.answered:
            return
        given.answered = True
        self.budget.give(given.held)
        given.held = 0
        self._answers += 1
        size = (self._replies >> 1) * _ANSWER_BYTES
        if self._replies & 0x40 and self._answers % 2:
            self.end.fail(stream_id, Code.NOT_FOUND, "nö" * size, b"d" * size)
        else:
            self.end.reply(stream_id, b"r" * size)

    def take(self) -> None:
        queued = self.end.queued()
        wire = self.end.take()
        demand(len(wire) >= queued, "what is queued is given")
        self.judge.read(wire)

    def _check(self) -> None:
        end, limits = self.end, self.limits
        demand(end.open_streams <= limits.streams, "no more streams are open than the limit")
        demand(0 <= self.budget.held <= limits.buffered_bytes, "the budget is kept")
        holding = sum(given.held for given in self.requests.values())
        streams = list(end._streams.values())
        demand(
            self.budget.held == holding + sum(stream.held for stream in streams), "what is held is counted"
        )
        for stream in streams:
            collected = 0 if stream.complete else len(stream.request)
            waiting = 0 if stream.reply is None else len(stream.reply)
            if collected >= frames.MESSAGE_HEAD_BYTES:
                announced = frames.read_message_head(stream.request)[1]
                demand(announced <= limits.message_bytes, "no message beyond the limit is collected")
            demand(collected + waiting <= stream.held or (not stream.held and not waiting),
                   "what a stream keeps is counted as held")  # fmt: skip
        demand(
            sum(s.held for s in end.waiting.values()) <= limits.outbox_bytes, "waiting replies are bounded"
        )
        demand(len(end._buffer) < frames.HEADER_BYTES + frames.FRAME_BYTES, "less than a frame is kept")
        block = sum(map(len, end._block))
        demand(block <= limits.header_list_bytes or len(end._block) == 1, "a block of many frames is bounded")
        demand(len(end._block) <= 1 + limits.continuation_frames, "a block has few frames")
        demand(end._decoder._size <= limits.hpack_table_bytes, "the dynamic table is bounded")
        demand(len(end._finished) <= 2 * limits.streams, "what is remembered of ended streams is bounded")
        demand(end._send_window >= 0, "the connection's window is kept")
        most = _PER_FRAME * (self._fed // frames.HEADER_BYTES + 1) + self._answers * 2000
        demand(self.judge.bytes + end.queued() <= most, "what is sent is in proportion to what came")

    def close(self) -> None:
        self.end.close()
        for stream_id, given in self.requests.items():
            if not given.answered:
                self.budget.give(given.held)
                self.requests[stream_id] = _Given(0, answered=True)
        demand(self.budget.held == 0, "in the end nothing is held")


def run(data: bytes) -> None:
    """Feed a connection; then, if nothing depends on the pieces, feed the same as one piece and compare."""
    cuts = Cuts(data)
    choices, replies, pace = cuts.number(), cuts.number(), cuts.number()
    pieces = list(wires(cuts, BLOCKS, raw=bool(choices & 1)))
    if choices & 2:
        pieces.insert(0, START)
    if choices & 4:
        _compare(pieces)
    else:
        _serve(pieces, choices, replies, pace / 256 * _SLOWEST)


def _serve(pieces: list[bytes], choices: int, replies: int, pace: float) -> None:
    owner = _Owner(replies)
    owner.take()
    now = 0.0
    try:
        for piece in pieces:
            now += pace
            owner.feed(piece, now)
            if choices & 8:
                owner.take()
            if choices & 16:
                due = owner.end.check(now)
                demand(due is None or due > now, "what is due is done")
            if choices & 32 and owner.requests:
                owner.answer(next(iter(reversed(owner.requests))))
            if choices & 64 and len(owner.requests) > 1:
                owner.end.goaway()
        owner.take()
    except Http2Error:
        owner.take()
        demand(isinstance(owner.judge.last, GoAwayFrame), "a connection ends with GOAWAY")
    owner.close()


def _compare(pieces: list[bytes]) -> None:
    """The pieces in which bytes arrive mean nothing (with a budget that is not used up)."""
    limits = replace(LIMITS, buffered_bytes=1 << 20)
    cut, whole = _Owner(0, limits), _Owner(0, limits)
    ends = []
    for owner, wire in ((cut, pieces), (whole, [b"".join(pieces)])):
        reason: Reason | None = None
        try:
            for piece in wire:
                owner.feed(piece, 1.0)
        except Http2Error as error:
            reason = error.reason
        ends.append((reason, owner.end.take(), sorted(set(owner.requests) - set(owner.cancelled))))
    if ends[1][0] is not None:  # requests of the data that broke the connection are dropped
        ends = [(reason, sent, []) for reason, sent, _ in ends]
    demand(ends[0] == ends[1], f"bytes mean the same in whatever pieces they come: {ends[0]} {ends[1]}")


def seeds() -> Iterable[bytes]:
    """Usual calls in both forms, and one of every frame."""
    message = b"\0\0\0\0\x02hi"
    call = framed(0x80, frames.END_HEADERS, 1) + framed(frames.DATA, frames.END_STREAM, 1, message)
    calls = call + framed(0x81, frames.END_HEADERS, 3) + framed(frames.DATA, 0, 3, message[:6])
    yield bytes((2, 0, 0)) + call
    yield bytes((2 | 8 | 16, 0x05, 1)) + calls + framed(frames.DATA, frames.END_STREAM, 3, message[6:])
    yield bytes((2 | 4, 0, 0)) + calls
    yield bytes((2 | 8 | 32, 0x44, 9)) + calls + framed(frames.RST_STREAM, 0, 3, bytes(4))
    yield bytes((1, 0x2D, 0)) + raw(START, _wire_call())
    yield bytes((1 | 2 | 4, 0, 0)) + raw(_wire_call())
    odd = [
        framed(frames.SETTINGS, 0, 0, b"\0\x04\0\0\0\x05"), framed(frames.SETTINGS, frames.ACK, 0),
        framed(frames.WINDOW_UPDATE, 0, 0, b"\0\0\1\0"), framed(frames.WINDOW_UPDATE, 0, 1, b"\0\0\0\x09"),
        framed(frames.PING, 0, 0, b"12345678"), framed(frames.GOAWAY, 0, 0, bytes(8)),
        framed(frames.PRIORITY, 0, 5, b"\0\0\0\1\x10"), framed(0x80, 0, 7), framed(frames.CONTINUATION, 4, 7),
        framed(frames.HEADERS, 0x2D, 9, b"\x02\0\0\0\0\x10" + BLOCKS[0] + b"\0\0"),
    ]  # fmt: skip
    yield bytes((2 | 8, 0x7F, 3)) + call + b"".join(odd)
    opened = b"".join(framed(0x80, frames.END_HEADERS, stream) for stream in range(1, 15, 2))
    yield bytes((2, 0, 0)) + opened
    refused = b"".join(framed(0x83, frames.END_HEADERS, stream) for stream in range(1, 41, 2))
    yield bytes((2, 0, 0)) + refused
    begun, more = framed(0x80, 0, 1), framed(frames.CONTINUATION, 0, 1, b"\x82" * 250)
    yield bytes((2, 0, 0)) + begun + more * 2 + framed(frames.CONTINUATION, 4, 1, b"\x82" * 250)
    yield bytes((2, 0, 0)) + begun + more * 3
    yield bytes((2, 0, 0)) + begun + framed(frames.CONTINUATION, 0, 1) * 5
    head = framed(0x80, frames.END_HEADERS, 1)
    yield bytes((2, 0, 0)) + head + framed(frames.DATA, 0, 1, b"\0\0\0\x09\0" + bytes(245)) * 2 + repeated(9)
    yield (
        bytes((2, 0, 0))
        + framed(0x83, frames.END_HEADERS, 1)
        + framed(frames.DATA, 0, 1, bytes(250))
        + repeated(255)
    )
    yield bytes((2, 3, 0)) + call + framed(frames.PING, 0, 0, bytes(8)) + repeated(100)
    for piece in odd:
        yield bytes((2, 3, 0)) + calls + piece


def _wire_call() -> bytes:
    message = b"\0\0\0\0\x02hi"
    return frames.frame(frames.HEADERS, frames.END_HEADERS, 1, BLOCKS[0]) + frames.frame(
        frames.DATA, frames.END_STREAM, 1, message
    )
