"""What is appended is whole, and for this account alone."""

import os
import stat
import sys
import threading

import pytest

from csiproxy.appending import open_to_append, write_whole


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


def test_what_is_there_stays_and_what_is_new_stands_behind_it(path):
    path.write_bytes(b"old\n")
    descriptor = open_to_append(str(path))
    write_whole(descriptor, b"new\r\n")
    os.close(descriptor)
    assert path.read_bytes() == b"old\nnew\r\n"


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no such modes")
def test_a_new_file_is_for_this_account_alone(path):
    os.close(open_to_append(str(path)))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_place_that_is_not_there_is_an_error(path):
    with pytest.raises(FileNotFoundError):
        open_to_append(str(path / "below"))


def test_more_than_one_call_takes_is_written_whole():
    """A pipe that nobody has read yet takes a part only."""
    data = bytes(range(256)) * 4096
    reading, writing = os.pipe()
    received: list[bytes] = []

    def read() -> None:
        while piece := os.read(reading, 1 << 16):
            received.append(piece)

    reader = threading.Thread(target=read)
    reader.start()
    write_whole(writing, data)
    os.close(writing)
    reader.join()
    os.close(reading)
    assert b"".join(received) == data
