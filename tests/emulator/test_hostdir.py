"""One descriptor and one name: what the host says becomes what Windows would say."""

import errno
import os
import resource
import sys

import pytest
from tests.emulator.ground import opened

from csiproxy.emulator import hostdir
from csiproxy.errors import Win32Error
from csiproxy.host.win32 import EntryKind


@pytest.mark.parametrize("number", hostdir.CODES)
def test_every_error_of_the_host_that_is_known_has_its_windows_code(number):
    with pytest.raises(Win32Error) as caught, hostdir.windows_errors("Call"):
        raise OSError(number, os.strerror(number))
    assert (caught.value.windows_code, caught.value.call) == (hostdir.CODES[number], "Call")


def test_an_unknown_error_is_a_general_failure():
    assert hostdir.failure(OSError(errno.ENOTTY, "x"), "Call").windows_code == 31


def test_an_error_without_a_number_is_a_general_failure():
    assert hostdir.failure(OSError("strange"), "Call").windows_code == 31


def fill(path):
    with open("/dev/full", "wb", buffering=0) as full:
        full.write(b"x")


def open_too_many(path):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        os.open(path, os.O_RDONLY)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def read_where_nothing_is(path):
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        memory.read(1)


PROVOKED = [
    (2, errno.ENOENT, lambda path: os.open(path / "nothing", os.O_RDONLY)),
    (183, errno.EEXIST, lambda path: os.mkdir(path / "directory")),
    (145, errno.ENOTEMPTY, lambda path: os.rmdir(path / "full")),
    (267, errno.ENOTDIR, lambda path: os.open(path / "file" / "x", os.O_RDONLY)),
    (4395, errno.ELOOP, lambda path: os.open(path / "link", os.O_RDONLY | os.O_NOFOLLOW)),
    (206, errno.ENAMETOOLONG, lambda path: os.open(path / ("x" * 300), os.O_RDONLY)),
    (5, errno.EISDIR, lambda path: os.open(path / "directory", os.O_WRONLY)),
    (5, errno.EPERM, lambda path: os.link(path / "directory", path / "another")),
    (6, errno.EBADF, lambda path: os.fstat(-1)),
    (87, errno.EINVAL, lambda path: os.rename(path / "directory", path / "directory" / "below")),
    (4, errno.EMFILE, open_too_many),
]
if sys.platform == "linux":
    PROVOKED += [
        (112, errno.ENOSPC, fill),
        (17, errno.EXDEV, lambda path: os.rename(path / "file", "/proc/file")),
        (1117, errno.EIO, read_where_nothing_is),
    ]


@pytest.mark.parametrize(
    ("code", "number", "provoke"), PROVOKED, ids=[errno.errorcode[number] for _, number, _ in PROVOKED]
)
def test_the_codes_are_those_of_what_really_happens(tmp_path, code, number, provoke):
    (tmp_path / "directory").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(Win32Error) as caught, hostdir.windows_errors("Call"):
        provoke(tmp_path)
    assert caught.value.__cause__.errno == number
    assert (caught.value.windows_code, caught.value.call) == (code, "Call")


def test_a_name_is_found_however_it_is_spelt(tmp_path):
    (tmp_path / "Größe").touch()
    with opened(tmp_path) as directory:
        assert hostdir.find(directory, "GRÖßE", "Call") == "Größe"
        assert hostdir.find(directory, "GRÖSSE", "Call") is None
        with pytest.raises(Win32Error) as caught:
            hostdir.spelling(directory, "other", "Call")
        assert caught.value.windows_code == 2


def test_a_neighbour_whose_name_is_no_text_hinders_nobody(tmp_path):
    (tmp_path / os.fsdecode(b"\xff")).touch()
    (tmp_path / "name").touch()
    with opened(tmp_path) as directory:
        assert hostdir.find(directory, "NAME", "Call") == "name"
        assert sorted(hostdir.listing(directory)) == ["name", "\udcff"]


def test_nothing_is_found_in_a_directory_that_was_removed(tmp_path):
    (tmp_path / "a").mkdir()
    with opened(tmp_path / "a") as directory:
        (tmp_path / "a").rmdir()
        assert hostdir.find(directory, "x", "Call") is None
        with pytest.raises(Win32Error) as caught:
            hostdir.spelling(directory, "x", "Call")
        assert caught.value.windows_code == 2


def test_of_two_equal_names_none_is_picked(tmp_path):
    (tmp_path / "pod").mkdir()
    (tmp_path / "POD").mkdir()
    with opened(tmp_path) as directory, pytest.raises(Win32Error) as caught:
        hostdir.find(directory, "pod", "Call")
    assert caught.value.windows_code == 1392


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "nul", "a\0"])
def test_a_name_that_windows_cannot_have_is_not_even_looked_for(tmp_path, name):
    with opened(tmp_path) as directory, pytest.raises(Win32Error) as caught:
        hostdir.find(directory, name, "Call")
    assert caught.value.windows_code == 123


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b", "\ud800"])
def test_the_status_of_anything_but_one_name_is_refused(tmp_path, name):
    with opened(tmp_path) as directory, pytest.raises(OSError, match="argument"):
        hostdir.status(directory, name)


def test_the_place_of_a_directory_follows_it(tmp_path):
    (tmp_path / "a").mkdir()
    with opened(tmp_path / "a") as directory:
        assert hostdir.location(directory, "Call") == str(tmp_path / "a")
        (tmp_path / "a").rename(tmp_path / "b")
        assert hostdir.location(directory, "Call") == str(tmp_path / "b")


def test_a_removed_directory_has_no_place(tmp_path):
    (tmp_path / "a").mkdir()
    with opened(tmp_path / "a") as directory:
        (tmp_path / "a").rmdir()
        with pytest.raises(Win32Error) as caught:
            hostdir.location(directory, "Call")
        assert caught.value.windows_code == 2


def test_a_directory_may_be_called_deleted(tmp_path):
    (tmp_path / "a (deleted)").mkdir()
    with opened(tmp_path / "a (deleted)") as directory:
        assert hostdir.location(directory, "Call") == str(tmp_path / "a (deleted)")


def test_a_removed_directory_is_not_taken_for_another_of_the_kernels_spelling(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a (deleted)").mkdir()
    with opened(tmp_path / "a") as directory:
        (tmp_path / "a").rmdir()
        with pytest.raises(Win32Error):
            hostdir.location(directory, "Call")


@pytest.fixture
def kinds(tmp_path):
    """A directory with a directory, a file, a link and a pipe in it, named by their first letters."""
    (tmp_path / "d").mkdir()
    (tmp_path / "f").touch()
    (tmp_path / "l").symlink_to("d")
    os.mkfifo(tmp_path / "p")
    return tmp_path


def test_kinds_are_told_apart_without_following(kinds):
    with opened(kinds) as directory:
        found = [hostdir.kind_of(hostdir.status(directory, name).st_mode) for name in "dflp"]
    other = EntryKind.OTHER_REPARSE_POINT
    assert found == [EntryKind.DIRECTORY, EntryKind.FILE, other, other]


def test_why_a_name_is_no_directory_is_said(kinds):
    with opened(kinds) as directory:
        assert hostdir.not_a_directory(directory, "f", "Call").windows_code == 267
        assert hostdir.not_a_directory(directory, "l", "Call").windows_code == 4395
        with pytest.raises(Win32Error) as caught:
            hostdir.not_a_directory(directory, "missing", "Call")
        assert caught.value.windows_code == 2


def test_only_a_real_directory_is_opened_and_nothing_is_waited_for(kinds):
    with opened(kinds) as directory:
        os.close(hostdir.open_below(directory, "d"))
        for name in "flp":
            with pytest.raises(OSError, match=r"directory|symbolic") as caught:
                hostdir.open_below(directory, name)
            assert hostdir.is_not_a_directory(caught.value)
        with pytest.raises(FileNotFoundError) as missing:
            hostdir.open_below(directory, "missing")
        assert not hostdir.is_not_a_directory(missing.value)


def test_listing_leaves_the_callers_position_alone(tmp_path):
    (tmp_path / "a").touch()
    with opened(tmp_path) as directory:
        assert hostdir.listing(directory) == hostdir.listing(directory) == ["a"]
        assert os.listdir(directory) == ["a"]
