"""Unix sockets: streams and listeners.

A socket's file is mode 0600; who may reach it is the directory's business, which is left as it is.
"""

import errno
import fcntl
import os
import select
import socket
import stat
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from csiproxy.rpc.stream import ClientStream, EndpointInUse, Peer, Stream

__all__ = ["EndpointInUse", "UnixListener", "UnixStream", "connect"]

assert sys.platform != "win32"  # noqa: S101  mypy stops here for Windows, whose endpoints are named pipes

_BACKLOG: Final = 1024
"""Connections that may wait to be accepted; a client that finds the line full is refused on Linux at once."""
_PATH_BYTES: Final = 107 if sys.platform == "linux" else 103
"""What fits into sun_path beside its final zero byte."""
_PATIENCE: Final = 5.0
"""Seconds to wait for a starter that holds the directory, or for a server whose backlog is full."""
_PAUSE: Final = 0.01
_MODE: Final = 0o600


def _address(path: str) -> str:
    if len(os.fsencode(path)) > _PATH_BYTES:
        text = f"the path is longer than the {_PATH_BYTES} bytes of a socket address; use a shorter directory"
        raise OSError(errno.ENAMETOOLONG, text, path)
    return path


class UnixStream:
    """A connected unix socket."""

    __slots__ = ("_peer", "_socket", "receive")

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        try:
            connected.setblocking(False)
            self._peer = _peer_of(connected)
        except OSError:
            connected.close()
            raise
        self.receive = connected.recv

    @property
    def peer(self) -> Peer:
        """The process at the other end, as of when it connected."""
        return self._peer

    def fileno(self) -> int:
        """The descriptor, -1 once closed."""
        return self._socket.fileno()

    def send(self, data: bytes) -> int:
        """Write what goes out now and give its count.  Raise BlockingIOError when nothing does."""
        return self._socket.send(data)

    def wait(self, *, write: bool, timeout: float | None) -> bool:
        """Block until it can be read (or written); False when ``timeout`` seconds passed."""
        poll = select.poll()
        poll.register(self._socket, select.POLLOUT if write else select.POLLIN)
        return bool(poll.poll(None if timeout is None else max(0.0, timeout) * 1000))

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def _peer_of(connected: socket.socket) -> Peer:
    """Ask the system who connected (unix(7), on macOS unix(4))."""
    if sys.platform == "linux":
        pid, uid, _ = struct.unpack("3i", connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return Peer(pid, uid)
    elif sys.platform == "darwin":  # noqa: RET505  mypy tells platforms apart by branches only
        level, peer_credentials, peer_pid = 0, 1, 2
        _, uid = struct.unpack_from("=II", connected.getsockopt(level, peer_credentials, 76))
        (pid,) = struct.unpack("=i", connected.getsockopt(level, peer_pid, 4))
        return Peer(pid, uid)
    else:
        return Peer(None, None)


def connect(path: str) -> ClientStream:
    """Connect to the server at ``path``.  Raise OSError; a full backlog is waited out for a few seconds."""
    end = time.monotonic() + _PATIENCE
    while True:
        connecting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connecting.setblocking(False)
            connecting.connect(_address(path))
            return UnixStream(connecting)
        except BlockingIOError:
            connecting.close()
            if time.monotonic() >= end:
                raise
            time.sleep(_PAUSE)
        except OSError:
            connecting.close()
            raise


class UnixListener:
    """A socket file that clients connect to.

    ``path`` is the file, ``name`` the endpoint's name.  A live server there raises EndpointInUse; a socket
    that a dead server left is replaced; anything else that stands there is left alone (FileExistsError).
    Two starters take turns by a lock on the directory.
    """

    def __init__(self, path: str, name: str) -> None:
        self.name = name
        self.path = _address(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.setblocking(False)
            with _turn(path):
                _clear(path)
                self._socket.bind(path)
                os.chmod(path, _MODE)  # nobody can connect before listen
                self._socket.listen(_BACKLOG)
                self._identity = _identity(path)
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """The descriptor, -1 once closed."""
        return self._socket.fileno()

    def accept(self) -> Stream:
        """Take the next connection.  Raise BlockingIOError when there is none."""
        return UnixStream(self._socket.accept()[0])

    def close(self) -> None:
        """Stop listening and remove the file, unless it is another server's by now."""
        if self._socket.fileno() < 0:
            return
        with suppress(OSError), _turn(self.path):
            if _identity(self.path) == self._identity:
                os.unlink(self.path)
        self._socket.close()


def _identity(path: str) -> tuple[int, int]:
    status = os.lstat(path)
    return status.st_dev, status.st_ino


@contextmanager
def _turn(path: str) -> Iterator[None]:
    """Hold the directory's lock while looking at and changing a socket file in it."""
    directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    text = "another process keeps the socket's directory locked; find and stop it"
                    raise OSError(errno.EBUSY, text, path) from None
                time.sleep(_PAUSE)
        yield
    finally:
        os.close(directory)


def _clear(path: str) -> None:
    """Make sure that nothing stands at ``path``, removing at most a dead socket."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(errno.EEXIST, "a file that is no socket is in the way; move it", path)
    if _is_live(path):
        raise EndpointInUse(path)
    os.unlink(path)


def _is_live(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return False
        except BlockingIOError:
            return True  # its backlog is full
        return True
