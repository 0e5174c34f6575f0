"""Structures are read whole or refused."""

import pytest
from tests.emulator.image_store.images import Held

from csiproxy.emulator.image_store.facts import Unreadable, exactly


def test_a_structure_is_read_whole():
    assert exactly(Held(b"abcdef"), 2, 4, "it") == b"cdef"


@pytest.mark.parametrize("offset", [-1, 3, 1 << 70])
def test_what_reaches_beyond_the_end_is_refused_by_name(offset):
    with pytest.raises(Unreadable, match="it lies beyond"):
        exactly(Held(b"abcdef"), offset, 4, "it")
