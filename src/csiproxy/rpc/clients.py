"""The processes that are connected, and what each has of what there is for all."""

from threading import Lock
from time import monotonic

from csiproxy.rpc.allowance import Allowance, Budget
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.stream import Peer

_DRAWN = 32
"""Calls that a client is given at a time: to look at the clock for each would cost more than to count."""


class Client:
    """One process; or one connection, when the system does not say whose it is.

    ``budget`` is for what its connections hold; ``connections`` counts them; ``calls`` is how often it may
    call, which only who reads a connection asks, one at a time.
    """

    __slots__ = ("_calls", "budget", "connections", "left", "pid")

    def __init__(self, pid: int | None, budget: Budget, calls: Allowance) -> None:
        self.pid = pid
        self.budget = budget
        self._calls = calls
        self.left = 0
        self.connections = 0

    def ask(self, now: float) -> bool:
        """Whether it may make one more call; some more are put into ``left``."""
        drawn = self._calls.draw(now, _DRAWN)
        self.left = max(0, drawn - 1)
        return drawn > 0


class Clients:
    """Everybody who is connected.  Safe for threads.  ``budget`` is everybody's together."""

    def __init__(self, limits: Limits) -> None:
        self.budget = Budget(limits.buffered_bytes)
        self._share = limits.buffered_bytes_per_client
        self._calls = limits.calls_per_client, limits.calls_per_second_per_client
        self._known: dict[int, Client] = {}
        self._lock = Lock()

    def enter(self, peer: Peer) -> Client:
        """Count a connection of ``peer``; give its client."""
        with self._lock:
            # A process in a foreign namespace has number 0, as far as Linux says.
            client = self._known.get(peer.pid) if peer.pid else None
            if client is None:
                client = Client(
                    peer.pid or None, Budget(self._share, self.budget), Allowance(*self._calls, monotonic())
                )
                if client.pid is not None:
                    self._known[client.pid] = client
            client.connections += 1
            return client

    def leave(self, client: Client) -> None:
        """Count a connection less."""
        with self._lock:
            client.connections -= 1
            if not client.connections and client.pid is not None:
                del self._known[client.pid]

    def __len__(self) -> int:
        """Count the processes that are known."""
        return len(self._known)
