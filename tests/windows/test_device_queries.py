"""A driver's answers are read as Windows documents them, and a broken one is said to be."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.windows import answers

from csiproxy.host.win32 import Association, CodeSet, IdentifierType, StorageIdentifier
from csiproxy.windows import device_queries
from csiproxy.windows.device_queries import BrokenAnswer

IDENTIFIERS = st.builds(
    StorageIdentifier,
    st.sampled_from(CodeSet),
    st.sampled_from(IdentifierType),
    st.sampled_from(Association),
    st.binary(max_size=70),
)


@given(st.lists(IDENTIFIERS, max_size=8).map(tuple))
def test_identifiers_are_read_in_the_pages_order(identifiers):
    data = answers.device_identifiers(identifiers)
    assert device_queries.whole_size(data[: device_queries.DESCRIPTOR_SIZE]) == len(data)
    assert device_queries.read_identifiers(data) == identifiers


def test_an_identifier_is_laid_out_as_documented():
    text = bytes.fromhex("6000c29000000001")
    identifier = struct.pack("<IIHHI", 1, 3, len(text), 0, 0) + text
    data = struct.pack("<III", 12 + len(identifier), 12 + len(identifier), 1) + identifier
    assert device_queries.read_identifiers(data) == (
        StorageIdentifier(CodeSet.BINARY, IdentifierType.FCPH_NAME, Association.DEVICE, text),
    )


@pytest.mark.parametrize(("code_set", "kind", "association"), [(4, 0, 0), (1, 9, 0), (1, 0, 3)])
def test_what_a_newer_standard_has_is_left_out(code_set, kind, association):
    known = struct.pack("<IIHHI", 2, 0, 1, 0, 0) + b"x"
    newer = struct.pack("<IIHHI", code_set, kind, 4, 20, association) + b"text"
    data = struct.pack("<III", 49, 49, 2) + newer + known
    [found] = device_queries.read_identifiers(data)
    assert found.identifier == b"x"


@given(st.binary(max_size=200))
def test_anything_is_read_or_broken(data):
    for read in (device_queries.read_number, device_queries.whole_size, device_queries.read_identifiers):
        try:
            read(data)
        except BrokenAnswer:
            continue


@given(st.integers(0, 0xFFFF_FFFF))
def test_a_number_is_the_second_field(number):
    assert device_queries.read_number(answers.device_number(number)) == number


@pytest.mark.parametrize("size", [0, 11, 65537, 0xFFFF_FFFF])
def test_a_size_that_cannot_be_is_broken(size):
    with pytest.raises(BrokenAnswer):
        device_queries.whole_size(struct.pack("<III", 12, size, 0))


def test_the_question_is_laid_out_as_documented():
    assert struct.pack("<III", 2, 0, 0) == device_queries.IDENTIFIERS_QUERY
