"""When something has to be looked after next: the poller's time-out."""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from math import inf
from threading import Lock
from typing import Final, Protocol

_FEW: Final = 64


class Timed(Protocol):
    """A call or a connection that wants to be looked after at some time."""

    @property
    def over(self) -> bool:
        """True once nothing is left to be done; its timers are dropped then."""
        ...

    def due(self, now: float) -> None:
        """Its time has come (or came earlier; it looks for itself)."""
        ...


class Timers:
    """A heap of times on one clock.  Any thread adds; the leader alone asks and expires."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = Lock()
        self._heap: list[tuple[float, int, Timed]] = []
        self._count = 0
        self._tidy_at = _FEW
        self._asleep_until = 0.0

    def add(self, when: float, item: Timed) -> None:
        """Have ``item.due`` called at ``when``; wakes the poller when it would sleep longer."""
        with self._lock:
            self._count += 1
            heappush(self._heap, (when, self._count, item))
            if len(self._heap) > self._tidy_at:
                self._tidy()
            wake = when < self._asleep_until
        if wake:
            self._wake()

    def _tidy(self) -> None:
        """Drop what is over: calls usually end long before their deadline."""
        self._heap = [entry for entry in self._heap if not entry[2].over]
        heapify(self._heap)
        self._tidy_at = max(_FEW, 2 * len(self._heap))

    def timeout(self, now: float) -> float | None:
        """Give the seconds until the next timer, None without one; the poller sleeps that long now."""
        with self._lock:
            heap = self._heap
            while heap and heap[0][2].over:
                heappop(heap)
            if not heap:
                self._asleep_until = inf
                return None
            self._asleep_until = until = heap[0][0]
        return until - now if until > now else 0.0

    def expire(self, now: float) -> None:
        """Call ``due`` of everything whose time has come."""
        self._asleep_until = 0.0  # awake: additions need no wake-up
        if not self._heap or self._heap[0][0] > now:
            return
        late = []
        with self._lock:
            while self._heap and self._heap[0][0] <= now:
                late.append(heappop(self._heap)[2])
        for item in late:
            if not item.over:
                item.due(now)
