"""How a gRPC call's outcome and deadline are written into headers.

https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

import binascii
from math import ceil

from csiproxy.errors import Code

_PLAIN = bytes(byte for byte in range(0x20, 0x7F) if byte != ord("%"))
_SPACE = ord(" ")
_HEX = frozenset(b"0123456789abcdefABCDEF")
_UNITS = {ord("H"): 3600.0, ord("M"): 60.0, ord("S"): 1.0, ord("m"): 1e-3, ord("u"): 1e-6, ord("n"): 1e-9}
_DIGITS = 8


class RpcError(Exception):
    """A call ended with a status other than OK.

    ``message`` is for people; ``details`` is a serialized ``google.rpc.Status`` for programs
    (``grpc-status-details-bin``), empty when there is none; ``rail`` names the guard rail that refused the
    call, if one did.
    """

    def __init__(self, code: Code, message: str, details: bytes = b"", rail: str = "") -> None:
        super().__init__(code, message, details)
        self.code = code
        self.message = message
        self.details = details
        self.rail = rail

    def __str__(self) -> str:
        return f"{self.code.name}: {self.message}"


def status_code(value: bytes) -> Code:
    """Read ``grpc-status``; what is not a known code is UNKNOWN, as the specification wants it."""
    if value.isdigit() and len(value) <= 2:
        number = int(value)
        if number <= Code.UNAUTHENTICATED:
            return Code(number)
    return Code.UNKNOWN


def encode_message(text: str, size: int) -> bytes:
    """Percent-encode ``grpc-message``: printable ASCII but ``%`` stays, the rest is UTF-8 in ``%XX``.

    What would be longer than ``size`` bytes is cut between two characters.  A space at an end is encoded,
    too: HTTP/2 allows no value to begin or end with one (RFC 9113 8.2.1).
    """
    raw = text.encode("utf-8", "replace")
    plain = raw.isascii() and not raw.translate(None, _PLAIN) and raw == raw.strip(b" ")
    if len(raw) <= size and plain:
        return raw
    out = bytearray()
    last = len(text) - 1
    for at, character in enumerate(text[:size]):
        piece = b"".join(
            b"%c" % byte if byte in _PLAIN and not (byte == _SPACE and at in (0, last)) else b"%%%02X" % byte
            for byte in character.encode("utf-8", "replace")
        )
        if len(out) + len(piece) > size:
            break
        out += piece
    return bytes(out.rstrip(b" "))


def decode_message(value: bytes) -> str:
    """Undo :func:`encode_message`.  Never fails: what is not an escape stays as it is."""
    if b"%" not in value:
        return value.decode("utf-8", "replace")
    out = bytearray()
    at = 0
    while at < len(value):
        pair = value[at + 1 : at + 3]
        if value[at] == 0x25 and len(pair) == 2 and _HEX.issuperset(pair):
            out.append(int(pair, 16))
            at += 3
        else:
            out.append(value[at])
            at += 1
    return out.decode("utf-8", "replace")


def encode_details(details: bytes) -> bytes:
    """Write a ``-bin`` header: base64 without padding."""
    return binascii.b2a_base64(details, newline=False).rstrip(b"=")


def decode_details(value: bytes) -> bytes:
    """Read a ``-bin`` header, padded or not; empty when it is not base64."""
    value = value.rstrip(b"=")
    try:
        return binascii.a2b_base64(value + b"=" * (-len(value) % 4), strict_mode=True)
    except binascii.Error:
        return b""


def parse_timeout(value: bytes) -> float:
    """Read ``grpc-timeout`` as seconds.  Raise ValueError: at most eight digits and a unit (HMSmun)."""
    digits = value[:-1]
    unit = _UNITS.get(value[-1]) if value else None
    if unit is None or not digits.isdigit() or len(digits) > _DIGITS:
        raise ValueError("grpc-timeout is not up to eight digits and one of H M S m u n")
    return int(digits) * unit


def encode_timeout(seconds: float) -> bytes:
    """Write ``grpc-timeout`` in the finest unit that fits eight digits, rounded up; nothing negative."""
    for rate, letter in ((1e6, b"u"), (1e3, b"m"), (1.0, b"S"), (1 / 60, b"M"), (1 / 3600, b"H")):
        count = max(0, ceil(seconds * rate))
        if count < 10**_DIGITS:
            return b"%d%s" % (count, letter)
    return b"99999999H"
