"""Two kinds of allowance: how often a peer may do something, and how many bytes may be held for all peers."""

from threading import Lock


class Allowance:
    """A token bucket: ``burst`` at once, ``rate`` a second after that.  The clock is the caller's."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, burst: int, rate: float, now: float) -> None:
        self._burst = float(burst)
        self._left = self._burst
        self._rate = rate
        self._at = now

    def spend(self, now: float) -> bool:
        """Take one; False when nothing is left."""
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

    def draw(self, now: float, most: int) -> int:
        """Take up to ``most`` at once; how many there were."""
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._rate)
        self._at = now
        count = min(most, int(self._left))
        self._left -= count
        return count

    def earn(self, count: int) -> None:
        """Give some back, never more than a burst."""
        self._left = min(self._burst, self._left + count)


class Budget:
    """Bytes that many connections hold together.  Safe for threads.

    A budget may be a part of a ``whole``: what is taken has to fit into both.
    """

    __slots__ = ("_held", "_limit", "_lock", "_whole")

    def __init__(self, limit: int, whole: "Budget | None" = None) -> None:
        self._limit = limit
        self._held = 0
        self._lock = Lock()
        self._whole = whole

    def take(self, count: int) -> bool:
        """Reserve ``count`` bytes; False, and nothing reserved, when they do not fit."""
        with self._lock:
            if self._held + count > self._limit:
                return False
            if self._whole is not None and not self._whole.take(count):
                return False
            self._held += count
            return True

    def give(self, count: int) -> None:
        """Return what was taken."""
        with self._lock:
            self._held -= count
        if self._whole is not None:
            self._whole.give(count)

    @property
    def held(self) -> int:
        """Bytes held now."""
        return self._held
