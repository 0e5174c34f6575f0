"""Images with a file system in a partition, made and read by the file systems' own tools alone."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from csiproxy.emulator import image
from csiproxy.emulator.image import Image
from csiproxy.emulator.image_store import programs
from csiproxy.emulator.image_store.loop import LoopDevice, backing_files

MIB = 1 << 20

MAKERS = {
    "NTFS": ("mkntfs", "-Q", "-q", "-F", "-c", "4096", "-L"),
    "FAT32": ("mkfs.vfat", "-F", "32", "-s", "1", "-n"),
    "exFAT": ("mkfs.exfat", "-L"),
}
CHECKS = {
    "NTFS": ("ntfsfix", "-n"),
    "FAT32": ("fsck.fat", "-n"),
    "exFAT": ("fsck.exfat", "-n"),
}


def tool(*command: str) -> str:
    """Run a foreign tool that has to succeed; what it printed."""
    done = subprocess.run(
        [programs.find(command[0]), *command[1:]],
        capture_output=True,
        text=True,
        env=programs.ENVIRONMENT,
        timeout=60,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def make(path: str, kind: str, label: str, size: int = 48 * MIB) -> str:
    """A file that is one file system, without a partition table."""
    with open(path, "wb") as file:
        file.truncate(size)
    tool(*MAKERS[kind], label, path)
    return path


@dataclass(frozen=True)
class Part:
    """The whole of a file as the bytes of a partition."""

    path: str

    @property
    def size(self) -> int:
        return os.path.getsize(self.path)

    def read(self, offset: int, length: int) -> bytes:
        with open(self.path, "rb") as file:
            file.seek(offset)
            return file.read(length)


@dataclass(frozen=True)
class Held:
    """Bytes in memory as those of a partition."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]


@contextmanager
def opened(directory: Path, size: int = 64 * MIB) -> Iterator[Image]:
    """A fresh disk image."""
    path = str(directory / "disk.img")
    if not os.path.exists(path):
        image.create(path, size)
    disk = Image(path)
    try:
        yield disk
    finally:
        disk.close()


def check(path: str, offset: int, size: int, kind: str) -> str:
    """Let the file system's own checker judge the bytes of a partition."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with LoopDevice(descriptor, offset, size, read_only=True) as device:
            return tool(*CHECKS[kind], device.path)
    finally:
        os.close(descriptor)


def left_behind(directory: Path) -> list[str]:
    """Mounts, loop devices and processes of anything below a directory."""
    base = str(directory)
    with open("/proc/self/mountinfo") as file:
        found = [line.split()[4] for line in file if line.split()[4].startswith(base)]
    found += [f"loop device of {path}" for path in backing_files() if path.startswith(base)]
    for pid in os.listdir("/proc"):
        if pid.isdigit() and int(pid) != os.getpid():
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    command = file.read().split(b"\0")
            except OSError:
                continue
            if any(part.startswith(base.encode() + b"/") for part in command[1:]):
                found.append(b" ".join(command).decode("utf-8", "replace"))
    return found
