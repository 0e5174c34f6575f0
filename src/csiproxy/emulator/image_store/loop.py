"""Loop devices: a part of an image as a block device of its own, for as long as somebody has it open.

The kernel takes such a device away at its last close (LO_FLAGS_AUTOCLEAR), whoever dies.  It shares the open
file of the image, so the image stays locked as long as the device is there.  Structures and numbers:
``linux/loop.h``; LOOP_CONFIGURE is in Linux since 5.8.
"""

import errno
import fcntl
import os
import stat
import struct
import sys
from contextlib import suppress
from typing import Self

from csiproxy.emulator.image import CLOSE_ON_EXEC, SECTOR, win32_error

assert sys.platform != "win32"  # noqa: S101  mypy stops here for Windows, where this is never imported

CONTROL = "/dev/loop-control"
_MAJOR = 7
_CONFIGURE, _GET_FREE = 0x4C0A, 0x4C82
_READ_ONLY, _AUTOCLEAR = 1, 4
# struct loop_config: the backing file, the block size, struct loop_info64 and eight reserved numbers.
_CONFIG = struct.Struct("=II QQQQQIIII 64s64s32sQQ 64x")
# How often another process may take the free device that the kernel has named.
_ATTEMPTS = 64


class LoopDevice:
    """Bytes ``offset`` to ``offset + size`` of an open file as a block device, until it is closed.

    Whoever opens ``path`` meanwhile keeps it for as long as it has it open.  Raises Win32Error.
    """

    def __init__(self, backing: int, offset: int, size: int, *, read_only: bool) -> None:
        flags = _AUTOCLEAR | (_READ_ONLY if read_only else 0)
        config = _CONFIG.pack(backing, SECTOR, 0, 0, 0, offset, size, 0, 0, 0, flags, b"", b"", b"", 0, 0)
        try:
            self.path, self._descriptor = _configured(config, read_only)
        except OSError as error:
            raise win32_error(error, "CreateFileW", "a loop device") from error

    def sync(self) -> None:
        """Have everything written to the device reach the image, and the image the host's disk."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise win32_error(error, "FlushFileBuffers", self.path) from error

    def close(self) -> None:
        """Let go of it; once more does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _configured(config: bytes, read_only: bool) -> tuple[str, int]:
    """A free device with that configuration: its path and a descriptor of it."""
    control = os.open(CONTROL, os.O_RDWR | CLOSE_ON_EXEC)
    try:
        for _ in range(_ATTEMPTS):
            number = fcntl.ioctl(control, _GET_FREE)
            path = f"/dev/loop{number}"
            _make_node(path, number)
            descriptor = os.open(path, (os.O_RDONLY if read_only else os.O_RDWR) | CLOSE_ON_EXEC)
            try:
                fcntl.ioctl(descriptor, _CONFIGURE, config)
            except OSError as error:
                os.close(descriptor)
                if error.errno != errno.EBUSY:
                    raise
            else:
                return path, descriptor
    finally:
        os.close(control)
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def _make_node(path: str, number: int) -> None:
    """Make the device's file where nobody does so by himself, as in a container with a /dev of its own."""
    if not os.path.exists(path):
        with suppress(FileExistsError):
            os.mknod(path, stat.S_IFBLK | 0o600, os.makedev(_MAJOR, number))


def backing_files() -> set[str]:
    """The paths of all files that are behind a loop device of the host now."""
    found = set()
    with suppress(OSError):
        for name in os.listdir("/sys/block"):
            with suppress(OSError), open(f"/sys/block/{name}/loop/backing_file") as file:
                found.add(file.read().rstrip("\n"))
    return found
