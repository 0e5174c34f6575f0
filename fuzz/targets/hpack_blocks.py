"""Header blocks at :class:`csiproxy.rpc.hpack.Decoder`, and beside it at the decoder of the hpack library.

An input is a byte that chooses the table's size and blocks of one connection, each behind its length.
"""

from collections.abc import Iterable, Sequence

import hpack as other

from csiproxy.rpc import hpack, huffman
from csiproxy.rpc.frames import Http2Error, Reason
from csiproxy.rpc.hpack import Decoder, Field
from fuzz.broken import demand
from fuzz.cuts import Cuts, joined

LIST_BYTES = 2000
TABLE_BYTES = (0, 40, 128, 4096)
_ENTRY_BYTES = 32
# RFC 7541 5.1 lets a decoder bound integers, and ours takes five octets behind the prefix; 4.2 gives an
# encoder two changes of the table's size in front of a block, which the other decoder does not count.
_OURS_ALONE = ("too long", "a third HPACK table size update")


def run(data: bytes) -> None:
    """Read the blocks twice and compare lists and tables, until one of both gives up."""
    cuts = Cuts(data)
    table_bytes = TABLE_BYTES[cuts.number() % len(TABLE_BYTES)]
    ours = Decoder(table_bytes, LIST_BYTES)
    theirs = other.Decoder(max_header_list_size=1 << 24)
    theirs.max_allowed_table_size = theirs.header_table_size = table_bytes
    for block in cuts.pieces():
        _huffman(block)
        fields, refusal = _ours(ours, block)
        expected = _theirs(theirs, block)
        if refusal:
            known = any(reason in refusal for reason in _OURS_ALONE)
            demand(expected is None or known, f"a block that is HPACK is read: {refusal}")
            return
        demand(expected is not None, "a block that is not HPACK is refused")
        assert expected is not None
        _same_list(fields, expected)
        _same_table(ours, theirs, table_bytes)
        demand(list(theirs.__class__().decode(hpack.encode(*expected), raw=True)) == expected,
               "what is written is read by the other")  # fmt: skip


def _ours(decoder: Decoder, block: bytes) -> tuple[list[Field] | None, str]:
    try:
        return decoder.decode(block), ""
    except Http2Error as error:
        demand(error.reason is Reason.COMPRESSION_ERROR, "a refusal is COMPRESSION_ERROR")
        return None, str(error)


def _theirs(decoder: other.Decoder, block: bytes) -> list[Field] | None:
    try:
        return [(bytes(name), bytes(value)) for name, value in decoder.decode(block, raw=True)]
    except (other.HPACKError, IndexError):
        return None


def _same_list(fields: list[Field] | None, expected: Sequence[Field]) -> None:
    size = sum(_ENTRY_BYTES + len(name) + len(value) for name, value in expected)
    demand((fields is None) == (size > LIST_BYTES), "a list is given back exactly when it is small enough")
    demand(fields is None or fields == expected, "both read the same fields")


def _same_table(ours: Decoder, theirs: other.Decoder, allowed: int) -> None:
    entries = [(bytes(name), bytes(value)) for name, value in theirs.header_table.dynamic_entries]
    demand(ours._dynamic[::-1] == entries, "both keep the same dynamic table")
    size = sum(_ENTRY_BYTES + len(name) + len(value) for name, value in entries)
    demand(ours._size == size <= min(allowed, ours._limit), "the dynamic table keeps to its size")


def _huffman(text: bytes) -> None:
    try:
        mine: bytes | None = huffman.decode(text)
    except ValueError:
        mine = None
    try:
        their: bytes | None = other.huffman_table.decode_huffman(text)
    except other.HPACKError:
        their = None
    demand(mine == their, "both read Huffman strings alike")


def seeds() -> Iterable[bytes]:
    """Blocks of the other encoder, with and without Huffman, and every representation by hand."""
    request = [(":method", "POST"), (":path", "/v1.Disk/Rescan"), ("te", "trailers"), ("grpc-timeout", "5S")]
    for huffman_too in (False, True):
        encoder = other.Encoder()
        blocks = [encoder.encode(request, huffman=huffman_too) for _ in range(3)]
        yield b"\3" + joined(blocks)
    by_hand = (
        "82", "be", "400161", "4001610162", "000161 0162", "100161 0162", "3fe11f", "20", "20 3fe11f 82",
        "0f2f0162", "82 20", "000161 0162 3f01", "7f0201 62", "ff80808080 01", "40 81 1f 81 1f",
        "00 7f 81 01", "5f 00", "20 20 82", "20 3fe11f 20 82", "20 20 20",
    )  # fmt: skip
    for text in by_hand:
        block = bytes.fromhex(text)
        yield b"\2" + joined([b"\x40\x01\x61\x01\x62", block, block])
    yield b"\1" + joined([b"\x40\x01a\x01b", b"\x40\x01c\x01d", b"\x3e", b"\xbe"])
