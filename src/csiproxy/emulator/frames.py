"""Messages on a local socket: a length, that many bytes, and open descriptors beside them.

A frame is four bytes of length, big-endian, and a message.  Descriptors (SCM_RIGHTS) travel with the first
byte of the frame that they belong to.
"""

import array
import errno
import os
import socket
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from csiproxy.emulator.wire import WireError
from csiproxy.wiping import wipe

HEADER = struct.Struct("!I")
LARGEST = 16 << 20  # bytes of a message; a listing of some 100,000 links
MOST_DESCRIPTORS = 1  # no call has more
NOT_HERE = "open directories cross no socket on Windows"


class NothingSent(OSError):
    """The peer was gone before a byte of the frame was sent, so it cannot have seen any of it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A message and the descriptors that came with it, which belong to the receiver."""

    message: bytes
    descriptors: tuple[int, ...] = ()

    def close(self) -> None:
        """Close the descriptors."""
        for descriptor in self.descriptors:
            os.close(descriptor)


def send(connection: socket.socket, message: bytes | bytearray, descriptors: Sequence[int] = ()) -> None:
    """Send one frame, at most :data:`LARGEST` bytes (WireError).  Of a bytearray no copy is left.

    :class:`NothingSent` or another OSError when the peer is gone.
    """
    if len(message) > LARGEST:
        raise WireError(f"a message of {len(message)} bytes is too large to send")
    frame = HEADER.pack(len(message)) + message
    try:
        try:
            sent = _send_first(connection, frame, descriptors)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise NothingSent(error.errno, os.strerror(error.errno or 0)) from error
        if sent < len(frame):  # sending nothing would fail if the peer has answered and closed by now
            connection.sendall(memoryview(frame)[sent:])
    finally:
        if isinstance(message, bytearray):
            wipe(frame)


def receive(connection: socket.socket) -> Frame | None:
    """Wait for one frame; None when the peer has closed instead, WireError when what comes is none."""
    header, descriptors = _receive_first(connection, HEADER.size)
    try:
        if not header and not descriptors:
            return None
        header += _receive_exactly(connection, HEADER.size - len(header))
        (length,) = HEADER.unpack(header)
        if length > LARGEST:
            raise WireError(f"a message of {length} bytes is announced, which is too large")
        return Frame(_receive_exactly(connection, length), descriptors)
    except BaseException:
        Frame(b"", descriptors).close()
        raise


def is_closed(connection: socket.socket) -> bool:
    """Whether the peer has closed an idle connection, or sent what nobody asked for."""
    connection.setblocking(False)
    try:
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.setblocking(True)
    return True


def _receive_exactly(connection: socket.socket, length: int) -> bytes:
    parts = []
    while length:
        part = connection.recv(min(length, 1 << 20))
        if not part:
            raise WireError("the peer closed the connection in the middle of a message")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _send_first(connection: socket.socket, frame: bytes, descriptors: Sequence[int]) -> int:
    """Send what fits of a frame, and the descriptors with its first byte."""
    if not descriptors:
        return connection.send(frame)
    if sys.platform == "win32":
        raise OSError(errno.ENOSYS, NOT_HERE)
    else:  # noqa: RET506 - mypy for Windows must not read on
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
        return connection.sendmsg([frame], [rights])


def _receive_first(connection: socket.socket, length: int) -> tuple[bytes, tuple[int, ...]]:
    """Receive at most ``length`` bytes, and the descriptors that came with them."""
    if sys.platform == "win32":
        return connection.recv(length), ()
    else:  # noqa: RET505
        room = socket.CMSG_SPACE(MOST_DESCRIPTORS * array.array("i").itemsize)
        # Without the flag (macOS) a descriptor could leak into a process started at this very instant.
        flags = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
        data, ancillary, answer, _ = connection.recvmsg(length, room, flags)
        received = array.array("i")
        for level, kind, rights in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                received.frombytes(rights[: len(rights) - len(rights) % received.itemsize])
        if answer & socket.MSG_CTRUNC or len(received) > MOST_DESCRIPTORS:
            Frame(b"", tuple(received)).close()
            raise WireError("a message came with more descriptors than any call has")
        return data, tuple(received)
