"""The standard health service, spoken without generated code.

https://github.com/grpc/grpc/blob/master/doc/health-checking.md

A probe asks every few seconds, on every endpoint, also on those that no driver ever uses; with its two
one-field messages written by hand, a probe does not load an endpoint's contract.
"""

from csiproxy.errors import Code
from csiproxy.rpc.status import RpcError

SERVICE = "grpc.health.v1.Health"
CHECK = f"/{SERVICE}/Check"
WATCH = f"/{SERVICE}/Watch"

# HealthCheckResponse { status = 1 }
_SERVING = b"\x08\x01"
_NOT_SERVING = b"\x08\x02"

_VARINT, _FIXED64, _LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5
_SERVICE_FIELD = 1


def is_health(method: str) -> bool:
    """Whether a method belongs to the health service (``/grpc.health.v1.Health/Check``)."""
    return method.startswith(f"/{SERVICE}/")


def answer(method: str, message: bytes, service: str, *, healthy: bool = True) -> bytes:
    """The reply to a health question on the endpoint of ``service``; raise RpcError where there is none.

    The endpoint's own service is SERVING as long as anybody answers at all, and so is the server as a whole
    (the empty name) when it is ``healthy``; every other name is NOT_FOUND, as the health protocol wants it.
    """
    if method != CHECK:
        raise RpcError(Code.UNIMPLEMENTED, f"{method} is not served: ask {CHECK} instead")
    asked = decode_request(message)
    if asked not in ("", service):
        raise RpcError(
            Code.NOT_FOUND, f"this endpoint serves {service} and no other service: ask for that or for none"
        )
    return _SERVING if asked or healthy else _NOT_SERVING


def decode_request(message: bytes) -> str:
    """The field ``service`` of a HealthCheckRequest, ``""`` when unset; unknown fields are skipped.

    https://protobuf.dev/programming-guides/encoding/.  Groups, which proto3 lacks, count as malformed.
    """
    service = b""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire_type = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise _malformed()
        if wire_type == _VARINT:
            _, at = _varint(message, at)
            continue
        if wire_type == _LENGTH_DELIMITED:
            length, at = _varint(message, at)
        elif wire_type in (_FIXED64, _FIXED32):
            length = 8 if wire_type == _FIXED64 else 4
        else:
            raise _malformed()
        end = at + length
        if end > len(message):
            raise _malformed()
        if number == _SERVICE_FIELD and wire_type == _LENGTH_DELIMITED:
            service = message[at:end]  # the last one counts
            _text(service)
        at = end
    return _text(service)


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _malformed() from None


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A base-128 number of at most 64 bits and the offset behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise _malformed()
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                raise _malformed()
            return value, at
    raise _malformed()


def _malformed() -> RpcError:
    return RpcError(Code.INVALID_ARGUMENT, "the request is not a readable grpc.health.v1.HealthCheckRequest")
