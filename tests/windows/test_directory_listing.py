"""Listings are read as Windows writes them, and a broken one is said to be."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.windows import answers

from csiproxy.windows import directory_listing, nt
from csiproxy.windows.directory_listing import BrokenListing, Listed

REPARSE = nt.FILE_ATTRIBUTE_REPARSE_POINT | nt.FILE_ATTRIBUTE_DIRECTORY
ENTRIES = st.builds(
    Listed,
    name=st.text(min_size=1, max_size=60),
    attributes=st.sampled_from([0x20, nt.FILE_ATTRIBUTE_DIRECTORY]),
    tag=st.just(0),
) | st.builds(
    Listed,
    name=st.text(st.characters(exclude_categories=()), min_size=1, max_size=60),
    attributes=st.just(REPARSE),
    tag=st.integers(0, 0xFFFF_FFFF),
)


@given(st.lists(ENTRIES, min_size=1, max_size=20), st.binary(max_size=80))
def test_what_is_listed_is_read_and_the_dots_are_left_out(entries, rest):
    expected = [entry for entry in entries if entry.name not in (".", "..")]
    assert list(directory_listing.read(answers.listing(entries) + rest)) == expected


def test_an_entry_is_laid_out_as_documented():
    name = "pods".encode("utf-16-le")
    head = struct.pack("<II", 0, 7) + b"\1" * 32 + b"\2" * 16 + struct.pack("<III", 0x10, len(name), 99)
    assert len(head) == 68
    # Extended attributes, whose size stands where a reparse tag would.
    assert list(directory_listing.read(head + name)) == [Listed("pods", 0x10, 0)]


@given(st.binary(max_size=300))
def test_anything_is_read_or_broken(data):
    try:
        found = list(directory_listing.read(data))
    except BrokenListing:
        return
    assert all(listed.name for listed in found) or data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 67,
        answers.listing([Listed("x" * 40, 0x10, 0)])[:100],
        struct.pack("<I", 8) + answers.listing([Listed("x", 0x10, 0)])[4:] + b"\0" * 99,
        struct.pack("<I", 4096) + answers.listing([Listed("x", 0x10, 0)])[4:],
    ],
)
def test_what_does_not_fit_together_is_broken(data):
    with pytest.raises(BrokenListing):
        list(directory_listing.read(data))
