"""Directories that workloads fill: measured, flushed and emptied whatever is in them."""

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from csiproxy.emulator import volume_files
from csiproxy.emulator.exchange import EXCHANGE, rename_with_flags


def test_files_count_in_clusters_and_once_each(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "one").write_bytes(b"x")
    (tmp_path / "below" / "two").write_bytes(bytes(4097))
    (tmp_path / "empty").write_bytes(b"")
    os.link(tmp_path / "one", tmp_path / "same")
    os.symlink("/etc/passwd", tmp_path / "link")
    os.mkfifo(tmp_path / "pipe")
    assert volume_files.used_bytes(str(tmp_path), 4096) == 3 * 4096
    assert volume_files.used_bytes(str(tmp_path / "none"), 4096) == 0


def test_emptying_follows_no_link(tmp_path):
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "kept").write_text("x")
    os.symlink(outside, inside / "link")
    (inside / "below").mkdir()
    os.symlink(outside, inside / "below" / "link")
    volume_files.empty(str(inside))
    assert os.listdir(inside) == []
    assert os.listdir(outside) == ["kept"]


def test_emptying_minds_no_permissions_and_no_odd_names(tmp_path):
    for name in ("a b", "-rf", "\udc80", "ü"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("x")
        (tmp_path / name).chmod(0o500)
    volume_files.empty(str(tmp_path))
    assert os.listdir(tmp_path) == []


def test_a_deep_tree_is_emptied_without_recursion(tmp_path):
    descriptor = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("directory-with-a-name", dir_fd=descriptor)
        below = os.open("directory-with-a-name", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    assert volume_files.used_bytes(str(tmp_path), 4096) == 0
    volume_files.empty(str(tmp_path))
    assert os.listdir(tmp_path) == []


def test_flushing_meets_pipes_and_links_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    os.symlink("nowhere", tmp_path / "link")
    (tmp_path / "file").write_text("x")
    volume_files.flush(str(tmp_path))
    assert stat.S_ISFIFO(os.stat(tmp_path / "pipe").st_mode)


@contextmanager
def swapping(directory: Path, outside: Path) -> Iterator[None]:
    """A workload that puts a link to outside in the place of a directory and takes it away, all the time."""
    ended = threading.Event()

    def swap() -> None:
        descriptor = os.open(directory, os.O_RDONLY)
        os.symlink(outside, "link", dir_fd=descriptor)
        with suppress(FileNotFoundError):  # both are emptied away in the end
            while not ended.is_set():
                rename_with_flags(descriptor, "link", "below", EXCHANGE)
        os.close(descriptor)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("act", ["measure", "flush", "empty"])
def test_a_link_that_takes_a_directorys_place_meanwhile_is_not_followed(tmp_path, act):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_bytes(bytes(1 << 20))
    for number in range(100):
        inside = tmp_path / f"inside{number}"
        (inside / "below").mkdir(parents=True)
        with swapping(inside, outside):
            if act == "measure":
                assert volume_files.used_bytes(str(inside), 4096) == 0
            elif act == "flush":
                volume_files.flush(str(inside))
            else:
                volume_files.empty(str(inside))
        assert os.listdir(outside) == ["kept"]
