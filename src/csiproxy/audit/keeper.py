"""A thread that looks after a trail while nobody writes to it: tells, tries again, seals."""

from collections.abc import Callable
from threading import Condition, Thread
from time import monotonic
from typing import Final

RETRY: Final = 1.0
"""Seconds between attempts to write what is held."""


class Keeper:
    """Does what was asked for some time later, in a thread of its own that ends with :meth:`close`.

    The thread starts with the first thing to do.  Of several requests for the same thing the first counts
    until it is done.
    """

    def __init__(self) -> None:
        self._due: dict[Callable[[], object], float] = {}
        self._changed = Condition()
        self._thread: Thread | None = None
        self._ending = False

    def ask(self, work: Callable[[], object], seconds: float = 0.0) -> None:
        """Have ``work`` called in so many seconds.  What it raises is dropped."""
        with self._changed:
            if self._ending or work in self._due:
                return
            self._due[work] = monotonic() + seconds
            if self._thread is None:
                self._thread = Thread(target=self._run, name="csiproxy-audit", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self, seconds: float) -> None:
        """Do what is due, no more of the rest, and wait so long for it."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (ready := [work for work, at in self._due.items() if at <= monotonic()]):
                    if self._ending:
                        return
                    nearest = min(self._due.values(), default=None)
                    self._changed.wait(None if nearest is None else max(0.0, nearest - monotonic()))
                for work in ready:
                    del self._due[work]
            for work in ready:
                try:
                    work()
                except Exception:  # noqa: BLE001, S112  the thread goes on; what matters is told elsewhere
                    continue
