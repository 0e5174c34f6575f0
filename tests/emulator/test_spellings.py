"""What is remembered of a directory is what is in it, whatever happens to it in between."""

import os
import time

import pytest
from tests.emulator.ground import opened

from csiproxy.emulator import spellings
from csiproxy.emulator.spellings import Spellings


class Counting:
    """Lists directories, and counts how often."""

    def __init__(self):
        self.count = 0

    def __call__(self, directory):
        self.count += 1
        return os.listdir(directory)


def let_rest(path):
    """Wait until a directory has been quiet for long enough to be remembered."""
    while os.stat(path).st_ctime_ns + spellings.QUIET > time.time_ns():
        time.sleep(0.01)


@pytest.fixture
def counting():
    return Counting()


def test_a_quiet_directory_is_listed_once(tmp_path, counting):
    (tmp_path / "Name").touch()
    let_rest(tmp_path)
    known = Spellings(counting)
    with opened(tmp_path) as directory:
        for name in ("name", "NAME", "Name", "other"):
            assert known.of(directory, name) == (("Name",) if name != "other" else ())
    assert counting.count == 1


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda path: (path / "NAME").touch(), {"Name", "NAME"}),
        (lambda path: (path / "Name").unlink(), set()),
        (lambda path: (path / "Name").rename(path / "nAME"), {"nAME"}),
        (lambda path: os.replace(path / "Name", path.parent / "elsewhere"), set()),
    ],
)
def test_a_change_is_seen_at_once_even_when_its_time_is_set_back(tmp_path, counting, change, found):
    home = tmp_path / "home"
    home.mkdir()
    (home / "Name").touch()
    let_rest(home)
    known = Spellings(counting)
    with opened(home) as directory:
        assert known.of(directory, "name") == ("Name",)
        before = os.stat(home)
        change(home)
        os.utime(home, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert set(known.of(directory, "name")) == found


def test_a_directory_in_motion_is_not_remembered(tmp_path, counting):
    known = Spellings(counting)
    with opened(tmp_path) as directory:
        for number in range(20):
            (tmp_path / f"a{number}").touch()
            assert known.of(directory, f"A{number}") == (f"a{number}",)
    assert counting.count == 20


def test_what_is_remembered_is_bounded(tmp_path, counting):
    known = Spellings(counting)
    paths = [tmp_path / f"{number}" for number in range(spellings.MOST_DIRECTORIES + 10)]
    for path in paths:
        path.mkdir()
    let_rest(paths[-1])
    for path in paths:
        with opened(path) as directory:
            assert known.of(directory, "x") == ()
    assert len(known._known) <= spellings.MOST_DIRECTORIES


def test_a_large_directory_is_searched_but_not_remembered(tmp_path, counting):
    for number in range(spellings.MOST_NAMES + 1):
        (tmp_path / f"n{number}").touch()
    let_rest(tmp_path)
    known = Spellings(counting)
    with opened(tmp_path) as directory:
        assert known.of(directory, "N7") == known.of(directory, "n7") == ("n7",)
    assert counting.count == 2
