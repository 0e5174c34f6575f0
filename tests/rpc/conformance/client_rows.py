"""What our calling end does with a server's frames: RFC 9113, RFC 7541 and gRPC's reading of them."""

from dataclasses import dataclass

from tests.rpc.wire import data, framed

from csiproxy.errors import Code
from csiproxy.rpc import frames, hpack
from csiproxy.rpc.frames import FRAME_BYTES, MAX_WINDOW, Reason

HEAD = ((b":status", b"200"), (b"content-type", b"application/grpc"))
OK = (b"grpc-status", b"0")
START = frames.settings()


@dataclass(frozen=True, slots=True)
class ClientRow:
    """``wire`` is what the server says to the one call that it got, behind its SETTINGS.

    ``outcome`` is the reply, or the status of the call.  ``ends`` is the reason of our GOAWAY, ``resets``
    that of our RST_STREAM, None for none.
    """

    section: str
    rule: str
    when: str
    wire: bytes
    outcome: bytes | Code
    ends: Reason | None = None
    resets: Reason | None = None
    opening: bytes = START

    @property
    def name(self) -> str:
        return f"{self.section}: {self.when}"


def head(*extra: tuple[bytes, bytes], fields=HEAD, stream: int = 1, end: bool = False) -> bytes:
    flags = frames.END_HEADERS | (frames.END_STREAM if end else 0)
    return frames.frame(frames.HEADERS, flags, stream, hpack.encode(*fields, *extra))


def trailers(*fields: tuple[bytes, bytes]) -> bytes:
    return head(fields=fields, end=True)


MESSAGE = data(framed(b"reply"), end=False)
GOOD = head() + MESSAGE + trailers(OK)


def broken(
    section: str, rule: str, when: str, wire: bytes, reason: Reason, opening: bytes = START
) -> ClientRow:
    """The connection ends."""
    return ClientRow(section, rule, when, wire, Code.UNAVAILABLE, ends=reason, opening=opening)


def malformed(rule: str, when: str, wire: bytes, section: str = "RFC 9113 8.1.1") -> ClientRow:
    """The response is malformed: its stream is reset."""
    return ClientRow(section, rule, when, wire, Code.INTERNAL, resets=Reason.PROTOCOL_ERROR)


PROTOCOL, SIZE, FLOW = Reason.PROTOCOL_ERROR, Reason.FRAME_SIZE_ERROR, Reason.FLOW_CONTROL_ERROR

CONNECTION = (
    broken(
        "RFC 9113 3.4",
        "A server begins with SETTINGS.",
        "HTTP/1.1",
        b"",
        SIZE,
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ),
    broken(
        "RFC 9113 3.4",
        "A server begins with SETTINGS.",
        "PING first",
        b"",
        PROTOCOL,
        frames.frame(frames.PING, 0, 0, bytes(8)),
    ),
    broken(
        "RFC 9113 3.4",
        "A server begins with SETTINGS.",
        "only an acknowledgement",
        GOOD,
        PROTOCOL,
        frames.frame(frames.SETTINGS, frames.ACK, 0),
    ),
    broken(
        "RFC 9113 4.2",
        "No frame is larger than we allow.",
        "DATA of 16385 bytes",
        head() + frames.frame(frames.DATA, 0, 1, bytes(FRAME_BYTES + 1)),
        SIZE,
    ),
    ClientRow(
        "RFC 9113 4.1",
        "Unknown frames are ignored.",
        "unknown frames among a reply's",
        frames.frame(0xFA, 0, 0) + head() + frames.frame(0xFA, 0, 1, b"x") + MESSAGE + trailers(OK),
        b"reply",
    ),
    broken(
        "RFC 9113 4.3",
        "Nothing stands inside a header block.",
        "PING inside a block",
        frames.frame(frames.HEADERS, 0, 1, hpack.encode(*HEAD)) + frames.frame(frames.PING, 0, 0, bytes(8)),
        PROTOCOL,
    ),
    broken(
        "RFC 9113 4.3",
        "What is not HPACK ends the connection.",
        "index 0",
        frames.frame(frames.HEADERS, 4, 1, b"\x80"),
        Reason.COMPRESSION_ERROR,
    ),
    broken(
        "RFC 9113 5.1", "A server does not open streams.", "HEADERS on stream 3", head(stream=3), PROTOCOL
    ),
    broken(
        "RFC 9113 5.1", "A server does not open streams.", "HEADERS on stream 2", head(stream=2), PROTOCOL
    ),
    broken("RFC 9113 5.1", "A server does not open streams.", "DATA on stream 3", data(b"x", 3), PROTOCOL),
    broken(
        "RFC 9113 5.1",
        "A server does not open streams.",
        "RST_STREAM on stream 3",
        frames.rst_stream(3, Reason.CANCEL),
        PROTOCOL,
    ),
    broken(
        "RFC 9113 5.1",
        "A server does not open streams.",
        "WINDOW_UPDATE on stream 3",
        frames.window_update(3, 1),
        PROTOCOL,
    ),
    broken(
        "RFC 9113 6.6",
        "Without ENABLE_PUSH there is no PUSH_PROMISE.",
        "PUSH_PROMISE",
        frames.frame(frames.PUSH_PROMISE, 4, 1, b"\0\0\0\x02" + hpack.encode(*HEAD)),
        PROTOCOL,
    ),
    broken(
        "RFC 9113 6.5.2",
        "A server does not set ENABLE_PUSH to 1.",
        "ENABLE_PUSH 1",
        frames.settings((frames.ENABLE_PUSH, 1)),
        PROTOCOL,
    ),
    ClientRow(
        "RFC 9113 6.5.2",
        "A server may set ENABLE_PUSH to 0.",
        "ENABLE_PUSH 0",
        frames.settings((frames.ENABLE_PUSH, 0)) + GOOD,
        b"reply",
    ),
    broken(
        "RFC 9113 6.5.2",
        "INITIAL_WINDOW_SIZE is at most 2^31-1.",
        "INITIAL_WINDOW_SIZE 2^31",
        frames.settings((frames.INITIAL_WINDOW_SIZE, MAX_WINDOW + 1)),
        FLOW,
    ),
    broken(
        "RFC 9113 6.5.2",
        "MAX_FRAME_SIZE is 2^14 to 2^24-1.",
        "MAX_FRAME_SIZE 0",
        frames.settings((frames.MAX_FRAME_SIZE, 0)),
        PROTOCOL,
    ),
    broken(
        "RFC 9113 6.9.1",
        "No window exceeds 2^31-1.",
        "the connection's window exceeds it",
        frames.window_update(0, MAX_WINDOW),
        FLOW,
    ),
    broken(
        "RFC 9113 6.9",
        "WINDOW_UPDATE by zero is an error.",
        "by zero of the connection",
        frames.window_update(0, 0),
        PROTOCOL,
    ),
    ClientRow(
        "RFC 9113 6.9",
        "WINDOW_UPDATE by zero is an error.",
        "by zero of the call's stream",
        frames.window_update(1, 0),
        Code.INTERNAL,
        resets=PROTOCOL,
    ),
    ClientRow(
        "RFC 9113 6.9.1",
        "No window exceeds 2^31-1.",
        "the call's window exceeds it",
        frames.window_update(1, MAX_WINDOW),
        Code.INTERNAL,
        resets=FLOW,
    ),
    *(
        broken("RFC 9113 6", "Each frame type has its size and place.", when, wire, reason)
        for when, wire, reason in (
            ("DATA on stream 0", data(b"x", 0), PROTOCOL),
            ("HEADERS on stream 0", head(stream=0), PROTOCOL),
            ("RST_STREAM on stream 0", frames.rst_stream(0, Reason.CANCEL), PROTOCOL),
            ("RST_STREAM of 3 bytes", frames.frame(frames.RST_STREAM, 0, 1, bytes(3)), SIZE),
            ("SETTINGS on stream 1", frames.frame(frames.SETTINGS, 0, 1), PROTOCOL),
            ("SETTINGS of 5 bytes", frames.frame(frames.SETTINGS, 0, 0, bytes(5)), SIZE),
            ("PING of 7 bytes", frames.frame(frames.PING, 0, 0, bytes(7)), SIZE),
            ("PING on stream 1", frames.frame(frames.PING, 0, 1, bytes(8)), PROTOCOL),
            ("GOAWAY of 7 bytes", frames.frame(frames.GOAWAY, 0, 0, bytes(7)), SIZE),
            ("GOAWAY on stream 1", frames.frame(frames.GOAWAY, 0, 1, bytes(8)), PROTOCOL),
            ("WINDOW_UPDATE of 3 bytes", frames.frame(frames.WINDOW_UPDATE, 0, 0, bytes(3)), SIZE),
            ("CONTINUATION on its own", frames.frame(frames.CONTINUATION, 4, 1), PROTOCOL),
            (
                "padding as long as DATA",
                head() + frames.frame(frames.DATA, frames.PADDED, 1, b"\x03ab"),
                PROTOCOL,
            ),
        )
    ),
)

RESPONSES = (
    ClientRow("RFC 9113 8.1", "A response is headers, data and trailers.", "a reply", GOOD, b"reply"),
    ClientRow(
        "RFC 9113 8.1",
        "Informational responses may come before.",
        "100 and 103, then a reply",
        head(fields=[(b":status", b"100")]) + head(fields=[(b":status", b"103"), (b"x", b"y")]) + GOOD,
        b"reply",
    ),
    malformed(
        "An informational response does not end the stream.",
        "103 with END_STREAM",
        head(fields=[(b":status", b"103")], end=True),
        "RFC 9113 8.1",
    ),
    malformed("HTTP/2 has no status 101.", "101", head(fields=[(b":status", b"101")]), "RFC 9113 8.6"),
    *(
        malformed("A response has one status and no other pseudo-header.", when, wire, "RFC 9113 8.3.2")
        for when, wire in (
            ("no status", head(fields=[(b"x", b"y")])),
            ("two", head(fields=[HEAD[0], *HEAD])),
            ("behind a field", head(fields=[(b"x", b"y"), *HEAD])),
            ("no number", head(fields=[(b":status", b"2x0")])),
            ("a path", head(fields=[(b":path", b"/"), *HEAD])),
        )
    ),
    *(
        malformed(
            "The rules for names and values hold.",
            f"{name!r}: {value!r}",
            head((name, value)),
            "RFC 9113 8.2",
        )
        for name, value in (
            (b"Upper", b"x"),
            (b"", b"x"),
            (b"a b", b"x"),
            (b"x", b"a\nb"),
            (b"x", b"a\0"),
            (b"x", b" a"),
            (b"connection", b"close"),
            (b"transfer-encoding", b"chunked"),
        )
    ),
    malformed(
        "Trailers have no pseudo-headers.",
        "trailers with a status",
        head() + MESSAGE + trailers(HEAD[0], OK),
        "RFC 9113 8.1",
    ),
    malformed("Trailers end the stream.", "headers twice", head() + head(), "RFC 9113 8.1"),
    malformed("Headers come before data.", "DATA first", MESSAGE, "RFC 9113 8.1"),
    ClientRow(
        "RFC 9113 8.1.1",
        "content-length is the length of all DATA.",
        "one too many",
        head((b"content-length", b"11")) + MESSAGE + trailers(OK),
        Code.INTERNAL,
    ),
    ClientRow(
        "RFC 9113 8.1.1",
        "content-length is the length of all DATA.",
        "as many",
        head((b"content-length", b"10")) + MESSAGE + trailers(OK),
        b"reply",
    ),
    ClientRow(
        "RFC 9113 5.2",
        "The server stays within the call's window.",
        "more than a message",
        head(fields=[(b":status", b"500")]) + data(bytes(5 << 20), end=False),
        Code.INTERNAL,
        resets=FLOW,
    ),
)

GRPC = (
    ClientRow(
        "gRPC Responses",
        "An error may come as trailers only.",
        "NOT_FOUND in the only headers",
        head((b"grpc-status", b"5"), (b"grpc-message", b"gone"), end=True),
        Code.NOT_FOUND,
    ),
    ClientRow(
        "gRPC Responses",
        "An error may come behind a message.",
        "NOT_FOUND in the trailers",
        head() + MESSAGE + trailers((b"grpc-status", b"5")),
        Code.NOT_FOUND,
    ),
    *(
        ClientRow(
            "gRPC Responses",
            "A status that is no code is UNKNOWN.",
            f"grpc-status {status!r}",
            head((b"grpc-status", status), end=True),
            Code.UNKNOWN,
        )
        for status in (b"", b"17", b"-1", b"ok", b"100000000")
    ),
    *(
        ClientRow(
            "gRPC Responses",
            "Without a gRPC status the HTTP status decides.",
            f"HTTP status {status}",
            head(fields=[(b":status", b"%d" % status), (b"content-type", b"text/html")]) + data(b"<html>"),
            code,
        )
        for status, code in (
            (200, Code.UNKNOWN),
            (400, Code.INTERNAL),
            (401, Code.UNAUTHENTICATED),
            (403, Code.PERMISSION_DENIED),
            (404, Code.UNIMPLEMENTED),
            (418, Code.UNKNOWN),
            (429, Code.UNAVAILABLE),
            (502, Code.UNAVAILABLE),
            (503, Code.UNAVAILABLE),
            (504, Code.UNAVAILABLE),
        )
    ),
    *(
        ClientRow(
            "gRPC Length-Prefixed-Message",
            "A unary reply has exactly one message.",
            when,
            head() + wire + trailers(OK),
            Code.INTERNAL,
        )
        for when, wire in (
            ("none", b""),
            ("half of one", data(framed(b"reply")[:7], end=False)),
            ("two", data(framed(b"reply") * 2, end=False)),
            ("a compressed one", data(framed(b"x", 1), end=False)),
        )
    ),
    ClientRow(
        "gRPC Length-Prefixed-Message",
        "A reply larger than we take is RESOURCE_EXHAUSTED.",
        "2^32-1 bytes",
        head() + data(b"\0\xff\xff\xff\xff", end=False),
        Code.RESOURCE_EXHAUSTED,
        resets=Reason.CANCEL,
    ),
    *(
        ClientRow(
            "gRPC Errors",
            "RST_STREAM has its meaning as a status.",
            f"RST_STREAM {reason.name}",
            frames.rst_stream(1, reason),
            code,
        )
        for reason, code in (
            (Reason.NO_ERROR, Code.INTERNAL),
            (PROTOCOL, Code.INTERNAL),
            (Reason.INTERNAL_ERROR, Code.INTERNAL),
            (Reason.CANCEL, Code.CANCELLED),
            (Reason.ENHANCE_YOUR_CALM, Code.RESOURCE_EXHAUSTED),
            (Reason.INADEQUATE_SECURITY, Code.PERMISSION_DENIED),
        )
    ),
    ClientRow(
        "RFC 9113 7",
        "Unknown error codes have no special meaning.",
        "RST_STREAM with an unknown code",
        frames.frame(frames.RST_STREAM, 0, 1, b"\xde\xad\xbe\xef"),
        Code.INTERNAL,
    ),
    ClientRow(
        "RFC 9113 6.8",
        "A call that GOAWAY covers goes on.",
        "GOAWAY up to the call, then the reply",
        frames.goaway(1, Reason.NO_ERROR) + GOOD,
        b"reply",
    ),
    ClientRow(
        "RFC 9113 10.5.1",
        "A list larger than our MAX_HEADER_LIST_SIZE fails its call.",
        "trailers of 40,000 bytes",
        head()
        + frames.frame(frames.HEADERS, 1, 1, b"\x40\x01a\x7f\x81\x1e" + b"v" * 3968 + b"\xbe" * 9)
        + frames.frame(frames.CONTINUATION, 4, 1),
        Code.RESOURCE_EXHAUSTED,
        resets=Reason.CANCEL,
    ),
)

ROWS = (*CONNECTION, *RESPONSES, *GRPC)
