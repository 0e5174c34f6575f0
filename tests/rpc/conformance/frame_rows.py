"""RFC 9113 6: what each frame type requires, and flow control (5.2)."""

from tests.rpc.conformance.connection_rows import ACK, ANSWERED, BLOCK, PROTOCOL, SIZE
from tests.rpc.conformance.row import ConnectionEnds, Ignored, Row, Says, Sent, StreamEnds
from tests.rpc.wire import data, framed, headers, request

from csiproxy.rpc import frames, hpack
from csiproxy.rpc.frames import MAX_WINDOW, PREFACE, Reason
from csiproxy.rpc.limits import Limits

FLOW = (ConnectionEnds(Reason.FLOW_CONTROL_ERROR),)
PRIORITY = b"\0\0\0\0\x10"
ZERO = PREFACE + frames.settings((frames.INITIAL_WINDOW_SIZE, 0))


def padded(kind: int, flags: int, payload: bytes, padding: int) -> bytes:
    return frames.frame(kind, flags | frames.PADDED, 1, bytes((padding,)) + payload + bytes(padding))


DATA = (
    Row("RFC 9113 6.1", "DATA belongs to a stream.", "DATA on stream 0", data(b"x", 0), PROTOCOL),
    Row(
        "RFC 9113 6.1",
        "Padding is taken off.",
        "a padded message",
        headers() + padded(frames.DATA, frames.END_STREAM, framed(b"x"), 200),
        ANSWERED,
    ),
    Row(
        "RFC 9113 6.1",
        "Padding is shorter than the payload.",
        "padding as long as the payload",
        headers() + frames.frame(frames.DATA, frames.PADDED, 1, b"\x05" + bytes(4)),
        PROTOCOL,
    ),
    Row(
        "RFC 9113 6.1",
        "Padding is shorter than the payload.",
        "padding is all of the payload but its length",
        headers() + frames.frame(frames.DATA, frames.PADDED, 1, b"\x04" + bytes(4)) + data(framed(b"x")),
        ANSWERED,
    ),
    Row(
        "RFC 9113 4.2",
        "A frame has what its type requires.",
        "padded DATA without a padding's length",
        headers() + frames.frame(frames.DATA, frames.PADDED, 1),
        SIZE,
    ),
)

HEADERS = (
    Row("RFC 9113 6.2", "HEADERS belong to a stream.", "HEADERS on stream 0", headers(0), PROTOCOL),
    Row(
        "RFC 9113 6.2",
        "Padding and priority are taken off.",
        "a padded block with a priority",
        padded(frames.HEADERS, frames.END_HEADERS | frames.PRIORITIZED, PRIORITY + BLOCK, 9)
        + data(framed(b"x")),
        ANSWERED,
    ),
    Row(
        "RFC 9113 6.2",
        "Padding leaves room for the block.",
        "padding as long as the payload",
        frames.frame(frames.HEADERS, frames.END_HEADERS | frames.PADDED, 1, b"\x09" + bytes(8)),
        PROTOCOL,
    ),
    Row(
        "RFC 9113 6.2",
        "Padding leaves room for the block.",
        "padding that covers the priority",
        frames.frame(
            frames.HEADERS,
            frames.END_HEADERS | frames.PADDED | frames.PRIORITIZED,
            1,
            b"\x03" + PRIORITY + b"\0",
        ),
        PROTOCOL,
    ),
    Row(
        "RFC 9113 4.2",
        "A frame has what its type requires.",
        "HEADERS too short for their priority",
        frames.frame(frames.HEADERS, frames.END_HEADERS | frames.PRIORITIZED, 1, PRIORITY[:4]),
        SIZE,
    ),
)

PRIORITIES = (
    Row(
        "RFC 9113 6.3",
        "PRIORITY belongs to a stream.",
        "PRIORITY on stream 0",
        frames.frame(frames.PRIORITY, 0, 0, PRIORITY),
        PROTOCOL,
    ),
    *(
        Row(
            "RFC 9113 6.3",
            "PRIORITY has five bytes.",
            f"PRIORITY of {size} bytes",
            frames.frame(frames.PRIORITY, 0, 1, bytes(size)),
            SIZE,
        )
        for size in (4, 6)
    ),
    Row(
        "RFC 7540 5.3.1",
        "A stream does not depend on itself.",
        "PRIORITY that names its own stream",
        frames.frame(frames.PRIORITY, 0, 3, b"\0\0\0\x03\x10"),
        PROTOCOL,
    ),
    Row(
        "RFC 7540 5.3.1",
        "A stream does not depend on itself.",
        "HEADERS that name their own stream",
        frames.frame(frames.HEADERS, frames.END_HEADERS | frames.PRIORITIZED, 3, b"\x80\0\0\x03\x10" + BLOCK),
        PROTOCOL,
    ),
)

RESETS = (
    Row(
        "RFC 9113 6.4",
        "RST_STREAM belongs to a stream.",
        "RST_STREAM on stream 0",
        frames.rst_stream(0, Reason.CANCEL),
        PROTOCOL,
    ),
    *(
        Row(
            "RFC 9113 6.4",
            "RST_STREAM has four bytes.",
            f"RST_STREAM of {size} bytes",
            headers() + frames.frame(frames.RST_STREAM, 0, 1, bytes(size)),
            SIZE,
        )
        for size in (3, 5)
    ),
    Row(
        "RFC 9113 6.4",
        "RST_STREAM ends the call; nothing is said to it.",
        "a request that is reset",
        headers() + data(b"\0", end=False) + frames.rst_stream(1, Reason.CANCEL),
        (Ignored(),),
    ),
    Row(
        "RFC 9113 7",
        "Unknown error codes have no special meaning.",
        "RST_STREAM with an unknown code",
        headers() + frames.frame(frames.RST_STREAM, 0, 1, b"\xde\xad\xbe\xef"),
        (Ignored(),),
    ),
)


def setting(name: int, value: int) -> bytes:
    return frames.settings((name, value))


SETTINGS = (
    Row(
        "RFC 9113 6.5",
        "SETTINGS belong to the connection.",
        "SETTINGS on stream 1",
        frames.frame(frames.SETTINGS, 0, 1),
        PROTOCOL,
    ),
    Row(
        "RFC 9113 6.5",
        "An acknowledgement has no payload.",
        "an acknowledgement with a setting",
        frames.frame(frames.SETTINGS, frames.ACK, 0, bytes(6)),
        SIZE,
        h2="names PROTOCOL_ERROR",
    ),
    Row(
        "RFC 9113 6.5",
        "SETTINGS are a multiple of six bytes.",
        "SETTINGS of five bytes",
        frames.frame(frames.SETTINGS, 0, 0, bytes(5)),
        SIZE,
    ),
    Row(
        "RFC 9113 6.5.3",
        "Each SETTINGS frame is acknowledged.",
        "SETTINGS three times",
        frames.settings() * 2,
        (Says("SETTINGS with ACK", ACK.frame, 3),),
    ),
    Row(
        "RFC 9113 6.5.2",
        "Unknown settings are ignored.",
        "SETTINGS with number 0xfafa",
        setting(0xFAFA, 0xFFFFFFFF) + request(b"x"),
        ANSWERED,
    ),
    Row(
        "RFC 9113 6.5.2",
        "ENABLE_PUSH is 0 or 1.",
        "ENABLE_PUSH 2",
        setting(frames.ENABLE_PUSH, 2),
        PROTOCOL,
    ),
    Row(
        "RFC 9113 6.5.2",
        "ENABLE_PUSH is 0 or 1.",
        "ENABLE_PUSH 0 and 1",
        setting(frames.ENABLE_PUSH, 0) + setting(frames.ENABLE_PUSH, 1) + request(b"x"),
        ANSWERED,
    ),
    Row(
        "RFC 9113 6.5.2",
        "INITIAL_WINDOW_SIZE is at most 2^31-1.",
        "INITIAL_WINDOW_SIZE 2^31",
        setting(frames.INITIAL_WINDOW_SIZE, MAX_WINDOW + 1),
        FLOW,
    ),
    *(
        Row(
            "RFC 9113 6.5.2",
            "MAX_FRAME_SIZE is 2^14 to 2^24-1.",
            f"MAX_FRAME_SIZE {size}",
            setting(frames.MAX_FRAME_SIZE, size),
            PROTOCOL,
        )
        for size in (0, 16383, 1 << 24)
    ),
    Row(
        "RFC 9113 6.5.2",
        "MAX_FRAME_SIZE is 2^14 to 2^24-1.",
        "MAX_FRAME_SIZE 16384 and 16777215",
        setting(frames.MAX_FRAME_SIZE, 16384) + setting(frames.MAX_FRAME_SIZE, (1 << 24) - 1) + request(b"x"),
        ANSWERED,
    ),
    Row(
        "RFC 9113 6.5.2",
        "The other settings take any value.",
        "each of them as small and as large as can be",
        b"".join(
            setting(name, value)
            for name in (frames.HEADER_TABLE_SIZE, frames.MAX_CONCURRENT_STREAMS, frames.MAX_HEADER_LIST_SIZE)
            for value in (0, 0xFFFFFFFF)
        )
        + request(b"x"),
        ANSWERED,
    ),
    Row(
        "RFC 9113 6.5",
        "Of a setting that is given twice the last value counts.",
        "a window of 0, then of 99",
        request(b"x"),
        ANSWERED,
        opening=PREFACE + frames.settings((frames.INITIAL_WINDOW_SIZE, 0), (frames.INITIAL_WINDOW_SIZE, 99)),
    ),
)

OTHERS = (
    Row(
        "RFC 9113 8.4",
        "A client does not push.",
        "PUSH_PROMISE",
        headers() + frames.frame(frames.PUSH_PROMISE, 4, 1, b"\0\0\0\x02" + BLOCK),
        PROTOCOL,
    ),
    Row(
        "RFC 9113 6.7",
        "PING is answered with its payload.",
        "PING",
        frames.frame(frames.PING, 0, 0, b"12345678"),
        (Says("PING with ACK", frames.frame(frames.PING, frames.ACK, 0, b"12345678")),),
    ),
    Row(
        "RFC 9113 6.7",
        "An answer is not answered.",
        "PING with ACK",
        frames.frame(frames.PING, frames.ACK, 0, b"12345678"),
        (Ignored(),),
    ),
    Row(
        "RFC 9113 6.7",
        "PING belongs to the connection.",
        "PING on stream 1",
        frames.frame(frames.PING, 0, 1, bytes(8)),
        PROTOCOL,
    ),
    *(
        Row(
            "RFC 9113 6.7",
            "PING has eight bytes.",
            f"PING of {size} bytes",
            frames.frame(frames.PING, 0, 0, bytes(size)),
            SIZE,
        )
        for size in (7, 9)
    ),
    Row(
        "RFC 9113 6.8",
        "GOAWAY belongs to the connection.",
        "GOAWAY on stream 1",
        frames.frame(frames.GOAWAY, 0, 1, bytes(8)),
        PROTOCOL,
    ),
    Row(
        "RFC 9113 4.2",
        "A frame has what its type requires.",
        "GOAWAY of seven bytes",
        frames.frame(frames.GOAWAY, 0, 0, bytes(7)),
        SIZE,
    ),
    Row(
        "RFC 9113 6.8",
        "Streams that were open at GOAWAY are served.",
        "GOAWAY with text, behind a call's headers",
        headers() + frames.frame(frames.GOAWAY, 0, 0, bytes(8) + b"bye") + data(framed(b"x")),
        ANSWERED,
        h2="takes nothing behind GOAWAY",
    ),
    Row(
        "RFC 9113 6.8",
        "GOAWAY names the last stream that was looked at.",
        "calls on 1 and 5, then an error",
        request(b"", 1) + request(b"", 5) + data(b"", 0),
        (ConnectionEnds(Reason.PROTOCOL_ERROR, 5),),
    ),
    Row(
        "RFC 9113 6.8",
        "GOAWAY names the last stream that was looked at.",
        "an error before any stream",
        data(b"", 0),
        (ConnectionEnds(Reason.PROTOCOL_ERROR, 0),),
    ),
    Row(
        "RFC 9113 6.10",
        "CONTINUATION goes on with a header block.",
        "CONTINUATION behind a complete block",
        headers() + frames.frame(frames.CONTINUATION, 4, 1),
        PROTOCOL,
    ),
    Row(
        "RFC 9113 6.10",
        "CONTINUATION belongs to a stream.",
        "CONTINUATION on stream 0",
        headers(last=False) + frames.frame(frames.CONTINUATION, 4, 0),
        PROTOCOL,
    ),
)

TEN = Sent("ten bytes", framed(bytes(30))[:10])
WINDOWS = (
    Row(
        "RFC 9113 6.9",
        "WINDOW_UPDATE by zero is an error.",
        "WINDOW_UPDATE by zero of the connection",
        frames.window_update(0, 0),
        PROTOCOL,
    ),
    Row(
        "RFC 9113 6.9",
        "WINDOW_UPDATE by zero is an error.",
        "WINDOW_UPDATE by zero of a stream",
        headers() + frames.window_update(1, 0),
        (StreamEnds(Reason.PROTOCOL_ERROR),),
        h2="ends the connection",
    ),
    Row(
        "RFC 9113 6.9",
        "The reserved bit of an increment is ignored.",
        "only the reserved bit is set",
        frames.frame(frames.WINDOW_UPDATE, 0, 0, b"\x80\0\0\0"),
        PROTOCOL,
    ),
    *(
        Row(
            "RFC 9113 6.9",
            "WINDOW_UPDATE has four bytes.",
            f"WINDOW_UPDATE of {size} bytes",
            frames.frame(frames.WINDOW_UPDATE, 0, 0, bytes(size)),
            SIZE,
        )
        for size in (3, 5)
    ),
    Row(
        "RFC 9113 6.9.1",
        "No window exceeds 2^31-1.",
        "the connection's window exceeds it",
        frames.window_update(0, MAX_WINDOW),
        FLOW,
    ),
    Row(
        "RFC 9113 6.9.1",
        "No window exceeds 2^31-1.",
        "a stream's window exceeds it",
        headers() + frames.window_update(1, MAX_WINDOW),
        (StreamEnds(Reason.FLOW_CONTROL_ERROR),),
    ),
    Row(
        "RFC 9113 6.9.2",
        "No window exceeds 2^31-1.",
        "INITIAL_WINDOW_SIZE makes a stream's window exceed it",
        headers() + frames.window_update(1, MAX_WINDOW - 65535) + setting(frames.INITIAL_WINDOW_SIZE, 65536),
        FLOW,
    ),
    Row(
        "RFC 9113 6.9.1",
        "What is sent stays within both windows.",
        "a stream's window of 10",
        request(bytes(30)),
        (TEN,),
        opening=PREFACE + setting(frames.INITIAL_WINDOW_SIZE, 10),
    ),
    Row(
        "RFC 9113 6.9.1",
        "A window that opens lets the rest go.",
        "a window of 0 and an update of 99",
        request(b"x") + frames.window_update(1, 99),
        ANSWERED,
        opening=ZERO,
    ),
    Row(
        "RFC 9113 6.9.2",
        "INITIAL_WINDOW_SIZE moves the windows of open streams.",
        "a window of 0, then of 99",
        request(b"x") + setting(frames.INITIAL_WINDOW_SIZE, 99),
        ANSWERED,
        opening=ZERO,
    ),
    Row(
        "RFC 9113 6.9.2",
        "A window may become negative and has to recover first.",
        "a window of 10, all used, then of 0, with an update of 10",
        request(bytes(30)),
        (TEN,),
        opening=PREFACE + setting(frames.INITIAL_WINDOW_SIZE, 10),
        first=TEN,
        then=setting(frames.INITIAL_WINDOW_SIZE, 0) + frames.window_update(1, 10),
    ),
    Row(
        "RFC 9113 6.9.2",
        "A window may become negative and has to recover first.",
        "the same with an update of 15",
        request(bytes(30)),
        (Sent("15 bytes", framed(bytes(30))[:15]),),
        opening=PREFACE + setting(frames.INITIAL_WINDOW_SIZE, 10),
        first=TEN,
        then=setting(frames.INITIAL_WINDOW_SIZE, 0) + frames.window_update(1, 15),
    ),
    Row(
        "RFC 9113 6.9",
        "Headers are not subject to flow control.",
        "a status with windows of 0",
        headers(1, (b"grpc-encoding", b"gzip"), end=True),
        (
            Says(
                "trailers only",
                frames.frame(
                    frames.HEADERS,
                    5,
                    1,
                    hpack.encode(
                        (b":status", b"200"),
                        (b"content-type", b"application/grpc"),
                        (b"grpc-status", b"12"),
                        (b"grpc-message", b"compressed messages are not supported; send identity"),
                        (b"grpc-accept-encoding", b"identity"),
                    ),
                ),
                stream=1,
            ),
        ),
        opening=ZERO,
    ),
    Row(
        "RFC 9113 6.9.1",
        "DATA beyond a stream's window is an error of the stream.",
        "padding beyond the stream's window",
        headers() + data(framed(bytes(900))[:200], end=False) + padded(frames.DATA, 0, b"", 255) * 300,
        (StreamEnds(Reason.FLOW_CONTROL_ERROR),),
        h2="leaves windows of this size to its caller",
        limits=Limits(message_bytes=1000),
    ),
)

ROWS = (*DATA, *HEADERS, *PRIORITIES, *RESETS, *SETTINGS, *OTHERS, *WINDOWS)
