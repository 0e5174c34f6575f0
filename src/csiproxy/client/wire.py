r"""The wire: named pipes on Windows, socket files elsewhere, with a few connections to each endpoint."""

from collections.abc import Callable
from threading import Condition, Lock
from time import monotonic
from typing import Final

from csiproxy.dialing import dial
from csiproxy.errors import Code, PermissionDenied
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.status import RpcError
from csiproxy.rpc.stream import ClientStream

CONNECTIONS: Final = 16
"""How many calls to one endpoint go on at the same time; further ones wait for one of them."""


class Wire:
    """Endpoints at the other end of streams; ``directory`` is of their socket files, "" on Windows."""

    def __init__(self, directory: str, *, connections: int = CONNECTIONS) -> None:
        self.where = f"in {directory}" if directory else "on named pipes"
        self._directory = directory
        self._connections = connections
        self._lines: dict[str, _Lines] = {}
        self._lock = Lock()
        self._closed = False

    def reaches(self, endpoint: str) -> bool:
        """Whether somebody serves an endpoint, which one connection shows."""
        try:
            dial(self._directory, endpoint).close()
        except PermissionError as error:
            raise PermissionDenied(
                f"the endpoint {endpoint} {self.where} may not be opened by this process ({error.strerror}): "
                "run it as an account that may, or have the operator admit it"
            ) from error
        except OSError:
            return False
        return True

    def call(self, endpoint: str, method: str, message: bytes, timeout: float) -> bytes:
        """Make a call on a connection that is free."""
        return self._lines_of(endpoint).call(method, message, timeout)

    def _lines_of(self, endpoint: str) -> "_Lines":
        known = self._lines.get(endpoint)  # without the lock, as almost always
        return known or self._new_lines(endpoint)

    def _new_lines(self, endpoint: str) -> "_Lines":
        with self._lock:
            if self._closed:
                raise RuntimeError("the client was closed; make another one")
            return self._lines.setdefault(
                endpoint, _Lines(lambda: dial(self._directory, endpoint), self._connections)
            )

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            self._closed = True
            lines, self._lines = self._lines, {}
        for each in lines.values():
            each.close()


class _Lines:
    """The connections to one endpoint.  A channel makes one call at a time, so each call has its own."""

    def __init__(self, connect: Callable[[], ClientStream], most: int) -> None:
        self._connect = connect
        self._room = most  # for channels that there are not yet
        self._lock = Lock()
        self._returned = Condition(self._lock)
        self._idle: list[Channel] = []
        self._closed = False

    def call(self, method: str, message: bytes, timeout: float) -> bytes:
        end = monotonic() + timeout
        channel = self._take(timeout)
        try:
            return channel.call(method, message, timeout=end - monotonic())
        finally:
            self._put(channel)

    def _take(self, timeout: float) -> Channel:
        with self._lock:
            if not self._idle and not self._room:
                self._returned.wait_for(lambda: self._idle, max(0.0, timeout))
            if self._idle:
                return self._idle.pop()
            if self._room:
                self._room -= 1
                return Channel(self._connect)
        raise RpcError(
            Code.DEADLINE_EXCEEDED, "the calls before this one took too long; allow more connections"
        )

    def _put(self, channel: Channel) -> None:
        with self._lock:
            if self._closed:
                channel.close()  # who waited for it connects again
            self._idle.append(channel)
            self._returned.notify()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for channel in self._idle:
                channel.close()
