"""RFC 9113 3 to 5: the preface, frames, header blocks, and the states of streams."""

from tests.rpc.conformance.row import ConnectionEnds, Ignored, Replied, Row, Says, StreamEnds
from tests.rpc.wire import HEAD, data, framed, headers, request

from csiproxy.rpc import frames, hpack
from csiproxy.rpc.frames import FRAME_BYTES, PREFACE, Reason

PROTOCOL = (ConnectionEnds(Reason.PROTOCOL_ERROR),)
SIZE = (ConnectionEnds(Reason.FRAME_SIZE_ERROR),)
CLOSED = (ConnectionEnds(Reason.STREAM_CLOSED),)
ACK = Says("SETTINGS with ACK", frames.frame(frames.SETTINGS, frames.ACK, 0))
BLOCK = hpack.encode(*HEAD)
REMEMBERED = b"\x40\x06x-note\x04note"
NAMED = b"\xbe"
ANSWERED = (Replied(b"x"),)
TOO_MANY = b"".join(headers(stream) for stream in range(1, 201, 2))

PREFACES = (
    Row(
        "RFC 9113 3.4",
        "A connection begins with the client's preface.",
        "HTTP/1.1 instead of the preface",
        b"",
        PROTOCOL,
        opening=b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    Row(
        "RFC 9113 3.4",
        "A connection begins with the client's preface.",
        "one byte of the preface is wrong",
        frames.settings(),
        PROTOCOL,
        opening=PREFACE[:-1] + b"\r",
    ),
    Row(
        "RFC 9113 3.4",
        "SETTINGS, which may be empty, follow the preface at once.",
        "PING before SETTINGS",
        b"",
        PROTOCOL,
        opening=PREFACE + frames.frame(frames.PING, 0, 0, bytes(8)),
        h2="takes any frame first",
    ),
    Row(
        "RFC 9113 3.4",
        "SETTINGS, which may be empty, follow the preface at once.",
        "HEADERS before SETTINGS",
        b"",
        PROTOCOL,
        opening=PREFACE + request(),
        h2="takes any frame first",
    ),
    Row(
        "RFC 9113 3.4",
        "SETTINGS, which may be empty, follow the preface at once.",
        "only an acknowledgement of SETTINGS",
        b"",
        PROTOCOL,
        opening=PREFACE + frames.frame(frames.SETTINGS, frames.ACK, 0),
        h2="takes any frame first",
    ),
    Row(
        "RFC 9113 3.4",
        "The server's first frame is SETTINGS; the client's are acknowledged.",
        "empty SETTINGS",
        b"",
        (ACK,),
    ),
    Row(
        "RFC 9113 3.4",
        "A client may send requests before it has read the server's SETTINGS.",
        "a call right behind the preface",
        request(b"x"),
        ANSWERED,
    ),
)

FRAMES = (
    Row(
        "RFC 9113 4.1",
        "Frames of unknown types are ignored.",
        "unknown frames on the connection and a stream",
        frames.frame(0xFA, 0xFF, 0, b"any")
        + headers()
        + frames.frame(0x0A, 0, 1, bytes(99))
        + data(framed(b"x")),
        ANSWERED,
    ),
    Row(
        "RFC 9113 4.1",
        "Flags without a meaning for their type are ignored.",
        "all other flags are set",
        frames.frame(
            frames.HEADERS, 0xFF & ~(frames.END_STREAM | frames.PADDED | frames.PRIORITIZED), 1, BLOCK
        )
        + frames.frame(frames.DATA, 0xFF & ~frames.PADDED, 1, framed(b"x")),
        ANSWERED,
    ),
    Row(
        "RFC 9113 4.1",
        "The reserved bit of a stream's number is ignored.",
        "the reserved bit is set",
        headers(1 | 1 << 31) + data(framed(b"x"), 1 | 1 << 31),
        ANSWERED,
    ),
    *(
        Row(
            "RFC 9113 4.2",
            "A frame larger than SETTINGS_MAX_FRAME_SIZE ends the connection.",
            f"{name} of {FRAME_BYTES + 1} bytes",
            before + frames.frame(kind, 0, stream, bytes(FRAME_BYTES + 1)),
            SIZE,
        )
        for name, kind, stream, before in (
            ("DATA", frames.DATA, 1, headers()),
            ("HEADERS", frames.HEADERS, 1, b""),
            ("SETTINGS", frames.SETTINGS, 0, b""),
            ("an unknown frame", 0xFA, 0, b""),
        )
    ),
    Row(
        "RFC 9113 4.2",
        "A frame of SETTINGS_MAX_FRAME_SIZE is taken.",
        f"DATA of {FRAME_BYTES} bytes",
        headers() + data(framed(bytes(FRAME_BYTES - 5))),
        (Replied(bytes(FRAME_BYTES - 5)),),
    ),
    *(
        Row(
            "RFC 9113 4.3",
            "Nothing may stand between the frames of a header block.",
            f"{name} inside a block",
            headers(last=False) + between,
            PROTOCOL,
        )
        for name, between in (
            ("DATA", data(b"x")),
            ("HEADERS of another stream", headers(3)),
            ("HEADERS again", headers()),
            ("PING", frames.frame(frames.PING, 0, 0, bytes(8))),
            ("SETTINGS", frames.settings()),
            ("an unknown frame", frames.frame(0xFA, 0, 1)),
            ("CONTINUATION of another stream", frames.frame(frames.CONTINUATION, 4, 3)),
        )
    ),
    Row(
        "RFC 9113 4.3",
        "A header block may come in any fragments, empty ones too.",
        "a block in four fragments",
        frames.frame(frames.HEADERS, 0, 1, BLOCK[:1])
        + frames.frame(frames.CONTINUATION, 0, 1, b"")
        + frames.frame(frames.CONTINUATION, 0, 1, BLOCK[1:9])
        + frames.frame(frames.CONTINUATION, frames.END_HEADERS, 1, BLOCK[9:])
        + data(framed(b"x")),
        ANSWERED,
    ),
    Row(
        "RFC 9113 4.3",
        "Blocks of requests that are not served are decoded all the same.",
        "a refused request changes the dynamic table",
        TOO_MANY
        + frames.frame(frames.HEADERS, 5, 201, BLOCK + REMEMBERED)
        + frames.rst_stream(1, Reason.CANCEL)
        + frames.frame(frames.HEADERS, 4, 203, BLOCK + NAMED)
        + data(framed(b"x"), 203),
        (StreamEnds(Reason.REFUSED_STREAM, 201), Replied(b"x", 203)),
        h2="leaves the limit of streams to its caller",
    ),
)

STREAMS = (
    *(
        Row(
            "RFC 9113 5.1",
            "On an idle stream nothing but HEADERS and PRIORITY is allowed.",
            f"{name} on an idle stream",
            wire,
            PROTOCOL,
        )
        for name, wire in (
            ("DATA", data(b"x")),
            ("RST_STREAM", frames.rst_stream(1, Reason.CANCEL)),
            ("WINDOW_UPDATE", frames.window_update(1, 1)),
            ("CONTINUATION", frames.frame(9, 4, 1, BLOCK)),
        )
    ),
    Row(
        "RFC 9113 5.1",
        "On an idle stream nothing but HEADERS and PRIORITY is allowed.",
        "PRIORITY on an idle stream",
        frames.frame(frames.PRIORITY, 0, 1, b"\0\0\0\0\x10") + request(b"x"),
        ANSWERED,
    ),
    *(
        Row(
            "RFC 9113 5.1",
            "After END_STREAM neither DATA nor HEADERS may follow (a stream's error may end the "
            "connection, 5.4.1).",
            f"{name} behind END_STREAM",
            headers(end=True) + wire,
            CLOSED,
            h2="answers with RST_STREAM",
        )
        for name, wire in (("DATA", data(b"x")), ("HEADERS", headers(end=True)))
    ),
    *(
        Row(
            "RFC 9113 5.1",
            "After its RST_STREAM the client may send nothing but PRIORITY.",
            f"{name} behind RST_STREAM",
            headers() + frames.rst_stream(1, Reason.CANCEL) + wire,
            CLOSED,
            h2="answers with RST_STREAM",
        )
        for name, wire in (("DATA", data(b"x")), ("HEADERS", headers(end=True)))
    ),
    Row(
        "RFC 9113 5.1",
        "WINDOW_UPDATE, RST_STREAM and PRIORITY may arrive late.",
        "all three on a stream that has ended",
        headers()
        + frames.rst_stream(1, Reason.CANCEL)
        + frames.window_update(1, 9)
        + frames.rst_stream(1, Reason.CANCEL)
        + frames.frame(frames.PRIORITY, 0, 1, b"\0\0\0\0\x10"),
        (Ignored(),),
    ),
    Row(
        "RFC 9113 5.1",
        "What the client sent before it saw our RST_STREAM is ignored.",
        "the rest of a request that was reset",
        headers(1, (b"Upper", b""))
        + data(bytes(999), end=False)
        + frames.window_update(1, 5)
        + headers(1, head=[(b"x", b"y")], end=True)
        + request(b"x", 3),
        (StreamEnds(Reason.PROTOCOL_ERROR), Replied(b"x", 3)),
        h2="ends the connection for a malformed field",
    ),
    Row(
        "RFC 9113 5.1.1",
        "A client's streams have odd numbers.",
        "HEADERS on stream 2",
        headers(2),
        PROTOCOL,
    ),
    Row(
        "RFC 9113 5.1.1",
        "Numbers of new streams increase.",
        "HEADERS on 3 after 5",
        request(b"x", 5) + headers(3, end=True),
        CLOSED,
        h2="names PROTOCOL_ERROR",
    ),
    Row(
        "RFC 9113 5.1.1",
        "Numbers may be left out.",
        "calls on 7 and 2147483647",
        request(b"x", 7) + request(b"y", 0x7FFFFFFF),
        (Replied(b"x", 7), Replied(b"y", 0x7FFFFFFF)),
    ),
    Row(
        "RFC 9113 5.1.2",
        "No more streams are open than we allow.",
        "the 101st stream",
        TOO_MANY + headers(201),
        (StreamEnds(Reason.REFUSED_STREAM, 201),),
        h2="leaves the limit of streams to its caller",
    ),
    Row(
        "RFC 9113 5.1.2",
        "A closed stream makes room for another.",
        "the 101st stream, after one was reset",
        TOO_MANY + frames.rst_stream(1, Reason.CANCEL) + request(b"x", 201),
        (Replied(b"x", 201),),
    ),
    Row(
        "RFC 9113 5.5",
        "Unknown frames inside a header block end the connection.",
        "an unknown frame, then more",
        headers(last=False) + frames.frame(0x42, 0, 0) + frames.frame(frames.CONTINUATION, 4, 1),
        PROTOCOL,
    ),
)

ROWS = (*PREFACES, *FRAMES, *STREAMS)
