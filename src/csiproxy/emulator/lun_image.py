"""A LUN as an image file: for file systems that want a real file or block device below them.

The file is a FUSE mount in the node's directory, served by a process of its own that ends with the node; its
reads and writes come back here and go to the target on the node's one session.  A target that does not
answer is an I/O error for whoever uses the file, in bounded time, like for the node itself.
"""

import errno
import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from hashlib import sha256
from typing import IO

from csiproxy.emulator import fuse, lun_mount
from csiproxy.emulator.image import Image
from csiproxy.emulator.lun import Lun
from csiproxy.emulator.lun_mount import ANSWER, FAILED, FILE, LARGEST, ORDER, READY, Order, receive
from csiproxy.errors import Win32Error, WindowsCode

DIRECTORY = "luns"
# How long a mount may take, and how long its process may take to end (seconds).
_START_SECONDS, _END_SECONDS = 30.0, 10.0
_ERRNOS = {WindowsCode.WRITE_PROTECT: errno.EROFS, WindowsCode.INVALID_PARAMETER: errno.ENOSPC}


class LunImage(Image):
    """The sectors of a unit, through its file.

    ``directory`` is the node's own.  Raises Win32Error (50) when the file cannot be on this host.
    """

    def __init__(self, directory: str, lun: Lun, *, read_only: bool) -> None:
        self._lun = lun
        self._mount = LunMount(os.path.join(directory, DIRECTORY, _name(lun.path)), lun)
        try:
            super().__init__(self._mount.file, read_only=read_only)
        except BaseException:
            self._mount.close()
            raise

    def measure(self) -> int:
        """Ask the target for the size again, and return it; a target that does not answer changes nothing."""
        with suppress(OSError):
            return super().measure()
        return self.size

    def grow(self, size: int) -> None:
        """Refused: a unit is grown on its target."""
        self._lun.grow(size)

    def close(self) -> None:
        """Close the file and take it away."""
        with suppress(OSError):  # of a mount whose process was killed; closed it is all the same
            super().close()
        self._mount.close()
        self._lun.close()


class LunMount:
    """The mount of one LUN, and a thread that does what its process asks for."""

    def __init__(self, mountpoint: str, lun: Lun) -> None:
        self._mountpoint = mountpoint
        self._lun = lun
        self.file = os.path.join(mountpoint, FILE)
        fuse.unmount(mountpoint)  # what an earlier node may have left, whose processes were all killed
        try:
            os.makedirs(mountpoint, mode=0o700, exist_ok=True)
        except OSError as error:
            raise Win32Error(WindowsCode.NOT_SUPPORTED, "CreateFileW", f"{mountpoint}: {error}") from error
        self._connection, other = socket.socketpair()
        with other:
            self._process = subprocess.Popen(  # noqa: S603 - the program's own
                [sys.executable, "-m", lun_mount.__name__, mountpoint, str(other.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[other.fileno()],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            )
        self._server = threading.Thread(target=self._serve, name=f"lun {lun.path}", daemon=True)
        self._server.start()
        said = self._first_line()
        if said != READY:
            self.close()
            problem = said.removeprefix(FAILED).strip() or "the process that mounts it has died"
            raise Win32Error(WindowsCode.NOT_SUPPORTED, "CreateFileW", f"{lun.path} as a file: {problem}")

    def close(self) -> None:
        """Take the mount away, whoever uses it; when this returns, nothing of it is left."""
        with suppress(OSError):
            _pipe(self._process.stdin).close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _pipe(self._process.stdout).close()
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._server.join()
        self._connection.close()
        fuse.unmount(self._mountpoint)
        with suppress(OSError):
            os.rmdir(self._mountpoint)

    def _first_line(self) -> str:
        """What the process says first; nothing when it dies, or is killed for saying nothing in time."""
        killer = threading.Timer(_START_SECONDS, self._process.kill)
        killer.start()
        try:
            return _pipe(self._process.stdout).readline().decode("utf-8", "replace").strip()
        finally:
            killer.cancel()

    def _serve(self) -> None:
        """Do what the process asks for, until it has gone."""
        try:
            while True:
                order, offset, length = ORDER.unpack(receive(self._connection, ORDER.size))
                self._connection.sendall(self._answer(order, offset, length))
        except (EOFError, OSError):
            return

    def _answer(self, order: int, offset: int, length: int) -> bytes:
        data = receive(self._connection, length) if order == Order.WRITE else b""
        number, found = 0, b""
        try:
            if order == Order.SIZE:
                number = self._lun.measure()
            elif order == Order.READ and length <= LARGEST:
                found = self._lun.read(offset, length)
            elif order == Order.WRITE:
                self._lun.write(offset, data)
            elif order == Order.SYNC:
                self._lun.sync()
            else:
                return ANSWER.pack(errno.EINVAL, 0, 0)
        except Win32Error as error:
            known = {int(code): value for code, value in _ERRNOS.items()}
            return ANSWER.pack(known.get(error.windows_code, errno.EIO), 0, 0)
        return ANSWER.pack(0, number, len(found)) + found


def clear_stale(directory: str) -> None:
    """Take away the mounts of an earlier node whose processes were all killed."""
    root = os.path.join(directory, DIRECTORY)
    for name in os.listdir(root) if os.path.isdir(root) else ():
        fuse.unmount(os.path.join(root, name))
        with suppress(OSError):
            os.rmdir(os.path.join(root, name))


def _name(unit: str) -> str:
    return sha256(unit.encode()).hexdigest()[:32]


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - both were asked for
    return pipe
