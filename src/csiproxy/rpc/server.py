"""The gRPC server: listeners, connections, deadlines and threads put together."""

import errno
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Lock
from time import monotonic, sleep
from typing import Final

from csiproxy.rpc.call import Call, Handler
from csiproxy.rpc.clients import Client
from csiproxy.rpc.connection import Connection, Pollable, ServedCall, Shared
from csiproxy.rpc.crew import Crew
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.poller import Poller, native_poller
from csiproxy.rpc.status import RpcError
from csiproxy.rpc.stream import Listener, Peer
from csiproxy.rpc.timers import Timers

__all__ = ["Call", "Handler", "Server"]

_ACCEPTS: Final = 16
"""Connections taken at one event, so that a crowd of newcomers does not keep others waiting."""
_PAUSE: Final = 0.2
"""Seconds without accepting after the system had no descriptor or memory for another connection, and
without anything after a failure that nobody foresaw."""
_EXHAUSTED: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))


def _descriptors() -> int:
    """Count the descriptors that this process may have open; handlers need some, too."""
    if sys.platform == "win32":
        return sys.maxsize
    else:  # noqa: RET505  mypy tells platforms apart by branches only
        from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit

        soft, _ = getrlimit(RLIMIT_NOFILE)
        return sys.maxsize if soft == RLIM_INFINITY else soft


class _Endpoint:
    """A listener under the poller."""

    def __init__(self, shared: Shared, listener: Listener, turned_away: Callable[[Peer], None]) -> None:
        self._turned_away = turned_away
        self._shared = shared
        self._listener = listener
        self._most = min(shared.limits.connections, _descriptors() // 2)
        self._lock = Lock()
        self.over = False
        shared.poller.add(listener, self)

    def ready(self, events: int, now: float) -> Sequence[ServedCall]:  # noqa: ARG002  there is one kind
        """Accept who waits."""
        with self._lock:
            for _ in range(_ACCEPTS):
                if self.over or not self._accept(now):
                    break
        return ()

    def _accept(self, now: float) -> bool:
        try:
            stream = self._listener.accept()
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                return False
            if self._evict(now):
                return True  # and accept whoever waits in the next turn
            self._shared.poller.watch(self._listener, read=False, write=False)
            self._shared.timers.add(now + _PAUSE, self)
            return False
        client = self._shared.clients.enter(stream.peer)
        if self._make_room(now, client):
            Connection(self._shared, client, stream, self._listener.name, now).open()
        else:
            self._shared.clients.leave(client)
            self._turned_away(stream.peer)
            stream.close()
        return True

    def _make_room(self, now: float, client: Client) -> bool:
        """Make room for a connection of ``client``; False: all that could go are busy."""
        if client.connections > self._shared.limits.connections_per_client:
            return self._evict(now, client)
        return len(self._shared.connections) < self._most or self._evict(now)

    def _evict(self, now: float, client: Client | None = None) -> bool:
        """Have a connection go that is idle: of the client with the most, or of ``client``, the one that was
        idle longest.  False when there is none."""
        idle = [
            (-connection.client.connections, since, at, connection)
            for at, connection in enumerate(list(self._shared.connections))
            if (client is None or connection.client is client)
            and (since := connection.idle_since) is not None
        ]
        if not idle:
            return False
        longest = min(idle)[-1]
        longest.drain(now)
        longest.close()
        return True

    def due(self, now: float) -> None:  # noqa: ARG002  the pause has no other length
        """Accept again after a pause."""
        with self._lock:
            if not self.over:
                self._shared.poller.watch(self._listener, read=True, write=False)

    def close(self) -> None:
        """Stop accepting."""
        with self._lock:
            if not self.over:
                self.over = True
                self._shared.poller.remove(self._listener)
                self._listener.close()


class Server:
    """Serves unary gRPC calls on any number of listeners.

    ``handler`` runs in a thread of its own for each call and may block.  ``quick(endpoint, method)`` tells
    which calls cannot block; these have reserved threads and are served however many others hang.
    ``unserved(call, status)`` is told of calls that ended before the handler got them: no room, a deadline
    or a cancellation while in line.  ``explained`` gives such a status its details.  ``turned_away(peer)``
    is told of connections that found no room.  Of requests to ``confidential`` endpoints no copy is left in
    memory when they have been answered.  None of these may block or raise.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        quick: Callable[[str, str], bool],
        limits: Limits = Limits(),  # noqa: B008  immutable
        unserved: Callable[[Call, RpcError], None] = lambda call, status: None,  # noqa: ARG005
        explained: Callable[[RpcError], RpcError] = lambda status: status,
        confidential: Callable[[str], bool] = lambda endpoint: False,  # noqa: ARG005
        turned_away: Callable[[Peer], None] = lambda peer: None,  # noqa: ARG005
        poller: Callable[[], Poller[Pollable]] = native_poller,
    ) -> None:
        self._shared = Shared(handler, quick, limits, unserved, explained, confidential)
        self._turned_away = turned_away
        self._shared.poller = self._poller = poller()
        self._shared.timers = self._timers = Timers(self._poller.wake)
        self._crew = Crew(self._lead, limits)
        self._shared.withdraw = self._crew.withdraw
        self._endpoints: list[_Endpoint] = []
        self._stopped = False

    def add(self, listener: Listener) -> None:
        """Serve what connects to ``listener``; the server closes it.  Before or after :meth:`start`."""
        self._endpoints.append(_Endpoint(self._shared, listener, self._turned_away))

    def start(self) -> None:
        """Begin to serve, in threads that do not keep the process alive."""
        self._crew.start()

    def _lead(self) -> Sequence[ServedCall]:
        """Wait for one event and do what it asks for, up to the calls in it."""
        try:
            event = self._poller.wait(self._timers.timeout(monotonic()))
            now = monotonic()
            self._timers.expire(now)
            if event is None:
                return ()
            token, events = event
            return token.ready(events, now)
        except Exception:  # noqa: BLE001  out of memory, say: whoever leads must live on, and not in a hurry
            sleep(_PAUSE)
            return ()

    def stop(self, grace: float) -> bool:
        """Stop for good: accept nobody, ask clients to go, let calls finish for up to ``grace`` seconds.

        Calls that are left are answered with UNAVAILABLE and cancelled, and their handlers get a moment to
        notice.  True when every handler has returned and every thread ended; with False some still hang,
        which does not keep the process alive.
        """
        if self._stopped:
            return True
        self._stopped = True
        for endpoint in self._endpoints:
            endpoint.close()
        now = monotonic()
        for connection in list(self._shared.connections):
            connection.drain(now)
        with self._shared.settled:
            self._shared.settled.wait_for(self._all_finished, grace)
        for connection in list(self._shared.connections):
            connection.abort()
        idle = self._crew.wait_idle(self._shared.limits.cancel_seconds)
        for connection in list(self._shared.connections):
            connection.close()
        ended = self._crew.stop(self._poller.wake, self._shared.limits.cancel_seconds)
        if ended:
            with suppress(OSError):
                self._poller.close()
        return idle and ended

    def _all_finished(self) -> bool:
        return all(connection.finished for connection in list(self._shared.connections))
