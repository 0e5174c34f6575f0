"""A server's bytes at :class:`csiproxy.rpc.client_protocol.ClientConnection`, with calls made in between.

An input begins with a byte of choices and a byte that says how large requests are.
"""

from collections.abc import Iterable
from dataclasses import replace

from csiproxy.errors import Code
from csiproxy.rpc import frames, hpack
from csiproxy.rpc.client_protocol import ClientConnection
from csiproxy.rpc.frames import Http2Error
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.status import RpcError
from fuzz.broken import demand
from fuzz.cuts import Cuts
from fuzz.targets.http2_input import framed, raw, repeated, wires
from fuzz.targets.http2_judge import Judge

LIMITS = replace(
    Limits(),
    header_list_bytes=600,
    continuation_frames=3,
    hpack_table_bytes=256,
    control_frames=60,
    message_bytes=900,
)
HEAD = ((b":status", b"200"), (b"content-type", b"application/grpc"))
BLOCKS = (
    hpack.encode(*HEAD),
    hpack.encode((b"grpc-status", b"0")),
    hpack.encode((b"grpc-status", b"5"), (b"grpc-message", b"n%C3%B6"), (b"grpc-status-details-bin", b"CAU")),
    hpack.encode(*HEAD, (b"grpc-status", b"12")),
    hpack.encode((b":status", b"503")),
    hpack.encode((b":status", b"100")),
    hpack.encode((b":status", b"2x0"), (b"grpc-status", b"99")),
    b"",
)
_CALLS = 3
_PIECES_PER_CALL = 4
_PER_FRAME = 100


def run(data: bytes) -> None:
    """Feed a connection; every call ends at most once, in bytes or a status."""
    cuts = Cuts(data)
    choices, size = cuts.number(), cuts.number()
    end, judge = ClientConnection(LIMITS, 0.0, "localhost"), Judge(frames.PREFACE)
    calls: list[int] = []
    ended: set[int] = set()
    sent = fed = 0

    def call() -> None:
        nonlocal sent
        message = b"m" * (size * 16)
        timeout = None if choices & 2 else size / 3
        calls.append(end.request("/v1.Disk/Rescan", message, timeout))
        sent += len(message) + 200

    call()
    try:
        for at, piece in enumerate(wires(cuts, BLOCKS, raw=bool(choices & 1))):
            if at % _PIECES_PER_CALL == 0 and len(calls) < _CALLS and end.usable:
                call()
            fed += len(piece)
            end.receive(piece, at / 7)
            _check(end)
            judge.read(end.take())
            demand(judge.bytes <= sent + _PER_FRAME * (fed // frames.HEADER_BYTES + 4), "little is sent")
            if choices & 4 and at % 5 == 4:
                end.cancel(calls[0])
                ended.add(calls[0])
            for stream_id in calls:
                if _ended(end, stream_id):
                    demand(stream_id not in ended, "a call ends once")
                    ended.add(stream_id)
    except Http2Error:
        judge.read(end.take())
    demand(judge.streams <= set(calls), "nothing is sent on streams that are no calls")


def _ended(end: ClientConnection, stream_id: int) -> bool:
    outcome = end.outcome(stream_id)
    if isinstance(outcome, RpcError):
        demand(isinstance(outcome.code, Code), "a failure has a code")
        demand(outcome.code is not Code.OK, "a failure is no success")
        demand(
            len(outcome.message) + len(outcome.details) <= 2 * LIMITS.header_list_bytes, "texts are bounded"
        )
    elif outcome is not None:
        demand(len(outcome) <= LIMITS.message_bytes, "a reply is within its limit")
    return outcome is not None


def _check(end: ClientConnection) -> None:
    demand(len(end._streams) <= _CALLS, "there are no streams but the calls'")
    for stream in end._streams.values():
        demand(len(stream.data) <= end._room(), "what is kept of a reply is bounded")
        if len(stream.data) >= frames.MESSAGE_HEAD_BYTES:
            announced = frames.read_message_head(stream.data)[1]
            demand(announced <= LIMITS.message_bytes, "no reply beyond the limit is collected")
    demand(len(end._buffer) < frames.HEADER_BYTES + frames.FRAME_BYTES, "less than a frame is kept")
    block = sum(map(len, end._block))
    demand(block <= LIMITS.header_list_bytes or len(end._block) == 1, "a block of many frames is bounded")
    demand(len(end._block) <= 1 + LIMITS.continuation_frames, "a block has few frames")
    demand(end._decoder._size <= LIMITS.hpack_table_bytes, "the dynamic table is bounded")
    demand(end._send_window >= 0, "the connection's window is kept")


def seeds() -> Iterable[bytes]:
    """Replies of every kind, in both forms, and one of every other frame."""
    settings = framed(frames.SETTINGS, 0, 0, b"\0\x04\0\0\0\x40")
    head, message = framed(0x80, frames.END_HEADERS, 1), framed(frames.DATA, 0, 1, b"\0\0\0\0\x02hi")
    good = settings + head + message + framed(0x81, 5, 1)
    yield bytes((0, 1)) + good
    yield bytes((2 | 4, 200)) + good + framed(frames.WINDOW_UPDATE, 0, 3, b"\0\0\1\0") + framed(0x82, 5, 3)
    for block in range(0x82, 0x88):
        yield bytes((0, 1)) + settings + framed(block, 5, 1) + framed(block, 5, 3)
    for odd in (
        framed(frames.RST_STREAM, 0, 1, b"\0\0\0\x07"), framed(frames.GOAWAY, 0, 0, b"\0\0\0\1\0\0\0\0"),
        framed(frames.PING, 0, 0, b"12345678"), framed(frames.PUSH_PROMISE, 4, 1, bytes(4)),
        framed(frames.WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff"), framed(frames.CONTINUATION, 4, 1),
        framed(frames.DATA, 9, 1, b"\x02\0\0\0\0\0\0\0"),
    ):  # fmt: skip
        yield bytes((0, 60)) + settings + head + odd + message
    large = framed(frames.DATA, 0, 1, b"\0\0\0\x09\0" + bytes(240))
    yield bytes((0, 1)) + settings + head + large + repeated(3)
    yield (
        bytes((0, 1)) + settings + framed(0x84, frames.END_HEADERS, 1) + large + repeated(255) + repeated(255)
    )
    begun, more = framed(0x80, 0, 1), framed(frames.CONTINUATION, 0, 1, b"\x88" * 250)
    yield bytes((0, 1)) + settings + begun + more * 3
    yield bytes((0, 1)) + settings + begun + framed(frames.CONTINUATION, 0, 1) * 5
    whole = frames.settings() + frames.frame(frames.HEADERS, 4, 1, BLOCKS[0])
    whole += frames.frame(frames.DATA, 0, 1, b"\0\0\0\0\x02hi") + frames.frame(
        frames.HEADERS, 5, 1, BLOCKS[1]
    )
    yield bytes((1, 3)) + raw(whole)
