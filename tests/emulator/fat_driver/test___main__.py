"""The driver as a process: a file system for anybody, sound whatever ends it."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest
from tests.running import until

from csiproxy.emulator.image_store.loop import LoopDevice

pytestmark = pytest.mark.mounts


class Mounted:
    def __init__(self, disk, directory, mode="rw"):
        self.directory = str(directory)
        with open(disk.path, "r+b") as file:
            self.device = LoopDevice(file.fileno(), 0, 40 << 20, read_only=mode == "ro")
        command = [
            sys.executable,
            "-m",
            "csiproxy.emulator.fat_driver",
            mode,
            self.device.path,
            self.directory,
        ]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE)
        until(lambda: os.path.ismount(self.directory) or self.process.poll() is not None)

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def end(self):
        subprocess.run(["umount", "-l", self.directory], capture_output=True)
        _, said = self.process.communicate(timeout=30)
        self.device.close()
        assert said == b""
        return self.process.returncode


@pytest.fixture
def mounted(mounting, disk, tmp_path):
    directory = tmp_path / "mount"
    directory.mkdir()
    mounted = Mounted(disk, directory)
    yield mounted
    if mounted.process.poll() is None:
        mounted.end()
        disk.check()
    else:
        subprocess.run(["umount", "-l", mounted.directory], capture_output=True)


def test_programs_use_it_as_any_file_system(mounted, tmp_path):
    source = tmp_path / "source"
    for number in range(50):
        below = source / f"Ordner {number % 5}" / "tief"
        below.mkdir(parents=True, exist_ok=True)
        (below / f"Datei {number} äöü.bin").write_bytes(os.urandom(1000 * number))
    shutil.copytree(source, mounted.path("tree"))
    compared = subprocess.run(["diff", "-r", str(source), mounted.path("tree")], capture_output=True)
    assert compared.returncode == 0, compared.stdout
    shutil.rmtree(mounted.path("tree", "Ordner 0"))
    os.rename(mounted.path("tree"), mounted.path("other"))
    assert len(os.listdir(mounted.path("OTHER"))) == 4


def test_many_processes_write_at_once(mounted):
    def work(number):
        for index in range(20):
            with open(mounted.path(f"{number}-{index}"), "ab") as file:
                for _ in range(5):
                    file.write(b"%d\n" % number)
                    file.flush()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(4):
        for index in range(20):
            with open(mounted.path(f"{number}-{index}"), "rb") as file:
                assert file.read() == b"%d\n" % number * 5


def test_files_can_be_opened_many_ways(mounted):
    path = mounted.path("file")
    with open(path, "w+b") as file:
        file.write(b"0123456789")
        file.truncate(5)
        file.seek(8)
        file.write(b"x")
        os.fsync(file.fileno())
        os.unlink(path)
        file.seek(0)
        assert file.read() == b"01234\0\0\0x"
    with pytest.raises(OSError) as refusal:
        os.symlink("target", path)
    assert refusal.value.errno in (errno.EPERM, errno.ENOSYS)
    with open(path, "w"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    assert os.stat(path).st_mtime == 1_000_000_000
    os.replace(path, mounted.path("another"))
    assert os.listdir(mounted.directory) == ["another"]
    assert os.path.exists(mounted.path("ANOTHER"))


def test_a_full_volume_says_so_and_stays_sound(mounted):
    with open(mounted.path("huge"), "wb", buffering=0) as file, pytest.raises(OSError) as full:
        file.writelines(bytes(1 << 20) for _ in range(64))
    assert full.value.errno == errno.ENOSPC
    room = os.statvfs(mounted.directory)
    assert room.f_bfree * room.f_frsize < 1 << 20
    os.unlink(mounted.path("huge"))
    until(lambda: os.statvfs(mounted.directory).f_bfree > 30000)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_driver_that_is_ended_has_written_everything(mounted, disk, number):
    file = os.open(mounted.path("file"), os.O_WRONLY | os.O_CREAT)
    os.write(file, b"data" * 5000)
    mounted.process.send_signal(number)
    mounted.process.communicate(timeout=30)
    for call in (lambda: os.write(file, b"more"), lambda: os.stat(mounted.directory), lambda: os.close(file)):
        with pytest.raises(OSError) as refusal:
            call()
        assert refusal.value.errno == errno.ENOTCONN
    mounted.device.sync()
    with disk.tree(read_only=True) as tree:
        assert tree.read(tree.find(tree.root, "file"), 0, 1 << 20) == b"data" * 5000
    if number == signal.SIGTERM:
        disk.check()


def test_a_read_only_mount_is_not_written(mounting, disk, tmp_path):
    with disk.tree() as tree:
        tree.write(tree.create(tree.root, "file", is_directory=False), 0, b"data")
    before = disk.bytes_at(0, 40 << 20)
    directory = tmp_path / "mount"
    directory.mkdir()
    mounted = Mounted(disk, directory, "ro")
    with open(mounted.path("file"), "rb") as file:
        assert file.read() == b"data"
    with pytest.raises(OSError) as refusal:
        os.unlink(mounted.path("file"))
    assert refusal.value.errno == errno.EROFS
    assert mounted.end() == 0
    assert disk.bytes_at(0, 40 << 20) == before


def test_what_is_no_fat32_is_refused_in_words(mounting, disk, tmp_path):
    disk.damage(11, bytes(2))
    with open(disk.path, "r+b") as file, LoopDevice(file.fileno(), 0, 40 << 20, read_only=False) as device:
        command = [sys.executable, "-m", "csiproxy.emulator.fat_driver", "rw", device.path, str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == f"{device.path} cannot be mounted as FAT32: Invalid argument\n"
