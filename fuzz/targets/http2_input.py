"""How an input becomes what an HTTP/2 peer sends: bytes as they are, or frames that are framed rightly.

The first form reaches every check of the framing; the second does not spend a mutation on each length.
"""

from collections.abc import Iterator

from csiproxy.rpc import frames
from fuzz.cuts import Cuts

REPEAT = 0x40
_KINDS = 12
_STREAMS = 8


def wires(cuts: Cuts, blocks: tuple[bytes, ...], *, raw: bool) -> Iterator[bytes]:
    """The pieces in which the peer's bytes arrive.

    Raw: a byte of length before each.  Framed: kind, flags, stream and length, a byte each, and the payload.
    The upper half of the kinds stands for a whole header block instead, one of ``blocks``; a quarter repeats
    the frame before, as often as one more byte says, which reaches what needs many bytes.
    """
    last = b""
    while cuts:
        if raw:
            yield cuts.take(cuts.number())
            continue
        kind = cuts.number()
        if kind & 0xC0 == REPEAT:
            yield last * cuts.number()
            continue
        flags, stream = cuts.number(), cuts.number()
        payload = cuts.take(cuts.number())
        if kind & 0x80:
            payload = blocks[kind % len(blocks)] + payload
            kind = frames.HEADERS
        # A stream of 255 is one that nobody has opened, whatever came before.
        stream_id = frames.MAX_WINDOW if stream == 0xFF else stream % (8 * _STREAMS)
        last = frames.frame(kind % _KINDS, flags, stream_id, payload)
        yield last


def framed(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """The input that gives this frame in the framed form; the payload has at most 255 bytes."""
    return bytes((kind, flags, stream, len(payload))) + payload


def repeated(times: int) -> bytes:
    """The input that gives the frame before as often again, in one piece."""
    return bytes((REPEAT, times))


def raw(*pieces: bytes) -> bytes:
    """The input that gives these bytes in the raw form, in pieces of at most 255."""
    data = b"".join(pieces)
    parts = [data[at : at + 255] for at in range(0, len(data), 255)]
    return b"".join(bytes((len(part),)) + part for part in parts)
