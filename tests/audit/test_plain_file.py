"""Lines to a device or pipe are whole, or ended before the next one."""

import os

import pytest

from csiproxy.audit.plain_file import PlainFile


def test_a_line_that_was_torn_is_ended_before_the_next_one():
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    sink = PlainFile(writing)
    with pytest.raises(BlockingIOError):
        sink.write(b"x" * (1 << 20) + b"\n")
    torn = os.read(reading, 1 << 20)
    assert torn == b"x" * len(torn)
    sink.write(b"next\n")
    assert os.read(reading, 100) == b"\nnext\n"
    os.close(reading)
    os.close(writing)


def test_a_new_file_is_for_its_owner_alone_and_an_old_one_is_appended_to(tmp_path):
    path = tmp_path / "audit"
    for _ in range(2):
        sink = PlainFile.open(str(path))
        sink.write(b"line\n")
        sink.close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == b"line\nline\n"


def test_a_device_is_opened_by_name(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    PlainFile.open(str(tmp_path / "pipe")).write(b"line\n")
    assert os.read(reading, 100) == b"line\n"
    os.close(reading)
