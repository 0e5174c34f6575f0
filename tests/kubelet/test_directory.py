import os
import socket
from contextlib import contextmanager

import pytest
from tests.running import until

from csiproxy.kubelet.directory import SocketDirectory


class Seen:
    def __init__(self) -> None:
        self.appeared: list[str] = []
        self.vanished: list[str] = []


@pytest.fixture
def seen():
    return Seen()


@pytest.fixture
def watched(short_directory, seen):
    directory = SocketDirectory(str(short_directory / "r"), seen.appeared.append, seen.vanished.append)
    directory.start()
    yield short_directory / "r"
    directory.stop()


@contextmanager
def bound(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        yield str(path)


def test_the_directory_is_made(watched):
    assert watched.is_dir()


def test_sockets_come_and_go_and_nothing_else_is_told_of_as_one(watched, seen):
    (watched / "file").write_text("x")
    (watched / "directory").mkdir()
    with bound(watched / ".hidden"), bound(watched / "a.sock") as path:
        until(lambda: seen.appeared)
        os.unlink(path)
        until(lambda: path in seen.vanished)
    assert seen.appeared == [path]


def test_a_socket_is_found_in_a_directory_that_is_made_later_or_moved_there(watched, seen, short_directory):
    (watched / "sub").mkdir()
    with bound(watched / "sub" / "a.sock") as first:
        until(lambda: first in seen.appeared)
        (short_directory / "ready").mkdir()
        with bound(short_directory / "ready" / "b.sock"):
            os.rename(short_directory / "ready", watched / "moved")
            until(lambda: str(watched / "moved" / "b.sock") in seen.appeared)


def test_a_socket_that_is_renamed_is_gone_from_one_place_and_there_at_another(watched, seen):
    with bound(watched / "a") as path:
        until(lambda: path in seen.appeared)
        os.rename(path, watched / "b")
        until(lambda: path in seen.vanished)
        until(lambda: str(watched / "b") in seen.appeared)


def test_what_is_there_at_start_is_found_by_the_same_rules(short_directory, seen):
    base = short_directory / "r"
    (base / "sub").mkdir(parents=True)
    (base / "file").write_text("x")
    (base / "link").symlink_to(base / "sub" / "a")
    with bound(base / "sub" / "a"), bound(base / ".b"), bound(base / "c"):
        found = set(SocketDirectory(str(base), print, print).sockets())
    assert found == {str(base / "sub" / "a"), str(base / "c")}


def test_ten_thousand_ordinary_files_tell_nobody_anything(watched, seen):
    for number in range(10_000):
        (watched / f"f{number}").touch()
    with bound(watched / "a.sock") as path:
        until(lambda: seen.appeared)
        assert seen.appeared == [path]
