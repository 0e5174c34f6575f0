"""FAT32 volumes that mkfs.vfat has made and fsck.fat has to approve of."""

import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest
from tests.conftest import find_foreign

from csiproxy.emulator.fat_driver.tree import Tree
from csiproxy.emulator.fat_driver.volume import Volume


class Disk:
    """A file with a FAT32, made once and copied for each test."""

    def __init__(self, path):
        self.path = str(path)

    @contextmanager
    def volume(self, read_only=False):
        descriptor = os.open(self.path, os.O_RDONLY if read_only else os.O_RDWR)
        try:
            volume = Volume(descriptor, read_only=read_only)
            yield volume
            volume.close()
        finally:
            os.close(descriptor)

    @contextmanager
    def tree(self, read_only=False):
        with self.volume(read_only) as volume:
            yield Tree(volume)

    def check(self):
        """What fsck.fat says; it must find nothing."""
        done = subprocess.run(
            [find_foreign("fsck.fat"), "-n", "-v", self.path], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def damage(self, at, value):
        with open(self.path, "r+b") as file:
            file.seek(at)
            file.write(value)

    def bytes_at(self, at, length):
        with open(self.path, "rb") as file:
            file.seek(at)
            return file.read(length)


def make_disk(path, per_cluster=1, size=40 << 20):
    with open(path, "wb") as file:
        file.truncate(size)
    command = [find_foreign("mkfs.vfat"), "-F", "32", "-s", str(per_cluster), "-n", "TEST", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path


@pytest.fixture(scope="session")
def blank(tmp_path_factory):
    """A fresh volume; tests copy it."""
    return make_disk(tmp_path_factory.mktemp("fat") / "blank")


@pytest.fixture
def disk(blank, tmp_path):
    path = tmp_path / "disk"
    shutil.copy(blank, path)
    return Disk(path)
