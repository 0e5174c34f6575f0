"""The audit trail: one line of JSON for every RPC, to hold against Kubernetes' own audit log.

Every RPC means also those that were refused, could not be read, or named a method that does not exist.
Health checks are no RPCs of the API: a probe's question every few seconds would bury what matters, so
they leave no record.

A record is written before the reply is sent, by one writer, a whole line at a time.  A sink that fails
does not fail the call: storage of running workloads is worth more than the record, but the loss is
counted, told to the operator, and noted in the next record that gets through.
"""

import json
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TextIO, TypeAlias

from csiproxy.errors import Code
from csiproxy.operations.context import Note
from csiproxy.rpc.stream import Peer

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

LONGEST_TEXT = 1024
"""Characters of one text that a record keeps.  What is cut is followed by a marker, so a text of exactly this
length before a marker was cut and a shorter one was sent like that."""


_to_json = json.JSONEncoder(separators=(",", ":")).encode


class Sink(Protocol):
    """Where lines of the trail go."""

    def write(self, line: bytes, /) -> object:
        """Append one line, line feed included; raise OSError when it cannot be kept."""
        ...


class Events(Protocol):
    """Somebody else who is told what the trail is told.  Neither method raises or waits."""

    def called(self, record: "Record", /) -> None:
        """A call has ended."""
        ...

    def security(self, event: str, facts: Mapping[str, str | int | None], /) -> None:
        """Something that is no call concerns security."""
        ...


class FileSink:
    """Appends to a file or another open descriptor, a line with one system call where the kernel allows."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._torn = False

    @classmethod
    def open(cls, path: str) -> "FileSink":
        """Append to the file ``path``; a new one is readable by this account alone.  Raise OSError."""
        flags = (
            os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        )
        return cls(os.open(path, flags, 0o600))

    def write(self, line: bytes) -> None:
        """Append one line.  A line that failed half-way is ended before the next one starts."""
        rest = memoryview(b"\n" + line if self._torn else line)
        while rest:
            written = os.write(self._descriptor, rest)
            rest = rest[written:]
            self._torn = bool(rest)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._descriptor)


@dataclass(frozen=True, slots=True)
class Record:
    """What one RPC was and how it ended.

    ``time`` is when it began, ``seconds`` how long it took.  ``arguments`` holds the request under its own
    version's field names, None where it could not be read.  ``windows_code`` is None where the failure has
    none.  ``error`` is the text that the client got or, from CSIProxyService, did not get; empty on success.
    """

    time: datetime
    endpoint: str
    rpc: str
    peer: Peer
    arguments: Json
    outcome: Code
    windows_code: int | None
    seconds: float
    notes: Sequence[Note] = ()
    error: str = ""
    origin: str = ""


class Trail:
    """The one writer of the audit trail; any thread may write."""

    def __init__(self, sink: Sink, complaints: TextIO, events: Events | None = None) -> None:
        """``complaints`` is where the operator is told, once, that records are being lost."""
        self._sink = sink
        self._events = events
        self._complaints = complaints
        self._lock = threading.Lock()
        self._lost = 0
        self._lost_since_record = 0

    @property
    def lost(self) -> int:
        """How many records could not be kept since the start."""
        return self._lost

    def write(self, record: Record) -> None:
        """Keep a record; never raises."""
        with self._lock:
            try:
                self._sink.write(encode(record, lost_before=self._lost_since_record))
                self._lost_since_record = 0
            except Exception as error:  # noqa: BLE001 - a sink is replaceable, and no call may fail because of it
                self._lose(error)
        if self._events is not None:
            self._events.called(record)

    def security(self, event: str, **facts: str | int | None) -> None:
        """Keep what is no call and concerns security; never raises."""
        line: dict[str, Json] = {"time": _rfc3339(datetime.now(UTC)), "security": event, **facts}
        with self._lock:
            try:
                self._sink.write(_to_json(line).encode("ascii") + b"\n")
            except Exception as error:  # noqa: BLE001 - as in write
                self._lose(error)
        if self._events is not None:
            self._events.security(event, facts)

    def _lose(self, error: Exception) -> None:
        self._lost += 1
        self._lost_since_record += 1
        if self._lost > 1:
            return
        reason = error.strerror if isinstance(error, OSError) else type(error).__name__
        try:
            self._complaints.write(
                f"audit: a record could not be written ({reason}); calls go on without records\n"
            )
            self._complaints.flush()
        except (OSError, ValueError):
            pass  # nobody is left to tell; the count remains


def encode(record: Record, lost_before: int = 0) -> bytes:
    """A record as one line of ASCII: JSON escapes line feeds, control characters and unpaired surrogates."""
    peer: dict[str, Json] = {"pid": record.peer.pid, "uid": record.peer.uid}
    if record.peer.account:
        peer["account"] = record.peer.account
    if record.peer.image:
        peer["image"] = record.peer.image
    if record.peer.session is not None:
        peer["session"] = record.peer.session
    line: dict[str, Json] = {
        "time": _rfc3339(record.time),
        "endpoint": record.endpoint,
        "rpc": shorten(record.rpc),
        "caller": peer,
        "arguments": record.arguments,
        "outcome": record.outcome.name,
        "windows_code": record.windows_code,
        "duration_ms": round(record.seconds * 1000, 3),
        "notes": [
            {"event": note.event, **{k: _fact(v) for k, v in note.facts.items()}} for note in record.notes
        ],
    }
    if record.error:
        line["error"] = shorten(record.error)
    if record.origin:
        line["origin"] = shorten(record.origin)
    if lost_before:
        line["lost_before"] = lost_before
    return _to_json(line).encode("ascii") + b"\n"


def shorten(text: str) -> str:
    """A text of at most :data:`LONGEST_TEXT` characters, and behind a cut how many are missing."""
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]}…[+{len(text) - LONGEST_TEXT} characters]"


def _fact(value: str | int | bool) -> Json:
    return shorten(value) if isinstance(value, str) else value


def _rfc3339(time: datetime) -> str:
    """``2026-01-31T12:00:00.000001Z`` (RFC 3339 section 5.6)."""
    utc = time if time.tzinfo is UTC else time.astimezone(UTC)
    return utc.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
