"""Header lists at :class:`csiproxy.rpc.request_head.HeadReader`, which remembers earlier ones, and without.

An input is requests of one connection: fields, each a byte that names a usual one or writes its own.
"""

from collections.abc import Iterable

from csiproxy.rpc.hpack import Field
from csiproxy.rpc.request_head import HeadReader, Malformed, RequestHead, parse_head
from fuzz.broken import demand
from fuzz.cuts import Cuts, joined

USUAL: tuple[Field, ...] = (
    (b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/v1.Disk/Rescan"), (b":authority", b"x"),
    (b"te", b"trailers"), (b"content-type", b"application/grpc"), (b"grpc-timeout", b"5S"),
    (b"grpc-timeout", b"7S"), (b"content-length", b"5"), (b"grpc-encoding", b"gzip"),
    (b"user-agent", b"grpc-go/1.70"), (b":path", b"/v1.Disk/GetDiskStats"), (b"connection", b"close"),
    (b"content-type", b"application/grpc+proto"), (b":method", b"GET"), (b"te", b"gzip"),
)  # fmt: skip
_OWN = 0x80
_MOST_REQUESTS = 40

Judgement = tuple[object, ...]


def run(data: bytes) -> None:
    """Judge each request with what is remembered of those before it, and on its own."""
    reader = HeadReader()
    for _, request in zip(range(_MOST_REQUESTS), Cuts(data).pieces(), strict=False):
        fields = _fields(Cuts(request))
        timeouts = [value for name, value in fields if name == b"grpc-timeout"]
        if len(timeouts) > 1:
            continue  # no specification says which of two deadlines counts
        remembered = _judge(reader, list(fields))
        alone = _judge(HeadReader(), list(fields))
        demand(remembered == ("malformed",) or _in_order(fields), "pseudo-headers come first")
        demand(remembered == alone, f"what came before changes nothing: {remembered} {alone}")
        if timeouts and remembered != ("malformed",):
            rest = [field for field in fields if field[0] != b"grpc-timeout"]
            demand(remembered == (*_shown(parse_head(rest)), timeouts[0]), "a timeout is taken aside")
    demand(len(reader._known) <= 32, "what is remembered is bounded")


def _fields(cuts: Cuts) -> list[Field]:
    found: list[Field] = []
    while cuts:
        kind = cuts.number()
        if kind & _OWN:
            usual = USUAL[kind % len(USUAL)]
            name = usual[0] if kind & 0x40 else cuts.take(cuts.number() % 32)
            found.append((name, cuts.take(cuts.number() % 64)))
        else:
            found.append(USUAL[kind % len(USUAL)])
    return found


def _judge(reader: HeadReader, fields: list[Field]) -> Judgement:
    try:
        head, timeout = reader.read(fields)
    except Malformed:
        return ("malformed",)
    demand(head.path.startswith("/"), "a path begins with a slash")
    demand(-1 <= head.content_length < 10**18, "a length is a length")
    return (*_shown(head), timeout)


def _in_order(fields: list[Field]) -> bool:
    """Pseudo-headers come before all other fields (RFC 9113 8.3)."""
    pseudo = [name.startswith(b":") for name, _ in fields]
    return pseudo == sorted(pseudo, reverse=True)


def _shown(head: RequestHead) -> Judgement:
    return head.path, head.pseudo, head.content_length, head.http_status, head.failure


def seeds() -> Iterable[bytes]:
    """The same call again and again with other timeouts, and everything that is wrong once."""
    usual = bytes(range(6))
    yield joined([usual + b"\6", usual + b"\7", usual, b"\6" + usual, usual + b"\x08\6"])
    yield joined([usual + b"\6\7", usual + bytes((0xC6, 2)) + b"1H", usual + b"\6"])
    yield joined(
        [bytes(range(16)), usual[1:], usual + b"\0", bytes((14,)) + usual[1:], usual[:4] + b"\x0d\x09"]
    )
    yield joined([usual + bytes((0x80, 3)) + b"X-a" + b"\1b", usual + bytes((0x80, 3)) + b"x-a" + b"\2b "])
