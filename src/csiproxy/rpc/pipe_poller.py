"""The poller of Windows: one completion port for all pipes, their clients and everything that is posted."""

import sys
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, cast

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

from csiproxy.rpc.pipe_port import BY_COMPLETION, CompletionPort
from csiproxy.rpc.poller import READ, WRITE, Token
from csiproxy.rpc.stream import Notifying, Source


class Completing(Source, Protocol):
    """A pipe's end: it starts operations on a port, and tells what it finds done already."""

    def attach(self, port: CompletionPort, ready: Callable[[], None]) -> None:
        """Start.  ``ready`` is called when something can be done for which no packet comes."""
        ...

    def watch(self, *, read: bool, write: bool) -> None:
        """Change what is reported; what can be done now is reported again."""
        ...


class PipePoller(Generic[Token]):
    """See :class:`csiproxy.rpc.poller.Poller`."""

    def __init__(self) -> None:
        self._port = CompletionPort()
        self._tokens: dict[int, Token] = {}
        self._posted: deque[Token] = deque()

    def add(self, source: Source, token: Token) -> None:
        """Watch a source for reading."""
        self._tokens[id(source)] = token
        if source.fileno() == BY_COMPLETION:
            cast("Completing", source).attach(self._port, lambda: self.post(token))
        else:
            cast("Notifying", source).subscribe(lambda: self._notified(source))

    def _notified(self, source: Source) -> None:
        token = self._tokens.get(id(source))
        if token is not None:
            self.post(token)

    def watch(self, source: Source, *, read: bool, write: bool) -> None:
        """Change what a source is watched for."""
        if source.fileno() == BY_COMPLETION:
            cast("Completing", source).watch(read=read, write=write)
        else:
            self._notified(source)

    def remove(self, source: Source) -> None:
        """Forget a source; before it is closed."""
        self._tokens.pop(id(source), None)

    def wait(self, timeout: float | None) -> tuple[Token, int] | None:
        """Wait for one event."""
        packet = self._port.take(timeout)
        if packet is None:
            return None
        operation, size, error = packet
        if operation is None:
            return (self._posted.popleft(), READ | WRITE) if self._posted else None
        bits = operation.done(size, error)
        token = self._tokens.get(
            id(operation.source)
        )  # which the operation has kept alive: no other has its id
        return (token, bits) if bits and token is not None else None

    def post(self, token: Token) -> None:
        """Have :meth:`wait` give ``token``."""
        self._posted.append(token)
        self._port.wake()

    def wake(self) -> None:
        """Have :meth:`wait` return."""
        self._port.wake()

    def close(self) -> None:
        """Give the port back."""
        self._port.close()
