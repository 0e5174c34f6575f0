"""Reading the headers of a response as the calling end (RFC 9113 8)."""

from typing import Final

from csiproxy.rpc.hpack import Field
from csiproxy.rpc.request_head import Malformed, content_length, split

_PSEUDO: Final = frozenset((b":status",))
_STATUS_DIGITS: Final = 3
_OK: Final = b"200"
_GRPC: Final = b"application/grpc"
_SWITCHING_PROTOCOLS: Final = b"101"


class ResponseHead:
    """What a response says before its message; ``fields`` are the regular ones.

    ``content_length`` is -1 when not given.
    """

    __slots__ = ("content_length", "fields", "status")

    def __init__(self, status: bytes, fields: dict[bytes, bytes]) -> None:
        self.status = status
        self.fields = fields
        self.content_length = content_length(fields)

    @property
    def speaks_grpc(self) -> bool:
        """False when it is a page of something that is no gRPC server, whatever its status."""
        kind = self.fields.get(b"content-type", _GRPC)
        return self.status == _OK and kind.startswith(_GRPC)

    @property
    def informational(self) -> bool:
        """True when the response itself is still to come (RFC 9110 15.2)."""
        return self.status.startswith(b"1")


def parse_response(fields: list[Field]) -> ResponseHead:
    """Read a header list that begins a response.  Raise Malformed."""
    pseudo, regular = split(fields, _PSEUDO)
    status = pseudo.get(b":status", b"")
    if len(status) != _STATUS_DIGITS or not status.isdigit():
        raise Malformed("the status is missing or no status of HTTP")
    if status == _SWITCHING_PROTOCOLS:
        raise Malformed("HTTP/2 has no status 101")
    return ResponseHead(status, regular)
