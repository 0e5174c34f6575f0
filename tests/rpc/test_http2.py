"""What both ends refuse alike."""

import pytest
from tests.rpc.wire import START, headers, read_frames

from csiproxy.rpc import frames
from csiproxy.rpc.allowance import Budget
from csiproxy.rpc.client_protocol import ClientConnection
from csiproxy.rpc.frames import Http2Error, Reason
from csiproxy.rpc.http2 import Http2
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.protocol import ServerConnection

LIMITS = Limits()


def serving() -> ServerConnection:
    end = ServerConnection(LIMITS, Budget(LIMITS.buffered_bytes), 0.0)
    end.receive(START, 0.0)
    return end


def calling() -> ClientConnection:
    end = ClientConnection(LIMITS, 0.0, "localhost")
    end.receive(frames.settings(), 0.0)
    return end


ENDS = pytest.mark.parametrize("make", [serving, calling])

VIOLATIONS = {
    "frame larger than allowed": (frames.frame_head(16385, frames.DATA, 0, 1), Reason.FRAME_SIZE_ERROR),
    "data without a stream": (frames.frame(frames.DATA, 0, 0, b"x"), Reason.PROTOCOL_ERROR),
    "data that is all padding": (frames.frame(frames.DATA, 8, 1, b"\x05abc"), Reason.PROTOCOL_ERROR),
    "padded data without a length": (frames.frame(frames.DATA, 8, 1), Reason.FRAME_SIZE_ERROR),
    "headers without a stream": (frames.frame(frames.HEADERS, 4, 0), Reason.PROTOCOL_ERROR),
    "headers too short for their priority": (
        frames.frame(frames.HEADERS, 0x24, 1, b"ab"),
        Reason.FRAME_SIZE_ERROR,
    ),
    "headers that depend on themselves": (
        frames.frame(frames.HEADERS, 0x24, 1, b"\0\0\0\x01\0"),
        Reason.PROTOCOL_ERROR,
    ),
    "headers that are no HPACK": (frames.frame(frames.HEADERS, 4, 1, b"\x80"), Reason.COMPRESSION_ERROR),
    "continuation of nothing": (frames.frame(frames.CONTINUATION, 4, 1), Reason.PROTOCOL_ERROR),
    "header block interrupted": (
        headers(last=False) + frames.frame(frames.PING, 0, 0, bytes(8)),
        Reason.PROTOCOL_ERROR,
    ),
    "header block continued on another stream": (
        headers(last=False) + frames.frame(frames.CONTINUATION, 4, 3),
        Reason.PROTOCOL_ERROR,
    ),
    "priority without a stream": (frames.frame(frames.PRIORITY, 0, 0, bytes(5)), Reason.PROTOCOL_ERROR),
    "priority of a wrong size": (frames.frame(frames.PRIORITY, 0, 1, bytes(4)), Reason.FRAME_SIZE_ERROR),
    "priority on itself": (frames.frame(frames.PRIORITY, 0, 9, b"\0\0\0\x09\0"), Reason.PROTOCOL_ERROR),
    "reset without a stream": (frames.frame(frames.RST_STREAM, 0, 0, bytes(4)), Reason.PROTOCOL_ERROR),
    "reset of a wrong size": (frames.frame(frames.RST_STREAM, 0, 1, bytes(3)), Reason.FRAME_SIZE_ERROR),
    "settings on a stream": (frames.frame(frames.SETTINGS, 0, 1), Reason.PROTOCOL_ERROR),
    "settings of a wrong size": (frames.frame(frames.SETTINGS, 0, 0, bytes(5)), Reason.FRAME_SIZE_ERROR),
    "settings answer with a body": (frames.frame(frames.SETTINGS, 1, 0, bytes(6)), Reason.FRAME_SIZE_ERROR),
    "initial window too large": (frames.settings((4, 2**31)), Reason.FLOW_CONTROL_ERROR),
    "frame size too small": (frames.settings((5, 16383)), Reason.PROTOCOL_ERROR),
    "frame size too large": (frames.settings((5, 1 << 24)), Reason.PROTOCOL_ERROR),
    "push neither on nor off": (frames.settings((2, 2)), Reason.PROTOCOL_ERROR),
    "push promise": (frames.frame(frames.PUSH_PROMISE, 4, 1, bytes(4)), Reason.PROTOCOL_ERROR),
    "ping on a stream": (frames.frame(frames.PING, 0, 1, bytes(8)), Reason.PROTOCOL_ERROR),
    "ping of a wrong size": (frames.frame(frames.PING, 0, 0, bytes(7)), Reason.FRAME_SIZE_ERROR),
    "goaway on a stream": (frames.frame(frames.GOAWAY, 0, 1, bytes(8)), Reason.PROTOCOL_ERROR),
    "goaway too short": (frames.frame(frames.GOAWAY, 0, 0, bytes(7)), Reason.FRAME_SIZE_ERROR),
    "window update of a wrong size": (
        frames.frame(frames.WINDOW_UPDATE, 0, 0, bytes(3)),
        Reason.FRAME_SIZE_ERROR,
    ),
    "window update by zero": (frames.window_update(0, 0), Reason.PROTOCOL_ERROR),
    "window overflow": (frames.window_update(0, 2**31 - 1), Reason.FLOW_CONTROL_ERROR),
}


@ENDS
@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_ends_the_connection_with_its_reason(make, name: str) -> None:
    wire, reason = VIOLATIONS[name]
    with pytest.raises(Http2Error) as caught:
        make().receive(wire, 0.0)
    assert caught.value.reason is reason


@ENDS
def test_settings_and_pings_are_answered(make) -> None:
    end: Http2 = make()
    end.take()
    end.receive(
        frames.settings((1, 0), (3, 5), (0x99, 7)) + frames.frame(frames.PING, 0, 0, b"12345678"), 0.0
    )  # type: ignore[attr-defined]
    settings, ping = read_frames(end.take())
    assert (settings.type, set(settings.flags)) == (frames.SETTINGS, {"ACK"})
    assert (ping.type, set(ping.flags), ping.opaque_data) == (frames.PING, {"ACK"}, b"12345678")


@ENDS
def test_the_reserved_bit_of_a_stream_id_is_ignored(make) -> None:
    end = make()
    end.take()
    end.receive(frames.frame(frames.PING, 0, 0x80000000, bytes(8)), 0.0)
    assert [frame.type for frame in read_frames(end.take())] == [frames.PING]


@ENDS
def test_what_is_queued_can_be_counted(make) -> None:
    end = make()
    end.take()
    assert end.queued() == 0
    end.receive(frames.frame(frames.PING, 0, 0, bytes(8)), 0.0)
    assert end.queued() == 17
    assert len(end.take()) == 17
    assert end.take() == b""


@pytest.mark.parametrize(
    "wire",
    [b"GET / HTTP/1.1\r\n", b"G", b"PRI * HTTP/1.1", b"\x16\x03\x01\x02\x00\x01\x00\x01", b"\0" * 9],
    ids=["HTTP/1.1", "its first byte", "almost the preface", "TLS", "zeros"],
)
def test_what_does_not_begin_with_the_preface_is_refused_at_once(wire: bytes) -> None:
    end = ServerConnection(LIMITS, Budget(1), 0.0)
    end.take()
    with pytest.raises(Http2Error):
        end.receive(wire, 0.0)
    assert [frame.type for frame in read_frames(end.take())] == [frames.GOAWAY]


@pytest.mark.parametrize(
    "first", [frames.frame(frames.PING, 0, 0, bytes(8)), headers(), frames.frame(frames.SETTINGS, 1, 0)]
)
def test_the_first_frame_has_to_be_settings(first: bytes) -> None:
    end = ServerConnection(LIMITS, Budget(1), 0.0)
    assert not end.settled
    with pytest.raises(Http2Error):
        end.receive(frames.PREFACE + first, 0.0)


def test_the_peer_may_not_overrun_the_connections_window() -> None:
    end = serving()
    end.receive(headers(1, (b"grpc-encoding", b"gzip")), 0.0)
    for _ in range(600):  # twice the window, which comes back as it is used
        end.receive(frames.frame(frames.DATA, 0, 1, bytes(16384)), 0.0)
    updates = [
        frame.window_increment for frame in read_frames(end.take()) if frame.type == frames.WINDOW_UPDATE
    ]
    assert sum(updates) > 600 * 16384 - 4 * 1024 * 1024
