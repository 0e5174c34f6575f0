"""The calling end, with another implementation as the server."""

import h2.config
import h2.connection
import h2.events
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rpc.wire import framed, read_frames

from csiproxy.errors import Code
from csiproxy.rpc import frames, hpack
from csiproxy.rpc.allowance import Budget
from csiproxy.rpc.client_protocol import ClientConnection, Outcome, Unprocessed
from csiproxy.rpc.frames import Http2Error, Reason
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.protocol import ServerConnection
from csiproxy.rpc.server_stream import Request
from csiproxy.rpc.status import RpcError

LIMITS = Limits()
HEAD = ((b":status", b"200"), (b"content-type", b"application/grpc"))


def calling(limits: Limits = LIMITS, start: bytes = frames.settings()) -> ClientConnection:
    end = ClientConnection(limits, 0.0, "localhost")
    end.receive(start, 0.0)
    return end


def head(stream: int, *fields: tuple[bytes, bytes], end: bool = False) -> bytes:
    return frames.frame(frames.HEADERS, 4 | end, stream, hpack.encode(*fields))


def ended(wire: bytes, limits: Limits = LIMITS) -> Outcome | None:
    """What becomes of a call to which the server says this."""
    end = calling(limits)
    stream = end.request("/v1.Disk/Rescan", b"x", None)
    end.receive(wire, 0.0)
    return end.outcome(stream)


class Judge:
    """A server of another implementation that echoes."""

    def __init__(self) -> None:
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding=None)
        )
        self.h2.initiate_connection()
        self.heads: dict[int, list[tuple[bytes, bytes]]] = {}
        self.bodies: dict[int, bytearray] = {}
        self.pending: dict[int, bytes] = {}

    def receive(self, wire: bytes) -> bytes:
        for event in self.h2.receive_data(wire):
            if isinstance(event, h2.events.RequestReceived):
                self.heads[event.stream_id] = list(event.headers)
                self.bodies[event.stream_id] = bytearray()
            elif isinstance(event, h2.events.DataReceived):
                self.bodies[event.stream_id] += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self.h2.send_headers(event.stream_id, list(HEAD))
                self.pending[event.stream_id] = bytes(self.bodies[event.stream_id])
        for stream, rest in list(self.pending.items()):
            while rest and (size := min(len(rest), 16384, self.h2.local_flow_control_window(stream))):
                self.h2.send_data(stream, rest[:size])
                rest = self.pending[stream] = rest[size:]
            if not rest:
                del self.pending[stream]
                self.h2.send_headers(stream, [(b"grpc-status", b"0")], end_stream=True)
        return self.h2.data_to_send()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.binary(max_size=50) | st.integers(0, 200_000).map(lambda size: b"m" * size), min_size=1, max_size=4
    )
)
def test_another_implementation_understands_calls_of_any_size(messages: list[bytes]) -> None:
    end, judge = ClientConnection(LIMITS, 0.0, r"\\.\pipe\csi-proxy-disk-v1"), Judge()
    calls = [end.request("/v1.Disk/Rescan", message, 1.5) for message in messages]
    wire = end.take()
    while wire:
        end.receive(judge.receive(wire), 0.0)
        wire = end.take()
    assert [end.outcome(call) for call in calls] == messages
    assert judge.heads[1] == [
        (b":path", b"/v1.Disk/Rescan"),
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":authority", rb"\\.\pipe\csi-proxy-disk-v1"),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        (b"user-agent", b"grpc-csiproxy"),
        (b"grpc-timeout", b"1500000u"),
    ]


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=50), st.binary(max_size=50), st.sampled_from([code for code in Code if code]))
def test_a_status_arrives_as_our_server_says_it(text: str, details: bytes, code: Code) -> None:
    end = ClientConnection(LIMITS, 0.0, "localhost")
    serving = ServerConnection(LIMITS, Budget(1 << 20), 0.0)
    call = end.request("/v1.Disk/Rescan", b"x", None)
    (event,) = serving.receive(end.take(), 0.0)
    assert isinstance(event, Request)
    serving.fail(event.stream_id, code, text, details)
    end.receive(serving.take(), 0.0)
    outcome = end.outcome(call)
    assert isinstance(outcome, RpcError)
    assert (outcome.code, outcome.details) == (code, details)
    assert outcome.message == text.encode("utf-8", "replace").decode()
    assert end.outcome(call) is None


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (head(1, *HEAD) + head(1, (b"grpc-status", b"0"), end=True), Code.INTERNAL),
        (
            head(1, *HEAD)
            + frames.frame(frames.DATA, 0, 1, framed(b"abc")[:-1])
            + head(1, (b"grpc-status", b"0"), end=True),
            Code.INTERNAL,
        ),
        (
            head(1, *HEAD)
            + frames.frame(frames.DATA, 0, 1, framed(b"a") * 2)
            + head(1, (b"grpc-status", b"0"), end=True),
            Code.INTERNAL,
        ),
        (
            head(1, *HEAD)
            + frames.frame(frames.DATA, 0, 1, framed(b"a", 1))
            + head(1, (b"grpc-status", b"0"), end=True),
            Code.INTERNAL,
        ),
        (head(1, *HEAD) + frames.frame(frames.DATA, 1, 1, framed(b"a")), Code.INTERNAL),
        (head(1, *HEAD, end=True), Code.INTERNAL),
        (head(1, (b":status", b"503"), end=True), Code.UNAVAILABLE),
        (head(1, (b":status", b"404"), end=True), Code.UNIMPLEMENTED),
        (head(1, (b":status", b"418"), end=True), Code.UNKNOWN),
        (head(1, (b":status", b"503")) + frames.frame(frames.DATA, 1, 1, b"<html>"), Code.UNAVAILABLE),
        (head(1, *HEAD) + head(1, *HEAD), Code.INTERNAL),
        (head(1, (b"x", b"y")), Code.INTERNAL),
        (frames.frame(frames.DATA, 0, 1, b"x" * 200), Code.INTERNAL),
        (head(1, *HEAD) + frames.frame(frames.DATA, 0, 1, b"\0\xff\xff\xff\xff"), Code.RESOURCE_EXHAUSTED),
        (frames.rst_stream(1, Reason.CANCEL), Code.CANCELLED),
        (frames.rst_stream(1, Reason.INTERNAL_ERROR), Code.INTERNAL),
        (frames.rst_stream(1, Reason.ENHANCE_YOUR_CALM), Code.RESOURCE_EXHAUSTED),
        (frames.frame(frames.RST_STREAM, 0, 1, b"\0\0\1\0"), Code.INTERNAL),
        (frames.window_update(1, 0), Code.INTERNAL),
        (frames.window_update(1, frames.MAX_WINDOW), Code.INTERNAL),
    ],
)
def test_what_is_no_proper_reply_is_an_error_of_the_call(wire: bytes, code: Code) -> None:
    outcome = ended(wire)
    assert isinstance(outcome, RpcError)
    assert outcome.code is code
    assert not isinstance(outcome, Unprocessed)


def test_informational_headers_are_skipped() -> None:
    wire = head(1, (b":status", b"103")) + head(1, *HEAD) + frames.frame(frames.DATA, 0, 1, framed(b"x"))
    assert ended(wire + head(1, (b"grpc-status", b"0"), end=True)) == b"x"


@pytest.mark.parametrize(
    "wire", [frames.rst_stream(1, Reason.REFUSED_STREAM), frames.goaway(0, Reason.NO_ERROR)]
)
def test_a_call_that_nobody_looked_at_is_told_apart(wire: bytes) -> None:
    assert isinstance(ended(wire), Unprocessed)


def test_after_goaway_calls_that_were_accepted_end_and_new_ones_go_elsewhere() -> None:
    end = calling()
    call = end.request("/x", b"", None)
    assert end.usable
    end.receive(frames.goaway(call, Reason.NO_ERROR), 0.0)
    assert not end.usable
    assert end.outcome(call) is None
    end.receive(
        head(1, *HEAD) + frames.frame(0, 0, 1, framed(b"x")) + head(1, (b"grpc-status", b"0"), end=True), 0.0
    )
    assert end.outcome(call) == b"x"


def test_frames_of_a_cancelled_call_are_ignored() -> None:
    end = calling()
    call = end.request("/x", b"", None)
    end.take()
    end.cancel(call)
    end.cancel(call)
    assert [frame.type for frame in read_frames(end.take())] == [frames.RST_STREAM]
    late = head(1, *HEAD) + frames.frame(0, 0, 1, framed(b"x")) + frames.window_update(1, 5)
    end.receive(late + head(1, (b"grpc-status", b"0"), end=True) + frames.rst_stream(1, Reason.CANCEL), 0.0)
    assert end.outcome(call) is None


def test_a_reply_before_the_end_of_the_request_stops_the_request() -> None:
    end = calling(start=frames.settings((frames.INITIAL_WINDOW_SIZE, 10)))
    call = end.request("/x", b"x" * 100, None)
    end.take()
    end.receive(head(1, *HEAD, (b"grpc-status", b"8"), end=True), 0.0)
    outcome = end.outcome(call)
    assert isinstance(outcome, RpcError)
    assert outcome.code is Code.RESOURCE_EXHAUSTED
    assert [frame.type for frame in read_frames(end.take())] == [frames.RST_STREAM]


def test_reply_headers_beyond_the_limit_fail_the_call() -> None:
    outcome = ended(head(1, *HEAD, (b"x", b"y" * 400)), Limits(header_list_bytes=300))
    assert isinstance(outcome, RpcError)
    assert outcome.code is Code.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("stream", [2, 3, 99])
def test_a_stream_that_was_never_opened_ends_the_connection(stream: int) -> None:
    end = calling()
    end.request("/x", b"", None)
    with pytest.raises(Http2Error):
        end.receive(head(stream, *HEAD), 0.0)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.builds(
            frames.frame,
            st.integers(0, 10),
            st.integers(0, 255),
            st.sampled_from([0, 1, 2, 3]),
            st.binary(max_size=30) | st.just(hpack.encode(*HEAD)),
        )
        | st.binary(max_size=40),
        max_size=12,
    )
)
def test_any_bytes_of_a_server_raise_nothing_but_the_protocols_own_error(pieces: list[bytes]) -> None:
    end = calling()
    calls = [end.request("/x", b"x" * 10, None) for _ in range(2)]
    try:
        for piece in pieces:
            end.receive(piece, 0.0)
    except Http2Error:
        return
    for call in calls:
        end.outcome(call)
    list(read_frames(end.take()[len(frames.PREFACE) :]))
