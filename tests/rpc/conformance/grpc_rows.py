"""gRPC over HTTP/2 (PROTOCOL-HTTP2 of the gRPC project), as the serving end of unary calls."""

from tests.rpc.conformance.connection_rows import ANSWERED
from tests.rpc.conformance.message_rows import having, replaced, without
from tests.rpc.conformance.row import Http, Replied, Row, Status, StreamEnds
from tests.rpc.wire import HEAD, data, framed, headers, request

from csiproxy.errors import Code
from csiproxy.rpc.frames import Reason, rst_stream
from csiproxy.rpc.limits import Limits

TIMEOUT = b"grpc-timeout"

REQUESTS = (
    Row(
        "gRPC Requests", "Calls use POST.", "GET", having(head=replaced(b":method", b"GET")), (Http(b"405"),)
    ),
    Row(
        "gRPC Requests",
        "Calls use POST.",
        "OPTIONS *",
        headers(head=(*replaced(b":method", b"OPTIONS")[:2], (b":path", b"*"), HEAD[3]), end=True),
        (Http(b"405"),),
    ),
    *(
        Row(
            "gRPC Requests",
            "A content-type that does not begin with application/grpc is refused with 415.",
            f"content-type {kind!r}",
            having(head=replaced(b"content-type", kind)),
            (Http(b"415"),),
        )
        for kind in (b"text/html", b"application/grpcx", b"application/json", b"")
    ),
    Row(
        "gRPC Requests",
        "A content-type that does not begin with application/grpc is refused with 415.",
        "no content-type",
        having(head=without(b"content-type")),
        (Http(b"415"),),
    ),
    Row(
        "gRPC Requests",
        "Messages are protobuf and nothing else.",
        "content-type application/grpc+json",
        having(head=replaced(b"content-type", b"application/grpc+json")),
        (Http(b"415"),),
    ),
    *(
        Row(
            "gRPC Requests",
            "Protobuf may be named.",
            f"content-type {kind.decode()}",
            having(head=replaced(b"content-type", kind)),
            ANSWERED,
        )
        for kind in (b"application/grpc+proto", b"application/grpc;charset=utf-8")
    ),
    Row(
        "gRPC Requests",
        "Clients send te: trailers; servers need not require it.",
        "no te",
        having(head=without(b"te")),
        ANSWERED,
    ),
    Row(
        "gRPC Requests",
        "The scheme may be http or https.",
        "https",
        having(head=replaced(b":scheme", b"https")),
        ANSWERED,
    ),
    Row(
        "gRPC Requests",
        "Metadata of applications is allowed, text and binary.",
        "both kinds",
        having((b"x-note", b"text"), (b"x-note-bin", b"AAECAw")),
        ANSWERED,
    ),
    Row(
        "gRPC Requests",
        "A method that is not there is UNIMPLEMENTED.",
        "a path longer than any method's",
        having(head=replaced(b":path", b"/" + b"p" * 600)),
        (Status(Code.UNIMPLEMENTED), StreamEnds(Reason.NO_ERROR)),
    ),
)

TIMEOUTS = (
    *(
        Row(
            "gRPC Requests",
            "grpc-timeout has up to eight digits and a unit.",
            f"grpc-timeout {value.decode()}",
            having((TIMEOUT, value)),
            ANSWERED,
        )
        for value in (b"99999999H", b"5M", b"5S", b"99999999m", b"99999999u", b"99999999n")
    ),
    *(
        Row(
            "gRPC Requests",
            "grpc-timeout has up to eight digits and a unit.",
            f"grpc-timeout {value!r}",
            headers(1, (TIMEOUT, value)),
            (Status(Code.INTERNAL), StreamEnds(Reason.NO_ERROR)),
        )
        for value in (b"", b"5", b"S", b"5s", b"-5S", b"5.5S", b"123456789S", b"5 S", b"5SS")
    ),
    Row(
        "gRPC Requests",
        "A call whose time is over ends with DEADLINE_EXCEEDED.",
        "grpc-timeout 0m of a call that hangs",
        headers(1, (TIMEOUT, b"0m"), head=replaced(b":path", b"/v1.A/Hang")) + data(framed(b"x")),
        (Status(Code.DEADLINE_EXCEEDED),),
    ),
)

MESSAGES = (
    *(
        Row(
            "gRPC Length-Prefixed-Message",
            "A message may come in any DATA frames.",
            when,
            headers() + b"".join(data(part, end=False) for part in parts) + data(last),
            (Replied(b"x" * 300),),
        )
        for when, parts, last in (
            ("in one frame", (), framed(b"x" * 300)),
            ("cut in its first five bytes", (framed(b"x" * 300)[:3],), framed(b"x" * 300)[3:]),
            ("its five bytes on their own", (framed(b"x" * 300)[:5],), b"x" * 300),
            ("with an empty frame behind", (framed(b"x" * 300),), b""),
            (
                "with empty frames before and between",
                (b"", framed(b"x" * 300)[:200], b""),
                framed(b"x" * 300)[200:],
            ),
        )
    ),
    Row(
        "gRPC Length-Prefixed-Message",
        "A message may be empty.",
        "five zero bytes",
        request(b""),
        (Replied(b""),),
    ),
    Row(
        "gRPC Length-Prefixed-Message",
        "A message may be larger than a frame.",
        "60,000 bytes to and fro",
        request(bytes(60_000)),
        (Replied(bytes(60_000)),),
    ),
    *(
        Row(
            "gRPC Length-Prefixed-Message",
            "A unary call has exactly one message.",
            when,
            headers() + wire,
            (Status(code),),
        )
        for when, wire, code in (
            ("no message", data(b""), Code.UNIMPLEMENTED),
            ("two messages", data(framed(b"x") * 2), Code.UNIMPLEMENTED),
            ("a message and a half", data(framed(b"x") + framed(b"y")[:4]), Code.UNIMPLEMENTED),
            ("half a message", data(framed(b"xy")[:6]), Code.INTERNAL),
            ("half of the five bytes", data(framed(b"xy")[:3]), Code.INTERNAL),
        )
    ),
    Row(
        "gRPC Length-Prefixed-Message",
        "A unary call has exactly one message.",
        "no message, and no DATA",
        headers(end=True),
        (Status(Code.UNIMPLEMENTED),),
    ),
    Row(
        "gRPC Length-Prefixed-Message",
        "A compressed message without grpc-encoding is INTERNAL.",
        "the compressed flag is 1",
        headers() + data(framed(b"x", 1)),
        (Status(Code.INTERNAL),),
    ),
    Row(
        "gRPC Length-Prefixed-Message",
        "The compressed flag is 0 or 1.",
        "the compressed flag is 2",
        headers() + data(framed(b"x", 2)),
        (Status(Code.INTERNAL),),
    ),
    Row(
        "gRPC Length-Prefixed-Message",
        "A message larger than the receiver takes is RESOURCE_EXHAUSTED.",
        "2^32-1 bytes are announced",
        headers() + data(b"\0\xff\xff\xff\xff", end=False),
        (Status(Code.RESOURCE_EXHAUSTED), StreamEnds(Reason.NO_ERROR)),
    ),
    Row(
        "gRPC Length-Prefixed-Message",
        "A message larger than the receiver takes is RESOURCE_EXHAUSTED.",
        "one byte more than the limit",
        headers() + data(framed(bytes(1001))),
        (Status(Code.RESOURCE_EXHAUSTED),),
        limits=Limits(message_bytes=1000),
    ),
    Row(
        "gRPC Length-Prefixed-Message",
        "A message larger than the receiver takes is RESOURCE_EXHAUSTED.",
        "as many bytes as the limit",
        request(bytes(1000)),
        (Replied(bytes(1000)),),
        limits=Limits(message_bytes=1000),
    ),
    *(
        Row(
            "gRPC Compression",
            "An encoding that is not supported is UNIMPLEMENTED, and the supported ones are named.",
            f"grpc-encoding {name}",
            headers(1, (b"grpc-encoding", name.encode()), end=True),
            (Status(Code.UNIMPLEMENTED, fields=((b"grpc-accept-encoding", b"identity"),)),),
        )
        for name in ("gzip", "unheard-of")
    ),
    Row(
        "gRPC Compression",
        "identity is no compression.",
        "grpc-encoding identity",
        having((b"grpc-encoding", b"identity"), (b"grpc-accept-encoding", b"gzip")),
        ANSWERED,
    ),
)

RESPONSES = (
    Row(
        "gRPC Responses",
        "A reply is headers with status 200, a message, and trailers with the status.",
        "a call",
        request(b"x"),
        ANSWERED,
    ),
    Row(
        "gRPC Responses",
        "An error without a message is trailers only.",
        "a call that fails",
        having(head=replaced(b":path", b"/v1.A/Fail")),
        (
            Status(
                Code.NOT_FOUND,
                fields=(
                    (b"grpc-message", b"gr%C3%B6%C3%9Fer als 100%25"),
                    (b"grpc-status-details-bin", b"CAU"),
                ),
            ),
        ),
    ),
    Row(
        "gRPC Responses",
        "The text of a status is percent-encoded UTF-8, binary fields are base64.",
        "a text with ö and %",
        having((b"x", b"y"), head=replaced(b":path", b"/v1.A/Fail")),
        (
            Status(
                Code.NOT_FOUND,
                fields=(
                    (b"grpc-message", b"gr%C3%B6%C3%9Fer als 100%25"),
                    (b"grpc-status-details-bin", b"CAU"),
                ),
            ),
        ),
    ),
    Row(
        "gRPC Responses",
        "Calls of one connection are independent of each other.",
        "one fails among others",
        request(b"x", 1)
        + headers(3, head=replaced(b":path", b"/v1.A/Fail"))
        + data(framed(b""), 3)
        + request(b"z", 5),
        (Replied(b"x"), Status(Code.NOT_FOUND, 3), Replied(b"z", 5)),
    ),
    Row(
        "gRPC Errors",
        "A client cancels with RST_STREAM; nothing is answered.",
        "a call that hangs is reset",
        headers(head=replaced(b":path", b"/v1.A/Hang"))
        + data(framed(b"x"))
        + rst_stream(1, Reason.CANCEL)
        + request(b"y", 3),
        (Replied(b"y", 3),),
    ),
)

ROWS = (*REQUESTS, *TIMEOUTS, *MESSAGES, *RESPONSES)
