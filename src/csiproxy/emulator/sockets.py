"""The node's local socket: ``node.sock`` in its directory, for its own user and root only."""

import errno
import os
import selectors
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

SOCKET_NAME = "node.sock"

# What fits into sockaddr_un with its final zero, on the strictest host (macOS; Linux has four bytes more).
LONGEST_PATH = 103
BACKLOG = 128

if sys.platform == "win32":
    FAMILY = socket.AF_UNSPEC
else:
    FAMILY = socket.AF_UNIX


def listen(directory: str) -> socket.socket:
    """Open the node's socket.  The caller holds the node's lock, so one that is there already is dead."""
    server = socket.socket(FAMILY, socket.SOCK_STREAM)
    try:
        with _address(directory) as path:
            with suppress(FileNotFoundError):
                os.unlink(path)
            before = os.umask(0o177)
            try:
                server.bind(path)
            finally:
                os.umask(before)
        server.listen(BACKLOG)
    except BaseException:
        server.close()
        raise
    return server


def remove(directory: str) -> None:
    """Take the socket's name away."""
    with suppress(FileNotFoundError):
        os.unlink(os.path.join(directory, SOCKET_NAME))


def dial(directory: str) -> socket.socket:
    """Connect to the node; FileNotFoundError or ConnectionRefusedError when none runs."""
    client = socket.socket(FAMILY, socket.SOCK_STREAM)
    try:
        with _address(directory) as path:
            client.connect(path)
    except BaseException:
        client.close()
        raise
    return client


def is_of_own_user_or_root(connection: socket.socket) -> bool:
    """Whether the process at the other end runs as this one's user or as root, as the kernel says."""
    if sys.platform == "win32":
        return False
    else:  # noqa: RET505 - mypy for Windows must not read on
        return _peer_uid(connection) in (os.geteuid(), 0)


def peer_process(connection: socket.socket) -> int | None:
    """The process at the other end; None where the kernel does not say."""
    if sys.platform == "linux":
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", credentials)[0])
    else:  # noqa: RET505 - mypy for other platforms must not read on
        return None


def has_hung_up(connection: socket.socket) -> bool:
    """Whether the other end is closed, and has sent nothing that was not read."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        if not selector.select(0):
            return False
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except OSError:
        return True


def _peer_uid(connection: socket.socket) -> int:
    if sys.platform == "linux":
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", credentials)[1])
    else:  # noqa: RET505
        # LOCAL_PEERCRED of macOS (and the BSDs) gives a struct xucred: its version, then the user.
        level, option, room = 0, 1, 76
        return int(struct.unpack_from("II", connection.getsockopt(level, option, room))[1])


@contextmanager
def _address(directory: str) -> Iterator[str]:
    """A path of the socket that is short enough for the kernel."""
    path = os.path.join(directory, SOCKET_NAME)
    if len(os.fsencode(path)) <= LONGEST_PATH:
        yield path
        return
    if not os.path.isdir("/proc/self/fd"):
        raise OSError(
            errno.ENAMETOOLONG,
            f"the node's directory has a path of more than {LONGEST_PATH - len(SOCKET_NAME) - 1} bytes, "
            "too long for a socket here: choose a shorter one",
            directory,
        )
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET_NAME}"
    finally:
        os.close(descriptor)
