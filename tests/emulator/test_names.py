"""What the host calls a thing may be no text at all."""

import os

import pytest

from csiproxy.emulator import names


@pytest.mark.parametrize("name", ["", "a", "ß", "𐐨", "a\nb"])
def test_text_is_text(name):
    assert names.is_text(name)


@pytest.mark.parametrize("name", [b"\xff", b"a\xc3", b"\xed\xa0\x80"])
def test_bytes_that_are_not_utf_8_are_none(name):
    assert not names.is_text(os.fsdecode(name))
