"""Reading a request's headers: is it well-formed HTTP/2, is it gRPC, how long may it take.

RFC 9113 8 decides what is malformed (the stream is reset); the gRPC wire specification decides what is
answered with an HTTP or gRPC status instead.
https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

from collections.abc import Set as AbstractSet
from typing import Final

from csiproxy.errors import Code
from csiproxy.rpc.hpack import ENTRY_BYTES, Field

_TOKEN: Final = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
"""What a field name may consist of: RFC 9110's token without upper case (RFC 9113 8.2)."""
_NOT_IN_VALUES: Final = b"\0\r\n"
_CONNECTION_SPECIFIC: Final = frozenset(
    (b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade")
)
_PSEUDO: Final = frozenset((b":method", b":scheme", b":path", b":authority"))
_REQUIRED: Final = frozenset((b":method", b":scheme", b":path"))
_REQUIRED_TO_CONNECT: Final = frozenset((b":method", b":authority"))
_GRPC: Final = frozenset((b"application/grpc", b"application/grpc+proto"))

_TIMEOUT: Final = b"grpc-timeout"
_LENGTH_DIGITS: Final = 18
_KNOWN_HEADS: Final = 32
_KNOWN_BYTES: Final = 16 * 1024
"""How many heads, of what size together (as header lists count), a connection remembers: all methods that a
client uses."""


class Malformed(Exception):
    """The header list breaks RFC 9113 8; the stream ends with PROTOCOL_ERROR."""


Failure = tuple[Code, str]


class RequestHead:
    """What a request says before its message, but for its timeout.

    ``content_length`` is -1 when not given.  ``http_status`` other than 200 means that this is not gRPC at
    all; ``failure`` is a gRPC status to answer with at once.  ``pseudo`` counts the pseudo-headers.
    """

    __slots__ = ("content_length", "failure", "http_status", "path", "pseudo")

    def __init__(self, path: str, pseudo: int) -> None:
        self.path = path
        self.pseudo = pseudo
        self.content_length = -1
        self.http_status = 200
        self.failure: Failure | None = None


TOO_LARGE: Final = RequestHead("", 0)
"""Stands for a header list that was larger than allowed."""
TOO_LARGE.failure = Code.RESOURCE_EXHAUSTED, "the request's headers are too large"


def _check_value(value: bytes) -> None:
    if value.translate(None, _NOT_IN_VALUES) != value or value.strip(b" \t") != value:
        raise Malformed("a field value holds what no value may hold")


def check_field(name: bytes, value: bytes) -> None:
    """Check one regular field as RFC 9113 8.2 does.  Raise Malformed."""
    if not name or name.translate(None, _TOKEN):
        raise Malformed("a field name is not lower-case token characters")
    if name in _CONNECTION_SPECIFIC:
        raise Malformed("a field belongs to HTTP/1 connections")
    _check_value(value)


def check_trailers(fields: list[Field]) -> None:
    """Check trailers, which have no pseudo-headers.  Raise Malformed."""
    for name, value in fields:
        check_field(name, value)


def split(fields: list[Field], known: AbstractSet[bytes]) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
    """Tell pseudo-headers, of which those that are ``known`` come first and once each, from the other fields.

    Raise Malformed.
    """
    pseudo: dict[bytes, bytes] = {}
    regular: dict[bytes, bytes] = {}
    for name, value in fields:
        if name not in known:
            check_field(name, value)
            if name == b"content-length" and regular.get(name, value) != value:
                raise Malformed("content-length has two values")
            regular[name] = value
        elif regular or name in pseudo:
            raise Malformed("a pseudo-header is repeated or stands behind a field")
        else:
            _check_value(value)
            pseudo[name] = value
    return pseudo, regular


def content_length(regular: dict[bytes, bytes]) -> int:
    """Give the length that a head announces, -1 when it does not.  Raise Malformed."""
    length = regular.get(b"content-length")
    if length is None:
        return -1
    if not length.isdigit() or len(length) > _LENGTH_DIGITS:
        raise Malformed("content-length is not a number")
    return int(length)


def _path_of(pseudo: dict[bytes, bytes]) -> bytes:
    """Give the path of a request, "" where its method takes none (RFC 9113 8.3.1 and 8.5)."""
    method = pseudo.get(b":method")
    if method == b"CONNECT":
        if pseudo.keys() != _REQUIRED_TO_CONNECT:
            raise Malformed("CONNECT takes an authority, and neither scheme nor path")
        return b""
    if not pseudo.keys() >= _REQUIRED:
        raise Malformed("a pseudo-header is missing")
    path = pseudo[b":path"]
    if not path.startswith(b"/") and (method, path) != (b"OPTIONS", b"*"):
        raise Malformed("the path does not start with a slash")
    return path


def parse_head(fields: list[Field]) -> RequestHead:
    """Read the header list of a request.  Raise Malformed."""
    pseudo, regular = split(fields, _PSEUDO)
    path = _path_of(pseudo)
    if any(name == b"te" and value != b"trailers" for name, value in fields):
        raise Malformed("te is not trailers")
    head = RequestHead(path.decode("ascii", "replace"), len(pseudo))
    head.content_length = content_length(regular)
    if pseudo[b":method"] != b"POST":
        head.http_status = 405
    elif regular.get(b"content-type", b"").partition(b";")[0].rstrip() not in _GRPC:
        head.http_status = 415
    elif regular.get(b"grpc-encoding", b"identity") != b"identity":
        head.failure = Code.UNIMPLEMENTED, "compressed messages are not supported; send identity"
    return head


class HeadReader:
    """Reads the heads of one connection's requests and remembers them.

    A client's requests for one method differ in their timeout alone, so that is taken aside and the rest is
    looked up.
    """

    __slots__ = ("_known", "_known_bytes", "_timeout_at")

    def __init__(self) -> None:
        self._known: dict[tuple[Field, ...], RequestHead] = {}
        self._known_bytes = 0
        self._timeout_at = 0  # where it stood last

    def read(self, fields: list[Field]) -> tuple[RequestHead, bytes | None]:
        """Give a request's head and its ``grpc-timeout``.  ``fields`` is used up.  Raise Malformed."""
        timeout = None
        at = self._timeout_at
        if at < len(fields) and fields[at][0] == _TIMEOUT:
            timeout = fields.pop(at)[1]
        head = self._known.get(tuple(fields))
        if head is None:
            if timeout is None:
                timeout, at = self._find_timeout(fields)
            head = self._parse(fields)
        if timeout is not None and at < head.pseudo:
            raise Malformed("a pseudo-header stands behind a field")
        return head, timeout

    def _find_timeout(self, fields: list[Field]) -> tuple[bytes | None, int]:
        for at, (name, value) in enumerate(fields):
            if name == _TIMEOUT:
                self._timeout_at = at
                del fields[at]
                return value, at
        return None, 0

    def _parse(self, fields: list[Field]) -> RequestHead:
        head = parse_head(fields)
        size = sum(len(name) + len(value) + ENTRY_BYTES for name, value in fields)
        if len(self._known) >= _KNOWN_HEADS or self._known_bytes + size > _KNOWN_BYTES:
            self._known.clear()
            self._known_bytes = 0
        if size <= _KNOWN_BYTES:
            self._known[tuple(fields)] = head
            self._known_bytes += size
        return head
