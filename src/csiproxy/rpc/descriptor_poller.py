"""The pollers of systems where everything is a descriptor: epoll on Linux, kqueue on macOS and the BSDs."""

import os
import select
import sys
from abc import ABC, abstractmethod
from collections import deque
from threading import Lock
from typing import Final, Generic, cast

from csiproxy.rpc.poller import HANGUP, READ, WRITE, Token
from csiproxy.rpc.stream import Notifying, Source

assert sys.platform != "win32"  # noqa: S101  mypy stops here for Windows, where this is never imported


class _DescriptorPoller(ABC, Generic[Token]):
    """What pollers of descriptors share: tokens, posts and the pipe that wakes."""

    def __init__(self) -> None:
        self._tokens: dict[int, Token] = {}
        self._notifying: dict[int, Token] = {}
        self._posted: deque[Token] = deque()
        self._posted_next = False
        self._lock = Lock()
        self._woken = False
        self._wake_end, self._wake = os.pipe()
        os.set_blocking(self._wake_end, False)
        os.set_blocking(self._wake, False)

    @abstractmethod
    def _register(self, fd: int) -> None: ...

    @abstractmethod
    def _change(self, fd: int, *, read: bool, write: bool) -> None: ...

    @abstractmethod
    def _unregister(self, fd: int) -> None: ...

    @abstractmethod
    def _poll(self, timeout: float | None) -> tuple[int, int] | None: ...

    def add(self, source: Source, token: Token) -> None:
        fd = source.fileno()
        if fd < 0:
            self._notifying[id(source)] = token
            cast("Notifying", source).subscribe(lambda: self._notified(source))
            return
        self._tokens[fd] = token
        self._register(fd)

    def _notified(self, source: Source) -> None:
        token = self._notifying.get(id(source))
        if token is not None:
            self.post(token)

    def watch(self, source: Source, *, read: bool, write: bool) -> None:
        fd = source.fileno()
        if fd < 0:
            self._notified(source)
        elif fd in self._tokens:
            self._change(fd, read=read, write=write)

    def remove(self, source: Source) -> None:
        fd = source.fileno()
        if fd < 0:
            self._notifying.pop(id(source), None)
        elif self._tokens.pop(fd, None) is not None:
            self._unregister(fd)

    def wait(self, timeout: float | None) -> tuple[Token, int] | None:
        if self._posted:
            self._posted_next = not self._posted_next
            if self._posted_next:
                return self._posted.popleft(), READ | WRITE
            timeout = 0.0  # posts and descriptors take turns
        event = self._poll(timeout)
        if event is None:
            return None
        fd, bits = event
        if fd == self._wake_end:
            with self._lock:
                self._woken = False
                os.read(self._wake_end, 64)
            return (self._posted.popleft(), READ | WRITE) if self._posted else None
        token = self._tokens.get(fd)
        return (token, bits) if token is not None else None

    def post(self, token: Token) -> None:
        self._posted.append(token)
        self.wake()

    def wake(self) -> None:
        with self._lock:
            if not self._woken:
                self._woken = True
                os.write(self._wake, b"\0")

    def close(self) -> None:
        os.close(self._wake)
        os.close(self._wake_end)


if sys.platform == "linux":
    _BITS: Final = {
        bits: (READ if bits & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR) else 0)
        | (WRITE if bits & select.EPOLLOUT else 0)
        | (HANGUP if bits & (select.EPOLLHUP | select.EPOLLERR) else 0)
        for bits in range(32)
    }

    class DescriptorPoller(_DescriptorPoller[Token]):
        """epoll (Linux)."""

        def __init__(self) -> None:
            super().__init__()
            self._epoll = select.epoll()
            self._epoll.register(self._wake_end, select.EPOLLIN)

        def _register(self, fd: int) -> None:
            self._epoll.register(fd, select.EPOLLIN)

        def _change(self, fd: int, *, read: bool, write: bool) -> None:
            self._epoll.modify(fd, (select.EPOLLIN if read else 0) | (select.EPOLLOUT if write else 0))

        def _unregister(self, fd: int) -> None:
            self._epoll.unregister(fd)

        def _poll(self, timeout: float | None) -> tuple[int, int] | None:
            for fd, bits in self._epoll.poll(timeout, 1):
                return fd, _BITS.get(bits & 31, READ | HANGUP)
            return None

        def close(self) -> None:
            """Give the system's objects back."""
            self._epoll.close()
            super().close()

else:

    class DescriptorPoller(_DescriptorPoller[Token]):
        """kqueue (macOS and the BSDs)."""

        def __init__(self) -> None:
            super().__init__()
            self._kqueue = select.kqueue()
            self._writing: set[int] = set()
            self._register(self._wake_end)

        def _register(self, fd: int) -> None:
            self._kqueue.control([select.kevent(fd, select.KQ_FILTER_READ, select.KQ_EV_ADD)], 0)

        def _change(self, fd: int, *, read: bool, write: bool) -> None:
            # Adding a filter again is harmless.  A listener never gets the one for writing.
            enable = {
                True: select.KQ_EV_ADD | select.KQ_EV_ENABLE,
                False: select.KQ_EV_ADD | select.KQ_EV_DISABLE,
            }
            changes = [select.kevent(fd, select.KQ_FILTER_READ, enable[read])]
            if write or fd in self._writing:
                self._writing.add(fd)
                changes.append(select.kevent(fd, select.KQ_FILTER_WRITE, enable[write]))
            self._kqueue.control(changes, 0)

        def _unregister(self, fd: int) -> None:
            """Closing the descriptor, which follows, removes its filters."""
            self._writing.discard(fd)

        def _poll(self, timeout: float | None) -> tuple[int, int] | None:
            for event in self._kqueue.control(None, 1, timeout):
                bits = READ if event.filter == select.KQ_FILTER_READ else WRITE
                return event.ident, bits | (HANGUP if event.flags & select.KQ_EV_EOF else 0)
            return None

        def close(self) -> None:
            """Give the system's objects back."""
            self._kqueue.close()
            super().close()
