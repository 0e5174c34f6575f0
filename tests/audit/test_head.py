"""A head says where a trail ends, whenever its process was killed."""

import os
import struct
from binascii import crc32
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.audit import head
from csiproxy.audit.chain import START, Position
from csiproxy.audit.head import SIZE, End, Head, Taken

ONE, TWO = Position(1, b"a" * 32), Position(2, b"b" * 32)


def opened(path: Path) -> Head:
    return Head(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "head"


def test_a_new_one_says_nothing(path):
    with opened(path) as made:
        assert made.found is None
        assert made.was_empty


def test_it_tells_its_successor_what_was_there_and_what_was_under_way(path):
    with opened(path) as made:
        made.settle(ONE)
        made.begins(TWO)
    with opened(path) as successor:
        assert successor.found == End(there=ONE, under_way=TWO)
        assert not successor.was_empty
        successor.begins(TWO)
        successor.ends()
    assert head.read(path.read_bytes()) == End(TWO, TWO)


def test_what_a_process_wrote_is_there_though_it_was_killed(path):
    child = os.fork()
    if child == 0:
        made = opened(path)
        made.settle(ONE)
        made.begins(TWO)
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    assert head.read(path.read_bytes()) == End(ONE, TWO)


@pytest.mark.parametrize(("at", "expected"), [(64, End(ONE, ONE)), (128, End(TWO, TWO))])
def test_a_half_written_place_leaves_the_other_one(path, at, expected):
    with opened(path) as made:
        made.settle(ONE)
        made.begins(TWO)
    content = bytearray(path.read_bytes())
    content[at + 10] ^= 1
    assert head.read(bytes(content)) == expected


@given(st.binary(max_size=200))
def test_anything_else_says_nothing(junk):
    assert head.read(junk) is None
    assert head.read(junk.ljust(SIZE, b"\0")) is None
    assert head.read(b"csi-proxy audit head 1\n".ljust(SIZE, b"\0")) is None


def test_a_place_is_in_the_form_that_the_documentation_gives(path):
    with opened(path) as made:
        made.settle(TWO)
    raw = struct.pack(">Q32s", 2, b"b" * 32)
    assert path.read_bytes()[128:172] == raw + struct.pack(">I", crc32(raw))


def test_only_one_process_has_it(path):
    with opened(path):
        with pytest.raises(Taken):
            opened(path)
    opened(path).close()


def test_flushing_keeps_it(path):
    with opened(path) as made:
        made.settle(START)
        made.flush()
    assert head.read(path.read_bytes()) == End(START, START)
