"""The process that shows a LUN as a file: ``python -m csiproxy.emulator.lun_mount MOUNTPOINT DESCRIPTOR``.

The file ``MOUNTPOINT/lun`` has the LUN's size and sectors.  Every read and write is handed to the node at
once, through the socket that the descriptor is, and nothing is kept here; the session with the target, and
its secrets, are the node's alone.  Once the file is there ``READY`` is written to standard output, or
``FAILED`` with the reason.  The mount ends when standard input does: with the node, however that ends.
"""

import errno
import logging
import os
import socket
import stat
import struct
import sys
import threading
from collections.abc import Callable
from enum import IntEnum
from typing import BinaryIO

from csiproxy.emulator import fuse
from csiproxy.emulator.fuse import CannotMount

READY, FAILED = "READY", "FAILED"
FILE = "lun"
TYPE = "csi-proxy-lun"
_ROOT, _PATH = "/", f"/{FILE}"
_BLOCK = 512
# What one order may move; libfuse asks for less.
LARGEST = 1 << 20


class Order(IntEnum):
    """What the node is asked for."""

    SIZE = 1
    READ = 2
    WRITE = 3
    SYNC = 4


# An order: what, where, how many bytes (that are wanted, or that follow).  An answer: errno or 0, a number,
# how many bytes follow.
ORDER = struct.Struct("=BQI")
ANSWER = struct.Struct("=iQI")


class NodeLink:
    """The node at the other end of the socket.  Safe to use from libfuse's threads; one order at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def ask(self, order: Order, offset: int = 0, length: int = 0, data: bytes = b"") -> tuple[int, bytes]:
        """Have an order done: a number and bytes.  OSError when it fails or the node has gone."""
        try:
            with self._lock:
                self._connection.sendall(ORDER.pack(order, offset, len(data) or length) + data)
                number, value, size = ANSWER.unpack(receive(self._connection, ANSWER.size))
                answer = receive(self._connection, size)
        except (EOFError, OSError) as error:
            raise OSError(errno.EIO, os.strerror(errno.EIO)) from error
        if number:
            raise OSError(number, os.strerror(number))
        return value, answer


def receive(connection: socket.socket, length: int) -> bytes:
    """So many bytes; EOFError when the connection ends before."""
    parts = []
    while length:
        part = connection.recv(length)
        if not part:
            raise EOFError("the other end has gone")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


class LunFile:
    """A directory with one file, as mfusepy calls it with host paths and numbers of open files.

    https://libfuse.github.io/doxygen/structfuse__operations.html
    """

    use_ns = True

    def __init__(self, node: NodeLink, mounted: Callable[[], None]) -> None:
        self._node = node
        self._mounted = mounted

    def init(self, path: str) -> None:  # noqa: ARG002 - libfuse's
        """The kernel has mounted it."""
        self._mounted()

    def getattr(self, path: str, file: int | None = None) -> dict[str, int]:  # noqa: ARG002
        """What is there: the directory and the file."""
        if path == _ROOT:
            return {"st_mode": stat.S_IFDIR | 0o700, "st_nlink": 2}
        _require(path)
        size, _ = self._node.ask(Order.SIZE)
        return {
            "st_mode": stat.S_IFREG | 0o600,
            "st_nlink": 1,
            "st_size": size,
            "st_blksize": _BLOCK,
            "st_blocks": size // _BLOCK,
        }

    def readdir(self, path: str, file: int) -> list[str]:  # noqa: ARG002
        """The names in the directory."""
        return [".", "..", FILE]

    def open(self, path: str, flags: int) -> int:  # noqa: ARG002 - the kernel has checked them
        """Open the file; it is the same for everybody."""
        _require(path)
        return 0

    def read(self, path: str, size: int, offset: int, file: int) -> bytes:  # noqa: ARG002
        """Bytes of the LUN."""
        return self._node.ask(Order.READ, offset, min(size, LARGEST))[1]

    def write(self, path: str, data: bytes, offset: int, file: int) -> int:  # noqa: ARG002
        """Write to the LUN; how much, which may be less than there is."""
        part = data[:LARGEST]
        self._node.ask(Order.WRITE, offset, data=part)
        return len(part)

    def fsync(self, path: str, only_data: int, file: int) -> int:  # noqa: ARG002
        """Return when the target has everything written down."""
        self._node.ask(Order.SYNC)
        return 0


def _require(path: str) -> None:
    if path != _PATH:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))


def main(mountpoint: str, descriptor: int, lifetime: BinaryIO) -> int:
    """Mount, and return when the mount has ended."""
    logging.disable()  # what fails is told to whoever asked for it, through the kernel
    try:
        _mount(mountpoint, NodeLink(socket.socket(fileno=descriptor)), lifetime)
    except CannotMount as error:
        _say(f"{FAILED} {error}")
        return 1
    return 0


def _mount(mountpoint: str, node: NodeLink, lifetime: BinaryIO) -> None:
    mount = fuse.library("iscsi")
    mounted = threading.Event()
    threading.Thread(target=_serve, args=(mountpoint, lifetime, mounted), daemon=True).start()
    # Nothing is kept by the kernel either: what one descriptor writes the next one reads from the target.
    options = {"direct_io": True, "attr_timeout": 0, "entry_timeout": 0}
    try:
        mount(LunFile(node, mounted.set), mountpoint, foreground=True, fsname=FILE, subtype=TYPE, **options)
    except RuntimeError as error:
        raise CannotMount(
            f"the kernel refuses the mount (FUSE error {error}): run the node as root"
        ) from error


def _serve(mountpoint: str, lifetime: BinaryIO, mounted: threading.Event) -> None:
    """Say when the file is there, and take the mount away when there is nobody left to ask."""
    mounted.wait()
    own = os.stat(mountpoint).st_dev
    _say(READY)
    lifetime.read()
    # The next node may have mounted another one at this place already.
    if os.stat(mountpoint).st_dev == own:
        fuse.unmount(mountpoint)
    os._exit(0)


def _say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.stdin.buffer))
