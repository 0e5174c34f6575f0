"""The way of lines to the one sink that every record goes to: at once, held while it fails, never in silence.

The thread that has a line writes it, so a record is kept before its call is answered, and no line changes
hands.  Where the sink fails, or a write of another thread has not returned within :data:`PATIENCE`, lines are
held, as many as :class:`Room` allows, and written in their order when it works again; beyond that, the oldest
go to the spill.  What goes nowhere is counted.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final, Protocol, TypeVar

T = TypeVar("T")

PATIENCE: Final = 2.0
"""Seconds that a thread waits for the sink while another one writes."""


class Sink(Protocol):
    """Where lines of the trail go."""

    def write(self, line: bytes, /) -> object:
        """Append one line, line feed included; raise OSError when it cannot be kept."""
        ...


@dataclass(frozen=True, slots=True)
class Room:
    """What is held for a sink that fails."""

    lines: int = 4096
    bytes: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Standing:
    """How delivery stands: lines held now, spilled so far, lost so far."""

    held: int
    spilled: int
    lost: int


class Primary:
    """Delivers lines to ``sink``; any thread may write."""

    def __init__(
        self,
        sink: Sink,
        complain: Callable[[str], object],
        *,
        spill: Sink | None = None,
        note_loss: Callable[[int, int], bytes] | None = None,
        room: Room | None = None,
        patience: float = PATIENCE,
    ) -> None:
        """``complain`` tells the operator, once for each time that the sink begins to fail.

        ``note_loss`` makes the line that tells in the trail how many lines were spilled and lost; it is
        written when the sink works again.
        """
        self._sink = sink
        self._complain = complain
        self._spill = spill
        self._note_loss = note_loss
        self._room = room or Room()
        self._patience = patience
        self._writing = Lock()
        self._guard = Lock()
        self._spilling = Lock()
        self._held: deque[bytes] = deque()
        self._held_bytes = 0
        self._stuck = False
        self._failing = False
        self._spilled = self._lost = 0
        self._told = (0, 0)

    @property
    def standing(self) -> Standing:
        """How things stand."""
        return Standing(len(self._held), self._spilled, self._lost)

    def write(self, line: bytes) -> bool:
        """Deliver a line; False when it is held, spilled or lost.  Never raises."""
        return self._deliver(line) or self._hold(line)

    def try_write(self, line: bytes) -> bool:
        """Deliver a line now or not at all.  Never raises."""
        return self._deliver(line)

    def flush(self) -> bool:
        """Try again to write what is held; True when nothing is.  Never raises."""
        if not self._writing.acquire(blocking=False):
            return False
        try:
            return self._flush()
        finally:
            self._writing.release()

    def run(self, work: Callable[[], T]) -> T | None:
        """Do something with the sink while nobody writes to it; None when it failed or is busy."""
        if not self._writing.acquire(blocking=False):
            return None
        try:
            return work()
        except OSError as error:
            self._fail(error)
            return None
        finally:
            self._writing.release()

    def end(self) -> None:
        """Write what is held a last time; what cannot be written is spilled or lost."""
        if self._writing.acquire(timeout=self._patience):
            try:
                self._flush()
            finally:
                self._writing.release()
        with self._guard:
            rest = list(self._held)
            self._held.clear()
            self._held_bytes = 0
        self._drop(rest)

    def _deliver(self, line: bytes) -> bool:
        if self._stuck:
            return False
        if not self._writing.acquire(timeout=self._patience):
            self._stuck = True
            self._fail(TimeoutError(None, "a write does not return"))
            return False
        try:
            return self._flush() and self._tried(line) if self._failing else self._tried(line)
        finally:
            self._writing.release()

    def _tried(self, line: bytes) -> bool:
        """Give the sink a line; the caller holds the lock of writers."""
        try:
            self._sink.write(line)
        except Exception as error:  # noqa: BLE001 - a sink is replaceable, and no call may fail because of it
            self._fail(error)
            return False
        self._stuck = False
        return True

    def _flush(self) -> bool:
        """Write what is held, in its order; the caller holds the lock of writers."""
        while self._held:
            line = self._held[0]
            if not self._tried(line):
                return False
            with self._guard:
                if self._held and self._held[0] is line:
                    self._held.popleft()
                    self._held_bytes -= len(line)
        now = (self._spilled, self._lost)
        if now != self._told and self._note_loss is not None:
            note = self._note_loss(now[0] - self._told[0], now[1] - self._told[1])
            if not self._tried(note):
                return False
        self._told = now
        self._failing = False
        return True

    def _hold(self, line: bytes) -> bool:
        """Keep a line for later, and drop the oldest where there is no room."""
        dropped = []
        with self._guard:
            self._failing = True
            self._held.append(line)
            self._held_bytes += len(line)
            while len(self._held) > self._room.lines or self._held_bytes > self._room.bytes:
                oldest = self._held.popleft()
                self._held_bytes -= len(oldest)
                dropped.append(oldest)
        if dropped:
            self._drop(dropped)
        return False

    def _drop(self, lines: Sequence[bytes]) -> None:
        """Spill lines.  Only one thread does, so that no more than one waits for a spill that is stuck."""
        alone = self._spill is not None and self._spilling.acquire(blocking=False)
        spilled = 0
        try:
            for line in lines if alone else ():
                self._spill.write(line)  # type: ignore[union-attr]  # alone says that there is one
                spilled += 1
        except Exception:  # noqa: BLE001, S110 - as for the sink; the rest is counted as lost
            pass
        finally:
            if alone:
                self._spilling.release()
        with self._guard:
            self._spilled += spilled
            self._lost += len(lines) - spilled

    def _fail(self, error: Exception) -> None:
        if not self._failing:
            self._failing = True
            self._complain((error.strerror if isinstance(error, OSError) else "") or type(error).__name__)
