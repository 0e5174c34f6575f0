"""The audit trail for the event log of Windows: one event an RPC, without the RPC waiting for it.

A thread of its own writes.  Of calls that only read, so many a second are told one by one and the rest in a
summary each minute: kubelet asks some questions all the time, and what changes storage would drown among
them.  The audit trail itself has every call.  What finds no room, or cannot be written, is counted and told
in the next summary.
"""

import re
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from threading import Condition, Thread
from time import monotonic
from typing import Final, Protocol, TextIO

from csiproxy.api.versions import Contract
from csiproxy.audit import copies as audit
from csiproxy.audit.chain import CHECKPOINT as CHECKPOINT_EVENT
from csiproxy.errors import Code
from csiproxy.rpc.stream import Peer
from csiproxy.server.audit import Json, Record, encode, shorten
from csiproxy.server.event_kinds import (
    CHECKPOINT,
    LEFT_OUT,
    OTHER_CALL,
    SECURITY,
    STARTED,
    STOPPED,
    Kind,
    Level,
    by_path,
    level_of,
)
from csiproxy.version import __version__

MOST_WAITING: Final = 1000
"""Events that wait to be written; one is a few kilobytes at most."""
READS_AT_ONCE: Final = 20
READS_A_SECOND: Final = 1.0
SUMMARY_SECONDS: Final = 60.0
LONGEST: Final = 31_000
"""Units of an event's text; Windows takes 31839."""
_PATIENCE: Final = 2.0
"""Seconds that what still waits has at the end."""
_OTHER: Final = Kind(OTHER_CALL, "a call of a method that does not exist", reads=True)
# ReportEvent takes %1 for a place to fill in; line feeds and the like could make one event look like two.
_UNPLAIN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f%\ud800-\udfff]")


class EventLog(Protocol):
    """Where events go."""

    def report(self, event: int, level: Level, text: str) -> None:
        """Write one event.  It may take its time; raise OSError when it cannot be kept."""
        ...

    def close(self) -> None:
        """Let go of the log."""
        ...


class EventTrail:
    """Tells an event log what is served and called.  Any thread may tell; nothing here raises."""

    def __init__(self, log: EventLog, contracts: Iterable[Contract], complaints: TextIO) -> None:
        """``complaints`` is where the operator is told, once, that events are being lost."""
        self._log = log
        self._kinds = by_path(contracts)
        self._complaints = complaints
        self._changed = Condition()
        self._waiting: deque[tuple[int, Level, Record | str]] = deque()
        self._left_out: Counter[str] = Counter()
        self._lost = 0
        self._lost_since_summary = 0
        self._reads = float(READS_AT_ONCE)
        self._counted = monotonic()
        self._closing = False
        self._thread = Thread(target=self._live, name="csiproxy-events", daemon=True)
        self._thread.start()

    name = "eventlog"

    @property
    def lost(self) -> int:
        """How many events could not be kept since the start; those left out on purpose are none of them."""
        return self._lost

    def called(self, record: Record, line: bytes = b"") -> None:  # noqa: ARG002 - the writing thread makes one
        """Tell of a call."""
        kind = self._kinds.get(record.rpc, _OTHER)
        with self._changed:
            if kind.reads and not self._may_read():
                if not self._left_out:
                    self._changed.notify()  # a summary is due in a while
                self._left_out[kind.name] += 1
                return
            self._add(kind.id, level_of(record.outcome), record)

    def started(self, served: int, left: Sequence[str]) -> None:
        """Tell that calls are answered; ``left`` are the endpoints of another process."""
        more = f"; left to another process: {', '.join(left)}" if left else ""
        text = f"csi-proxy {__version__} answers calls at {served} endpoints{more}"
        self._tell(STARTED, Level.INFORMATION, text)

    def told(self, event: str, level: audit.Level, facts: Mapping[str, Json], line: bytes = b"") -> None:
        """Tell of something that is no call: what concerns security, and each checkpoint of the trail."""
        if event == CHECKPOINT_EVENT:
            self._tell(CHECKPOINT, Level.INFORMATION, line.decode("ascii").rstrip())
        elif level is not audit.Level.INFO:
            listed = ", ".join(f"{name} {fact}" for name, fact in facts.items() if fact is not None)
            self._tell(SECURITY, Level.ERROR, f"SECURITY: {event}: {listed}")

    def close(self, seconds: float = _PATIENCE) -> None:
        """Tell of the end, and write what still waits, for a moment at most."""
        self._tell(STOPPED, Level.INFORMATION, "csi-proxy answers no more calls")
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(min(seconds, _PATIENCE))
        if not self._thread.is_alive():
            self._log.close()

    def _tell(self, event: int, level: Level, text: str) -> None:
        with self._changed:
            self._add(event, level, text)

    # --- with the lock held

    def _may_read(self) -> bool:
        now = monotonic()
        self._reads = min(READS_AT_ONCE, self._reads + (now - self._counted) * READS_A_SECOND)
        self._counted = now
        if self._reads < 1:
            return False
        self._reads -= 1
        return True

    def _add(self, event: int, level: Level, told: Record | str) -> None:
        if len(self._waiting) >= MOST_WAITING or self._closing:
            self._lose()
            return
        self._waiting.append((event, level, told))
        self._changed.notify()

    def _lose(self) -> None:
        self._lost += 1
        self._lost_since_summary += 1

    # --- the thread that writes

    def _live(self) -> None:
        due = monotonic() + SUMMARY_SECONDS
        while True:
            summary, level, event = "", Level.INFORMATION, None
            with self._changed:
                if not self._left_out and not self._lost_since_summary:
                    due = monotonic() + SUMMARY_SECONDS
                if not self._waiting and not self._closing:
                    owed = self._left_out or self._lost_since_summary
                    self._changed.wait(max(0.0, due - monotonic()) if owed else None)
                closing = self._closing and not self._waiting
                if closing or monotonic() >= due:
                    summary, level = self._summary()
                    due = monotonic() + SUMMARY_SECONDS
                elif self._waiting:
                    event = self._waiting.popleft()
            if summary:
                self._write(LEFT_OUT, level, summary)
            elif event is not None:
                self._write(*event)
            if closing:
                return

    def _summary(self) -> tuple[str, Level]:
        """What was left out since the last one; "" for nothing."""
        left_out, lost = self._left_out, self._lost_since_summary
        self._left_out, self._lost_since_summary = Counter(), 0
        parts = []
        if left_out:
            listed = ", ".join(f"{name} {count}" for name, count in sorted(left_out.items()))
            parts.append(
                f"{left_out.total()} calls that only read were not told one by one: {listed}; "
                "the audit trail has them"
            )
        if lost:
            parts.append(f"{lost} events were lost; the audit trail has the calls")
        return "; ".join(parts), Level.WARNING if lost else Level.INFORMATION

    def _write(self, event: int, level: Level, told: Record | str) -> None:
        try:
            text = _plain(told) if isinstance(told, str) else _text(told)
            self._log.report(event, level, text[:LONGEST])
        except Exception as error:  # noqa: BLE001 - the thread has to live, whatever the log is like
            with self._changed:
                self._lose()
                first = self._lost == 1
            if first:
                self._complain(error)

    def _complain(self, error: Exception) -> None:
        reason = error.strerror if isinstance(error, OSError) else type(error).__name__
        with suppress(OSError, ValueError):  # nobody is left to tell; the count remains
            self._complaints.write(f"event log: an event could not be written ({reason}); calls go on\n")


def _text(record: Record) -> str:
    """One line for people, and the audit record for programs.

    The record is ASCII in which a percent sign may stand as an escape, as any character may.
    """
    rpc = record.rpc.rpartition("/")[2]
    took = f"{record.seconds * 1000:.1f} ms"
    ended = f"done in {took}"
    if record.outcome is not Code.OK:
        code = "" if record.windows_code is None else f", Windows code {record.windows_code}"
        ended = f"failed with {record.outcome.name}{code} after {took}: {record.error}"
    line = shorten(f"{rpc} at {record.endpoint}, called by {_who(record.peer)}, {ended}")
    return f"{_plain(line)}\r\n\r\n" + encode(record).decode("ascii").rstrip().replace("%", r"\u0025")


def _who(peer: Peer) -> str:
    known = [
        f"process {peer.pid}" if peer.pid is not None else "an unknown process",
        *(part for part in (peer.image, peer.account) if part),
    ]
    return ", ".join(known)


def _plain(text: str) -> str:
    """A text that Windows shows as it is."""
    return _UNPLAIN.sub("?", text)
