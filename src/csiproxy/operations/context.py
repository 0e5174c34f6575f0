"""What an operation knows of the call it serves: how long it may take, and where to note what it did."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from csiproxy.errors import Cancelled, DeadlineExceeded

Fact = str | int | bool


@dataclass(frozen=True, slots=True)
class Note:
    """One thing worth an auditor's attention that happened inside a call (``brought-online``)."""

    event: str
    facts: Mapping[str, Fact]


def _never() -> bool:
    return False


@dataclass(slots=True)
class Context:
    """One call.  ``deadline`` is on the clock of :func:`time.monotonic`, None for no deadline."""

    deadline: float | None = None
    cancelled: Callable[[], bool] = _never
    notes: list[Note] = field(default_factory=list)

    def note(self, event: str, **facts: Fact) -> None:
        """Leave a note for the audit record.  Facts never hold secrets."""
        self.notes.append(Note(event, facts))

    def check(self) -> None:
        """Raise when nobody waits for the result any more; called between host steps that may be left out.

        A call whose deadline passes is cancelled for that, so the deadline is looked at first.
        """
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise DeadlineExceeded("the client's deadline has passed")
        if self.cancelled():
            raise Cancelled("the client cancelled the call")

    def remaining(self, at_most: float) -> float:
        """Seconds that may still be waited, at most ``at_most``."""
        if self.deadline is None:
            return at_most
        return max(0.0, min(at_most, self.deadline - time.monotonic()))
