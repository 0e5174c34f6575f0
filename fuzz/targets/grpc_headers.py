"""What gRPC writes into headers: ``grpc-timeout``, ``grpc-message``, ``grpc-status``, and the details' bytes.

An input is what stands in the header; each reader is tried on it, and beside it a second statement.
"""

import base64
import math
import re
import urllib.parse
from collections.abc import Iterable

from csiproxy.api import status_details
from csiproxy.errors import Code
from csiproxy.rpc import status
from fuzz.broken import demand

_TIMEOUT = re.compile(rb"([0-9]{1,8})([HMSmun])", re.DOTALL)
_SECONDS = {b"H": 3600, b"M": 60, b"S": 1, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_SIZES = (0, 1, 7, 40, 512)


def run(data: bytes) -> None:
    """Read the bytes as each of the headers, and write what was read again."""
    _timeout(data)
    _message(data)
    _details(data)
    known = re.fullmatch(rb"[0-9]{1,2}", data) is not None and int(data) <= Code.UNAUTHENTICATED
    expected = int(data) if known else Code.UNKNOWN
    demand(status.status_code(data) == expected, "a status is one of the known numbers or UNKNOWN")


def _timeout(data: bytes) -> None:
    match = _TIMEOUT.fullmatch(data)
    try:
        seconds = status.parse_timeout(data)
    except ValueError:
        demand(match is None, "a timeout of the right form is read")
        return
    demand(match is not None, "a timeout of another form is refused")
    assert match is not None
    demand(math.isclose(seconds, int(match[1]) * _SECONDS[match[2]]), "a timeout is its digits in its unit")
    written = status.encode_timeout(seconds)
    demand(_TIMEOUT.fullmatch(written) is not None, "a timeout is written in the right form")
    demand(status.parse_timeout(written) >= seconds * (1 - 1e-9), "a timeout is rounded up, if at all")


def _message(data: bytes) -> None:
    text = status.decode_message(data)
    demand(text == urllib.parse.unquote_to_bytes(data).decode("utf-8", "replace"), "a message is unquoted")
    plain = data.decode("utf-8", "surrogateescape")
    for size in _SIZES:
        written = status.encode_message(plain, size)
        demand(len(written) <= size, "a message keeps to its size")
        demand(all(0x20 <= byte < 0x7F for byte in written), "a message is printable ASCII")
        expected = plain.encode("utf-8", "replace").decode()
        demand(expected.startswith(status.decode_message(written)), "a message is cut between characters")
        if len(data) * 3 <= size:
            demand(status.decode_message(written) == expected, "a short message is not cut")


def _details(data: bytes) -> None:
    written = status.encode_details(data)
    demand(b"=" not in written, "details are written without padding")
    demand(status.decode_details(written) == status.decode_details(base64.b64encode(data)) == data,
           "details are read with and without padding")  # fmt: skip
    for binary in (data, status.decode_details(data)):
        found = status_details.decode(binary)
        if found is not None:
            demand(found.windows_code is None or 0 <= found.windows_code < 10**10, "a code is a number")
            for text in (found.message, found.windows_name, found.origin, found.domain):
                demand(len(text) <= len(binary), "texts are parts of the details")
    text = data.decode("utf-16-le", "surrogatepass" if len(data) % 2 == 0 else "replace") if data else ""
    encoded = status_details.encode(Code.ABORTED, text, windows_code=len(data), origin=text)
    again = status_details.decode(encoded)
    demand(again is not None and again.windows_code == len(data) and again.code == Code.ABORTED,
           "what is written is read")  # fmt: skip
    demand(len(encoded) <= 4 * 2 * status_details.TEXT_LIMIT + 400, "details are bounded")


def seeds() -> Iterable[bytes]:
    """Each header as it usually is, and at its edges."""
    yield from (
        b"5S",
        b"99999999H",
        b"0n",
        b"123456789S",
        b"",
        b"m",
        b"+5S",
        b"\xb2S",
        b"12",
        b"16",
        b"17",
        b"007",
    )
    yield from (b"plain", b"n%C3%B6", b"%", b"%4", b"%zz%41", b"%ff%FE", "ö😀".encode(), b"a\nb\x7f", b"%25")
    details = status_details.encode(Code.NOT_FOUND, "gone", windows_code=1168, origin="MSFT_Disk")
    yield details
    yield status.encode_details(details)
    yield from (b"CAU", b"CAU=", b"CAU==", b"C", b"C A U", "\ud800".encode("utf-16-le", "surrogatepass"))
