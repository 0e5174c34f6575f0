"""What somebody with write access to the node's directories can do while a proxy works in them: nothing."""

import os
import random
import shutil
import threading
from contextlib import suppress

import pytest
from tests.emulator.plain_volumes import FIRST

from csiproxy.errors import Win32Error
from csiproxy.host.win32 import EntryKind

ROUNDS = 150
NAMES = ("a", "b", "A")


class Meddler(threading.Thread):
    """A container that plants, swaps and fills names until it is told to stop."""

    def __init__(self, directory, outside, seed):
        super().__init__()
        self._directory = directory
        self._outside = outside
        self._random = random.Random(seed)
        self._told = threading.Event()

    def run(self):
        while not self._told.is_set():
            name = os.path.join(self._directory, self._random.choice(NAMES))
            act = self._random.choice([self._plant, self._fill, self._swap, self._clear])
            with suppress(OSError):
                act(name)

    def _plant(self, name):
        os.symlink(self._outside, name)

    def _fill(self, name):
        directory = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.mkdir("content", dir_fd=directory)
        finally:
            os.close(directory)

    def _swap(self, name):
        os.rename(name, name + " aside")
        os.symlink(self._outside, name)

    def _clear(self, name):
        for path in (name, name + " aside"):
            if os.path.islink(path):
                os.unlink(path)
            else:
                shutil.rmtree(path, ignore_errors=True)

    def stop(self):
        self._told.set()
        self.join()


@pytest.mark.parametrize("seed", range(3))
def test_a_proxy_at_work_among_meddlers_touches_nothing_outside(ground, seed):
    os.mkdir(ground.host("pod"))
    meddler = Meddler(ground.host("pod"), ground.outside, seed)
    win32 = ground.win32
    chance = random.Random(seed)
    seen = set()
    with ground.root(r"C:\pod") as pod:
        acts = [
            lambda name: win32.create_directory(pod, name),
            lambda name: win32.remove(pod, name, chance.choice(list(EntryKind))),
            lambda name: win32.set_link(pod, name, r"C:\pod\b", replace=True),
            lambda name: win32.set_mount_point(pod, name, FIRST),
            lambda name: win32.delete_mount_point(pod, name, FIRST),
            lambda name: win32.open_mounted(pod, name).close(),
            lambda name: win32.open_child(pod, name).close(),
            lambda _: seen.update(entry.kind for entry in win32.entries(pod)),
        ]
        meddler.start()
        try:
            for _ in range(ROUNDS):
                for act in acts:
                    with suppress(Win32Error):
                        act(chance.choice(NAMES))
        finally:
            meddler.stop()
        assert os.listdir(ground.outside) == ["secret"]
        assert os.listdir(ground.volumes.directories[FIRST]) == ["data"]
        # A link that is known leads where it says; all others are strangers.
        for entry in win32.entries(pod):
            path = ground.host("pod", entry.name)
            if entry.kind is EntryKind.SYMBOLIC_LINK:
                assert os.readlink(path) == "b"
            elif entry.kind is EntryKind.MOUNT_POINT:
                assert os.path.realpath(path) == ground.volumes.directories[FIRST]
            elif os.path.islink(path):
                assert entry.kind is EntryKind.OTHER_REPARSE_POINT
    assert EntryKind.OTHER_REPARSE_POINT in seen
    again = ground.restart()
    left = [name for name in os.listdir(ground.host("pod")) if name.startswith(".csi-proxy-")]
    # Only what a meddler filled, and whose name a meddler took, is left under a temporary name.
    assert all(os.listdir(ground.host("pod", name)) == ["content"] for name in left)
    again.state.close()
