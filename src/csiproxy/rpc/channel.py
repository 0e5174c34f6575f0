"""The calling end: blocking unary calls over one connection at a time."""

from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import Final, Self

from csiproxy.errors import Code
from csiproxy.rpc.client_protocol import ClientConnection, Unprocessed
from csiproxy.rpc.frames import Http2Error
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.status import RpcError
from csiproxy.rpc.stream import ClientStream

_READ_BYTES: Final = 64 * 1024
_ATTEMPTS: Final = 3
"""How often a call is sent that no server has looked at: an old connection may turn out dead, a server may
be about to stop, the next one answers."""


class _Link:
    """An open connection: the stream and the protocol state that belongs to it."""

    def __init__(self, stream: ClientStream, authority: str, limits: Limits) -> None:
        self._stream = stream
        self._protocol = ClientConnection(limits, monotonic(), authority)
        self._unsent = b""

    def close(self) -> None:
        """Hang up, after saying what is left to be said if the server takes it at once."""
        with suppress(OSError):
            self._flush()
        self._stream.close()

    def alive(self) -> bool:
        """Take what has arrived meanwhile; False when new calls are better made elsewhere."""
        try:
            while True:
                self._take(self._stream.receive(_READ_BYTES))
        except BlockingIOError:
            return self._protocol.usable
        except (OSError, Http2Error):
            return False

    def _take(self, data: bytes) -> None:
        if not data:
            raise ConnectionResetError("the server hung up")
        self._protocol.receive(data, monotonic())

    def call(self, method: str, message: bytes, deadline: float | None) -> bytes:
        """Make one call.  Raise RpcError; TimeoutError when late, OSError or Http2Error when it breaks."""
        timeout = None if deadline is None else max(0.0, deadline - monotonic())
        stream_id = self._protocol.request(method, message, timeout)
        try:
            while True:
                lost = self._flush_or_learn()
                outcome = self._protocol.outcome(stream_id)
                if outcome is not None:
                    break
                if lost:
                    raise Unprocessed(Code.UNAVAILABLE, "the server hung up before it had the whole call")
                self._await(deadline)
        except TimeoutError:
            self._protocol.cancel(stream_id)
            self._flush_or_learn()
            raise
        if isinstance(outcome, RpcError):
            raise outcome
        return outcome

    def _flush_or_learn(self) -> bool:
        """Send what goes out; True when the server takes nothing any more, after learning why."""
        try:
            self._flush()
        except OSError:
            self.alive()
            return True
        return False

    def _flush(self) -> None:
        while data := self._unsent or self._protocol.take():
            try:
                sent = self._stream.send(data)
            except BlockingIOError:
                sent = 0
            self._unsent = data[sent:]
            if self._unsent:
                return

    def _await(self, deadline: float | None) -> None:
        """Wait until the server sends something, or takes more where it has not taken everything."""
        timeout = None if deadline is None else deadline - monotonic()
        if timeout is not None and timeout <= 0:
            raise TimeoutError
        if not self._stream.wait(write=bool(self._unsent), timeout=timeout):
            raise TimeoutError
        try:
            self._take(self._stream.receive(_READ_BYTES))
        except BlockingIOError:
            return


class Channel:
    """Makes calls, one at a time, over a connection that is made when it is needed and made again when the
    server went away.

    ``connect`` opens a stream (OSError when it cannot).  Threads may share a channel; they take turns.
    """

    def __init__(
        self,
        connect: Callable[[], ClientStream],
        *,
        authority: str = "localhost",
        limits: Limits = Limits(),  # noqa: B008  immutable
    ) -> None:
        self._connect = connect
        self._authority = authority
        self._limits = limits
        self._lock = Lock()
        self._link: _Link | None = None

    def call(self, method: str, message: bytes, *, timeout: float | None = None) -> bytes:
        """Call ``method`` (``/v1.Disk/Rescan``) and give the reply's message.

        ``timeout`` in seconds covers everything, waiting for other threads' calls included.  Raise RpcError:
        the server's status, DEADLINE_EXCEEDED, or UNAVAILABLE when the server is lost; it is Unprocessed when
        the server cannot be reached.
        """
        deadline = None if timeout is None else monotonic() + timeout
        if not self._lock.acquire(timeout=-1 if timeout is None else max(0.0, timeout)):
            raise _too_late()
        try:
            return self._call(method, message, deadline)
        finally:
            self._lock.release()

    def _call(self, method: str, message: bytes, deadline: float | None) -> bytes:
        for attempt in range(_ATTEMPTS):
            link = self._usable_link()
            try:
                return link.call(method, message, deadline)
            except Unprocessed:
                self._drop()
                if attempt == _ATTEMPTS - 1:
                    raise
            except TimeoutError:
                raise _too_late() from None
            except RpcError:
                raise
            except (OSError, Http2Error) as error:
                self._drop()
                raise RpcError(Code.UNAVAILABLE, f"the connection to the server was lost: {error}") from error
        raise AssertionError("unreachable")

    def _usable_link(self) -> _Link:
        if self._link is not None and not self._link.alive():
            self._drop()
        if self._link is None:
            try:
                self._link = _Link(self._connect(), self._authority, self._limits)
            except OSError as error:
                raise Unprocessed(Code.UNAVAILABLE, f"the server cannot be reached: {error}") from error
        return self._link

    def _drop(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    def close(self) -> None:
        """Hang up.  The channel can still be used; the next call connects again."""
        with self._lock:
            self._drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _too_late() -> RpcError:
    return RpcError(Code.DEADLINE_EXCEEDED, "the server did not answer in time")
