"""The Huffman code, against another implementation."""

import pytest
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.rpc import huffman

ENCODER = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)


@given(st.binary())
def test_what_another_encoder_wrote_is_read(text: bytes) -> None:
    assert huffman.decode(ENCODER.encode(text)) == text


@pytest.mark.parametrize("symbol", range(256))
def test_every_symbol_is_read(symbol: int) -> None:
    assert huffman.decode(ENCODER.encode(bytes([symbol]) * 3)) == bytes([symbol]) * 3


@given(st.binary())
def test_any_bytes_are_a_string_or_a_value_error(data: bytes) -> None:
    try:
        text = huffman.decode(data)
    except ValueError:
        return
    assert ENCODER.encode(text) == data


@pytest.mark.parametrize(
    "data",
    [b"\xff", b"\xff\xff\xff\xff", b"\x00", ENCODER.encode(b"a") + b"\xff", b"\x1e"],
    ids=["eight ones", "end of string", "zeros as padding", "a byte of padding", "zero in the padding"],
)
def test_wrong_padding_and_the_end_of_string_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="Huffman"):
        huffman.decode(data)
