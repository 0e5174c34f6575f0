"""A transport inside one process, without any descriptor: for tests and for clients beside the server."""

import os
import sys
from collections import deque
from collections.abc import Callable
from threading import Condition
from typing import Final

from csiproxy.rpc.stream import ClientStream, Peer, Stream

_CAPACITY: Final = 256 * 1024
"""Bytes that one direction holds, about a unix socket's buffer."""


def _nothing() -> None:
    return None


class _Way:
    """One direction: bytes that were sent and not received yet."""

    def __init__(self, changed: Condition) -> None:
        self.changed = changed
        self.data = bytearray()
        self.closed = False

    def receive(self, size: int) -> bytes:
        with self.changed:
            if not self.data:
                if self.closed:
                    return b""
                raise BlockingIOError("nothing has been sent yet")
            data = bytes(self.data[:size])
            del self.data[:size]
            self.changed.notify_all()
            return data

    def send(self, data: bytes) -> int:
        with self.changed:
            if self.closed:
                raise BrokenPipeError("the other end has hung up")
            count = min(len(data), _CAPACITY - len(self.data))
            if count <= 0 < len(data):
                raise BlockingIOError("the other end has to receive first")
            self.data += data[:count]
            self.changed.notify_all()
            return count


class MemoryStream:
    """One end of a connection; :func:`pair` makes two."""

    def __init__(self, inward: _Way, outward: _Way) -> None:
        self._inward = inward
        self._outward = outward
        self._changed = inward.changed
        self._ready: Callable[[], None] = _nothing
        self.other: MemoryStream
        self._closed = False

    @property
    def peer(self) -> Peer:
        """This process."""
        if sys.platform == "win32":
            return Peer(os.getpid(), None)
        else:  # noqa: RET505  mypy tells platforms apart by branches only
            return Peer(os.getpid(), os.getuid())

    def fileno(self) -> int:
        """There is none."""
        return -1

    def subscribe(self, ready: Callable[[], None]) -> None:
        """Have ``ready`` called whenever there may be something to do; once at once."""
        self._ready = ready
        ready()

    def receive(self, size: int) -> bytes:
        """Read up to ``size`` bytes, b"" at the end.  Raise BlockingIOError when there is nothing yet."""
        if self._closed:
            raise OSError("the stream is closed")
        data = self._inward.receive(size)
        self.other.announce()
        if self._readable():
            self._ready()
        return data

    def send(self, data: bytes) -> int:
        """Write what fits and give its count.  Raise BlockingIOError when nothing does."""
        if self._closed:
            raise OSError("the stream is closed")
        count = self._outward.send(data)
        self.other.announce()
        return count

    def announce(self) -> None:
        """The other end did something."""
        self._ready()

    def wait(self, *, write: bool, timeout: float | None) -> bool:
        """Block until it can be read (or written); False when ``timeout`` seconds passed."""
        with self._changed:
            return self._changed.wait_for(self._writable if write else self._readable, timeout)

    def _readable(self) -> bool:
        return self._closed or self._inward.closed or bool(self._inward.data)

    def _writable(self) -> bool:
        return self._closed or self._outward.closed or len(self._outward.data) < _CAPACITY

    def close(self) -> None:
        """Hang up."""
        with self._changed:
            self._closed = True
            self._inward.closed = self._outward.closed = True
            self._changed.notify_all()
        self._ready = _nothing
        self.other.announce()


def pair() -> tuple[MemoryStream, MemoryStream]:
    """Make the two ends of a connection."""
    changed = Condition()
    one, two = _Way(changed), _Way(changed)
    left, right = MemoryStream(one, two), MemoryStream(two, one)
    left.other, right.other = right, left
    return left, right


class MemoryListener:
    """An endpoint inside this process; :meth:`connect` is the client's side."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._waiting: deque[MemoryStream] = deque()
        self._ready: Callable[[], None] = _nothing
        self._closed = False

    def fileno(self) -> int:
        """There is none."""
        return -1

    def subscribe(self, ready: Callable[[], None]) -> None:
        """Have ``ready`` called whenever somebody connects; once at once."""
        self._ready = ready
        ready()

    def connect(self) -> ClientStream:
        """Connect.  Raise ConnectionRefusedError when nobody listens any more."""
        if self._closed:
            raise ConnectionRefusedError(f"nobody listens at {self.name}")
        client, server = pair()
        self._waiting.append(server)
        self._ready()
        return client

    def accept(self) -> Stream:
        """Take the next connection.  Raise BlockingIOError when there is none."""
        if not self._waiting:
            raise BlockingIOError("nobody connects")
        stream = self._waiting.popleft()
        if self._waiting:
            self._ready()
        return stream

    def close(self) -> None:
        """Stop listening; who was not accepted is hung up on."""
        self._closed = True
        while self._waiting:
            self._waiting.popleft().close()
