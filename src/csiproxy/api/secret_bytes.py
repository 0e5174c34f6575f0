"""Secrets taken out of a request's bytes, before protobuf makes copies that nobody can overwrite.

https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Container, Iterator
from typing import NamedTuple

from google.protobuf.descriptor import Descriptor

from csiproxy.api.redaction import is_secret
from csiproxy.wiping import wipe

_VARINT, _BYTES = 0, 2
_SIZES = {1: 8, 5: 4}
_GROUPS = {3: 1, 4: -1, 6: 1 << 30, 7: 1 << 30}
"""What begins and ends a group; there are no kinds 6 and 7, and what begins with them never ends."""
_LONGEST_VARINT = 10
_MOST = 100
"""Secrets of one message; each field may be given more than once, and then the last one counts."""


class TakenOut(NamedTuple):
    """A message with marks in the places of its secrets, and the secrets in the order of the marks."""

    message: bytes
    secrets: list[bytearray]


def secret_numbers(message: Descriptor) -> frozenset[int]:
    """The numbers of a message's own secret fields."""
    return frozenset(field.number for field in message.fields if is_secret(field))


def take_out(message: bytes, numbers: Container[int]) -> TakenOut | None:
    """Take the secrets out of a message; None when the bytes are no message.

    A mark is as long as its secret; :func:`marked` says which one it stands for.  Empty secrets stay.
    """
    clean = bytearray(message)
    secrets: list[bytearray] = []
    try:
        for number, start, end in _texts(message):
            if number in numbers and start < end:
                if len(secrets) == _MOST:
                    raise IndexError("too many secrets")
                secrets.append(clean[start:end])
                clean[start:end] = _mark(len(secrets), end - start)
        if all(map(_is_text, secrets)):
            return TakenOut(bytes(clean), secrets)
    except IndexError:
        pass
    for rest in (clean, *secrets):
        wipe(rest)
    return None


def _texts(message: bytes) -> Iterator[tuple[int, int, int]]:
    """The message's own fields with a length: number, and where what they hold begins and ends."""
    at = depth = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == _VARINT:
            _, at = _varint(message, at)
        elif kind == _BYTES:
            length, start = _varint(message, at)
            at = start + length
            if at > len(message):
                break
            if not depth:
                yield tag >> 3, start, at
        elif kind in _SIZES:
            at += _SIZES[kind]
        else:
            depth += _GROUPS[kind]
    if at > len(message) or depth:
        raise IndexError("the message ends too early")


def marked(text: str, secrets: list[bytearray]) -> bytearray:
    """The secret that a mark stands for; an empty text is an empty secret."""
    return secrets[ord(text[0]) - 1] if text else bytearray()


def _mark(number: int, length: int) -> bytes:
    return bytes((number,)) + b"*" * (length - 1)


def _is_text(secret: bytearray) -> bool:
    """Whether it is UTF-8, looked at piece by piece, so that no copy of the whole is made."""
    from codecs import getincrementaldecoder

    decoder = getincrementaldecoder("utf-8")()
    try:
        for byte in secret:
            decoder.decode(bytes((byte,)))
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number and where it ends; IndexError for one that does not."""
    value = 0
    for shift in range(_LONGEST_VARINT):
        byte = message[at + shift]
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value, at + shift + 1
    raise IndexError("a number without an end")
