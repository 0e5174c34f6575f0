"""Disk images: sparse, locked, and honest about what the host does to them."""

import errno
import os

import pytest
from tests.emulator.storage_ground import MIB

from csiproxy.emulator import image
from csiproxy.emulator.image import Image
from csiproxy.errors import Win32Error


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / "disk.img")
    image.create(path, 8 * MIB)
    return path


@pytest.fixture
def opened(path):
    opened = Image(path)
    yield opened
    opened.close()


def refused(call, *arguments, **named) -> Win32Error:
    with pytest.raises(Win32Error) as caught:
        call(*arguments, **named)
    return caught.value


def test_an_image_takes_no_room_until_it_is_written(path):
    assert os.path.getsize(path) == 8 * MIB
    assert os.stat(path).st_blocks == 0


def test_an_existing_file_is_not_overwritten(path):
    assert refused(image.create, path, MIB).windows_code == 183
    assert os.path.getsize(path) == 8 * MIB


@pytest.mark.parametrize("size", [0, 511, MIB - 512, MIB + 1, 1 << 61])
def test_an_impossible_size_is_refused(tmp_path, size):
    assert refused(image.create, str(tmp_path / "disk.img"), size).windows_code == 87
    assert os.listdir(tmp_path) == []


def test_bytes_are_read_back(opened):
    opened.write(512, b"hello")
    opened.sync()
    assert opened.read(510, 8) == b"\0\0hello\0"
    assert opened.read(8 * MIB - 2, 100) == b"\0\0"


def test_nothing_is_written_beyond_the_end(opened):
    assert refused(opened.write, 8 * MIB - 1, b"ab").windows_code == 87
    assert os.path.getsize(opened.path) == 8 * MIB


def test_growing_shows_after_the_next_look(opened):
    opened.grow(16 * MIB)
    assert opened.size == 8 * MIB
    assert opened.measure() == 16 * MIB
    assert refused(opened.grow, 8 * MIB).windows_code == 87


def test_a_read_only_image_can_grow_all_the_same(path):
    opened = Image(path, read_only=True)
    opened.grow(16 * MIB)
    assert opened.measure() == 16 * MIB
    opened.close()


def test_an_attached_image_cannot_be_opened_again(opened):
    error = refused(Image, opened.path)
    assert error.windows_code == 32
    assert "another node" in error.detail


def test_closing_frees_the_lock(path):
    Image(path).close()
    Image(path).close()


def test_a_read_only_image_cannot_be_written(path):
    opened = Image(path, read_only=True)
    assert refused(opened.write, 0, b"x").windows_code == 19
    opened.close()


def test_a_missing_image_is_said_to_be_missing(tmp_path):
    assert refused(Image, str(tmp_path / "none.img")).windows_code == 2


@pytest.mark.parametrize("kind", ["directory", "pipe"])
def test_what_is_no_file_is_no_disk(tmp_path, kind):
    path = str(tmp_path / "thing")
    os.mkdir(path) if kind == "directory" else os.mkfifo(path)
    with pytest.raises(Win32Error):
        Image(path, read_only=True)


def test_a_file_too_short_for_a_disk_is_refused(tmp_path):
    path = tmp_path / "short.img"
    path.write_bytes(bytes(1000))
    error = refused(Image, str(path))
    assert error.windows_code == 1785
    assert "too few" in error.detail


def test_a_file_cut_under_a_disk_is_an_input_output_error(opened):
    os.truncate(opened.path, 2 * MIB)
    assert refused(opened.read, 4 * MIB, 512).windows_code == 1117
    assert refused(opened.write, 4 * MIB, b"x").windows_code == 1117
    assert os.path.getsize(opened.path) == 2 * MIB
    assert opened.read(0, 4) == bytes(4)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, 112),
        (errno.EDQUOT, 112),
        (errno.EROFS, 19),
        (errno.EACCES, 5),
        (errno.EIO, 1117),
        (None, 1117),
    ],
)
def test_a_failure_of_the_host_has_windows_code(number, code):
    error = image.win32_error(OSError(number, "why"), "WriteFile", "disk.img")
    assert error.windows_code == code
    assert "disk.img" in str(error)


def test_a_closed_image_reads_no_other_files_bytes(path):
    opened = Image(path)
    opened.close()
    with open(path, "rb"):
        assert refused(opened.read, 0, 512).windows_code == 19
