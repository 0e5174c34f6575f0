"""Kubelet's patience: what fails is done again, after a pause that doubles, until it is done."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from tests.soak.client import Refused

T = TypeVar("T")

# Kubelet waits half a second first and two minutes at most; here everything is faster.
FIRST_PAUSE, LONGEST_PAUSE = 0.01, 1.0
# Whoever gets nowhere for so long is stuck (seconds).
PATIENCE = 120.0


class Violation(AssertionError):
    """Something was promised and does not hold."""


class Stopped(Exception):
    """The run is over before this life is."""


class Kubelet:
    """Does one life's work again and again.

    ``mend`` is what an operator does before another try.  He may fail as well, with OSError or Refused, where
    what he looks at changes under his hands: whether that matters the next try will show.
    """

    def __init__(self, mend: Callable[[str], None], stop: threading.Event) -> None:
        self._mend = mend
        self._stop = stop
        self.retries = 0

    def persist(self, what: str, action: Callable[[], T]) -> T:
        """Do it until it succeeds, and give what it gave; :class:`Violation` when it never will."""
        pause, began = FIRST_PAUSE, time.monotonic()
        while True:
            try:
                return action()
            except Refused as refused:
                if refused.is_final:
                    raise Violation(f"{what}: {refused}") from refused
                reason, status = refused, refused.status
            except OSError as error:  # the workload's own, or the operator's
                reason, status = error, ""
            if time.monotonic() - began > PATIENCE:
                raise Violation(f"{what}: no try succeeds; the last: {reason}")
            self.retries += 1
            if self._stop.wait(pause):
                raise Stopped
            pause = min(2 * pause, LONGEST_PAUSE)
            with suppress(OSError, Refused):
                self._mend(status)
