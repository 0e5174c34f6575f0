"""Copies of the trail for other logs: each has a bounded queue and a thread that empties it.

A copy never holds a call up.  What finds no room in its queue is counted, and told in the copy itself when
that works again; the trail has it in any case.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from threading import Condition, Thread
from typing import Final, Protocol

ROOM: Final = 2048
"""Entries that wait for one copy."""
_RETRY: Final = 1.0
_LONGEST_RETRY: Final = 30.0


class Level(Enum):
    """How much an entry matters to whoever watches a log."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Entry:
    """A record for another log: its line of JSON without a line feed, and what it is about.

    ``name`` is an RPC's (``/v1.Disk/Rescan``) or an event's (``start``, ``checkpoint``).
    """

    name: str
    level: Level
    text: str


class CopySink(Protocol):
    """Another log.  For one thread at a time."""

    def write(self, entry: Entry, /) -> None:
        """Log an entry; raise OSError when that cannot be done now."""
        ...

    def close(self) -> None:
        """Let go of the log."""
        ...


class Copy:
    """Feeds one other log, called ``name``, from a thread of its own."""

    def __init__(
        self, name: str, sink: CopySink, fails: Callable[[str, str], object], room: int = ROOM
    ) -> None:
        """``fails`` is told the name and why, once for each time that the log begins to fail."""
        self.name = name
        self._sink = sink
        self._fails = fails
        self._queue: deque[Entry] = deque()
        self._room = room
        self._changed = Condition()
        self._ending = False
        self._lost = self._told = 0
        self._thread = Thread(target=self._run, name=f"csiproxy-audit-{name}", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """Entries that found no room, since the start."""
        return self._lost

    def put(self, entry: Entry) -> None:
        """Have an entry logged; never waits."""
        with self._changed:
            if len(self._queue) >= self._room:
                self._queue.popleft()
                self._lost += 1
            self._queue.append(entry)
            self._changed.notify()

    def close(self, seconds: float) -> None:
        """Give the log so long to take what waits; the rest counts as lost."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join(seconds)
        with self._changed:
            self._lost += len(self._queue)
            self._queue.clear()
        if not self._thread.is_alive():
            self._sink.close()

    def _run(self) -> None:
        pause = _RETRY
        failing = False
        while True:
            with self._changed:
                while not self._queue and not self._ending:
                    self._changed.wait()
                if not self._queue:
                    return
                entry = self._queue[0]
            try:
                self._tell_loss()
                self._sink.write(entry)
            except Exception as error:  # noqa: BLE001 - whatever a log does, the thread goes on
                if not failing:
                    failing = True
                    self._fails(self.name, _reason(error))
                with self._changed:
                    if self._ending:
                        return
                    self._changed.wait_for(lambda: self._ending, pause)
                pause = min(pause * 2, _LONGEST_RETRY)
                continue
            failing, pause = False, _RETRY
            with self._changed:
                if self._queue and self._queue[0] is entry:
                    self._queue.popleft()

    def _tell_loss(self) -> None:
        lost = self._lost
        if lost > self._told:
            text = f'{{"event":"audit-lost","sink":"{self.name}","lost":{lost - self._told}}}'
            self._sink.write(Entry("audit-lost", Level.ERROR, text))
            self._told = lost


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or type(error).__name__
