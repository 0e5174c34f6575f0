"""RFC 9113 8: requests as header lists, and what makes one malformed."""

from tests.rpc.conformance.connection_rows import ANSWERED
from tests.rpc.conformance.row import Http, Replied, Row, Status, StreamEnds
from tests.rpc.wire import HEAD, data, framed, headers, request

from csiproxy.errors import Code
from csiproxy.rpc import frames
from csiproxy.rpc.frames import Reason
from csiproxy.rpc.limits import Limits

MALFORMED = (StreamEnds(Reason.PROTOCOL_ERROR),)
CONNECTION = "ends the connection for a malformed request"
Fields = tuple[tuple[bytes, bytes], ...]


def having(*extra: tuple[bytes, bytes], head: Fields = HEAD) -> bytes:
    """A whole request with these fields."""
    return headers(1, *extra, head=head) + data(framed(b"x"))


def replaced(name: bytes, value: bytes) -> Fields:
    return tuple((known, value if known == name else old) for known, old in HEAD)


def without(name: bytes) -> Fields:
    return tuple(field for field in HEAD if field[0] != name)


def malformed(section: str, rule: str, when: str, wire: bytes, h2: str = CONNECTION) -> Row:
    """A row of a request that is malformed: its stream is reset, and the connection goes on."""
    return Row(section, rule, when, wire + request(b"y", 3), (*MALFORMED, Replied(b"y", 3)), h2=h2)


NAMES = (
    *(
        malformed(
            "RFC 9113 8.2.1", "Names are lower-case tokens.", f"the name {name!r}", having((name, b"v")), h2
        )
        for name, h2 in (
            (b"Upper", CONNECTION),
            (b"", CONNECTION),
            (b"a b", CONNECTION),
            (b"a\0", CONNECTION),
            (b"a\x7f", CONNECTION),
            (b"\xc3\xbc", CONNECTION),
            (b"a:b", CONNECTION),
            (b"a(b", "takes any visible character"),
        )
    ),
    *(
        malformed(
            "RFC 9113 8.2.1", "Values hold no NUL, CR or LF.", f"the value {value!r}", having((b"x", value))
        )
        for value in (b"a\0", b"a\r", b"a\n", b"\na")
    ),
    *(
        malformed(
            "RFC 9113 8.2.1",
            "Values neither begin nor end with a blank.",
            f"the value {value!r}",
            having((b"x", value)),
        )
        for value in (b" a", b"a ", b"\ta", b"a\t", b" ")
    ),
    *(
        malformed(
            "RFC 9113 8.2.1",
            "The rules for values hold for pseudo-headers, too.",
            f"the path {value!r}",
            having(head=replaced(b":path", value)),
        )
        for value in (b"/a\0", b"/a\n", b"/a ")
    ),
    Row(
        "RFC 9113 8.2.1",
        "Values may hold anything else.",
        "a value of all other bytes",
        having((b"x", b"!" + bytes(byte for byte in range(256) if byte not in b"\0\r\n") + b"!")),
        ANSWERED,
    ),
    *(
        malformed(
            "RFC 9113 8.2.2",
            "Fields of HTTP/1 connections do not belong here.",
            name.decode(),
            having((name, b"x")),
        )
        for name in (b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade")
    ),
    *(
        malformed(
            "RFC 9113 8.2.2",
            "te has no value but trailers.",
            when,
            having(*extra, head=head),
        )
        for when, extra, head in (
            ("te: gzip", (), replaced(b"te", b"gzip")),
            ("te: trailers, gzip", (), replaced(b"te", b"trailers, gzip")),
            ("te: trailers, and te: gzip", ((b"te", b"gzip"),), HEAD),
        )
    ),
)

PSEUDO = (
    *(
        malformed(
            "RFC 9113 8.3",
            "Pseudo-headers come first.",
            f"{name.decode()} behind a field",
            having(head=(*without(name), *(field for field in HEAD if field[0] == name))),
        )
        for name in (b":method", b":scheme", b":path", b":authority")
    ),
    *(
        malformed(
            "RFC 9113 8.3",
            "Each pseudo-header comes once.",
            f"{name.decode()} twice",
            having(head=(field, *HEAD)),
        )
        for field in HEAD[:4]
        for name in field[:1]
    ),
    *(
        malformed(
            "RFC 9113 8.3.1",
            "Requests have a method, a scheme and a path.",
            f"no {name.decode()}",
            having(head=without(name)),
        )
        for name in (b":method", b":scheme", b":path")
    ),
    malformed(
        "RFC 9113 8.3.1",
        "The path is not empty.",
        "an empty path",
        having(head=replaced(b":path", b"")),
    ),
    malformed(
        "RFC 9113 8.3.1",
        "The path begins with a slash.",
        "a path without one",
        having(head=replaced(b":path", b"v1.Disk/Rescan")),
        "leaves paths to its caller",
    ),
    Row(
        "RFC 9113 8.3.1",
        "The authority may be left out.",
        "no :authority",
        having(head=without(b":authority")),
        ANSWERED,
        h2="wants an authority",
    ),
    *(
        malformed(
            "RFC 9113 8.3",
            "Requests have no other pseudo-headers.",
            name.decode(),
            having(head=((name, b"200"), *HEAD)),
        )
        for name in (b":status", b":unknown", b":protocol")
    ),
    malformed(
        "RFC 9113 8.1",
        "Trailers have no pseudo-headers.",
        "trailers with a path",
        headers() + data(framed(b"x"), end=False) + headers(1, head=[(b":path", b"/")], end=True),
    ),
    malformed(
        "RFC 9113 8.1",
        "Trailers end the stream.",
        "trailers without END_STREAM",
        headers() + data(framed(b"x"), end=False) + headers(1, head=[(b"x", b"y")]),
    ),
    malformed(
        "RFC 9113 8.2.1",
        "The rules hold for trailers, too.",
        "trailers with an upper-case name",
        headers() + data(framed(b"x"), end=False) + headers(1, head=[(b"X", b"y")], end=True),
    ),
    Row(
        "RFC 9113 8.1",
        "Trailers may follow the message.",
        "trailers",
        headers() + data(framed(b"x"), end=False) + headers(1, head=[(b"x-sum", b"y")], end=True),
        ANSWERED,
    ),
    Row(
        "RFC 9113 8.5",
        "CONNECT has an authority, and neither scheme nor path.",
        "CONNECT as it should be",
        headers(head=((b":method", b"CONNECT"), (b":authority", b"localhost")), end=True),
        (Http(b"405"),),
    ),
    malformed(
        "RFC 9113 8.5",
        "CONNECT has an authority, and neither scheme nor path.",
        "CONNECT with a path",
        headers(head=replaced(b":method", b"CONNECT"), end=True),
        "leaves CONNECT to its caller",
    ),
)

LENGTHS = (
    *(
        malformed(
            "RFC 9113 8.1.1",
            "content-length is the length of all DATA.",
            f"content-length {length.decode()}",
            having((b"content-length", length)),
        )
        for length in (b"0", b"5", b"7")
    ),
    Row(
        "RFC 9113 8.1.1",
        "content-length is the length of all DATA.",
        "content-length 6 of a padded message",
        headers(1, (b"content-length", b"6"))
        + frames.frame(frames.DATA, 9, 1, b"\x03" + framed(b"x") + bytes(3)),
        ANSWERED,
    ),
    malformed(
        "RFC 9113 8.1.1",
        "content-length is the length of all DATA.",
        "content-length 6, and no DATA",
        headers(1, (b"content-length", b"6"), end=True),
    ),
    *(
        malformed(
            "RFC 9110 8.6",
            "content-length is one number.",
            when,
            having(*((b"content-length", length) for length in lengths)),
            h2,
        )
        for when, lengths, h2 in (
            ("content-length of words", (b"six",), CONNECTION),
            ("a negative one", (b"-6",), CONNECTION),
            ("two in one", (b"6, 6",), CONNECTION),
            ("two that differ", (b"6", b"7"), "takes the first"),
        )
    ),
    Row(
        "RFC 9113 8.1",
        "A server may answer before it has the whole request, and tells the client to stop.",
        "compressed messages are announced",
        headers(1, (b"grpc-encoding", b"gzip")),
        (Status(Code.UNIMPLEMENTED), StreamEnds(Reason.NO_ERROR)),
    ),
    Row(
        "RFC 9113 8.1.1",
        "A malformed request does not end the connection.",
        "malformed, and then a call",
        having((b"X", b"")) + request(b"y", 3),
        (*MALFORMED, Replied(b"y", 3)),
        h2=CONNECTION,
    ),
    Row(
        "RFC 9113 8.7",
        "A request that was not looked at is refused as such.",
        "the second of two streams",
        headers(1) + headers(3, end=True),
        (StreamEnds(Reason.REFUSED_STREAM, 3),),
        h2="leaves the limit of streams to its caller",
        limits=Limits(streams=1),
    ),
    Row(
        "RFC 9113 8.1",
        "The rest of a request that was answered early is ignored.",
        "compressed messages are announced, and sent",
        headers(1, (b"grpc-encoding", b"gzip")) + data(framed(b"x", 1)) + request(b"y", 3),
        (Status(Code.UNIMPLEMENTED), StreamEnds(Reason.NO_ERROR), Replied(b"y", 3)),
    ),
)

ROWS = (*NAMES, *PSEUDO, *LENGTHS)
