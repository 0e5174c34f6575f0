"""The audit trail: one line of JSON for every RPC, to hold against Kubernetes' own audit log.

Every RPC means also those that were refused, could not be read, or named a method that does not exist.
Health checks are no RPCs of the API: a probe's question every few seconds would bury what matters, so
they leave no record.

A record is written before the reply is sent, by one writer, a whole line at a time.  A sink that fails
does not fail the call: storage of running workloads is worth more than the record.  Records are held
meanwhile, then spilled; what is lost is counted, told to the operator, and noted in the trail.  An operator
who sees that differently has calls refused that cannot be recorded (``--audit=required``).
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Protocol, TextIO, TypeAlias, TypeVar

from csiproxy.audit.copies import Copy, CopySink, Entry, Level
from csiproxy.audit.keeper import RETRY, Keeper
from csiproxy.audit.line import Fact, rfc3339
from csiproxy.audit.primary import PATIENCE, Primary, Room, Sink, Standing
from csiproxy.errors import Code
from csiproxy.operations.context import Note
from csiproxy.rpc.stream import Peer
from csiproxy.server.host_steps import Step

T = TypeVar("T")
Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

LONGEST_TEXT = 1024
"""Characters of one text that a record keeps.  What is cut is followed by a marker, so a text of exactly this
length before a marker was cut and a shorter one was sent like that."""


_to_json = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Record:
    """What one RPC was and how it ended.

    ``time`` is when it began, ``seconds`` how long it took.  ``arguments`` holds the request under its own
    version's field names, None where it could not be read.  ``windows_code`` is None where the failure has
    none.  ``error`` is the text that the client got or, from CSIProxyService, did not get; empty on success.

    ``ran`` tells whether the operation was begun; ``rule`` names what refused the call, empty where nothing
    did.  ``steps`` are what was asked of the host, ``answer`` which objects the reply names.
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
    id: str = ""
    rule: str = ""
    ran: bool = True
    steps: Sequence[Step] = ()
    answer: Json = None


class Follower(Protocol):
    """Somebody who is told all that the trail is told: another log.  Nothing here raises or waits.

    ``line`` is the trail's, with a line feed; ``lost`` counts what could not be passed on.
    """

    @property
    def name(self) -> str:
        """What it is called in metrics."""
        ...

    @property
    def lost(self) -> int:
        """What it was told and could not keep."""
        ...

    def called(self, record: "Record", line: bytes, /) -> None:
        """A call has ended."""
        ...

    def told(self, event: str, level: Level, facts: "Mapping[str, Json]", line: bytes, /) -> None:
        """Something happened that is no call."""
        ...

    def close(self, seconds: float, /) -> None:
        """Nothing more will come; what waits has so long."""
        ...


class Copied:
    """Follows the trail into a log of lines."""

    def __init__(self, copy: Copy) -> None:
        self._copy = copy

    @property
    def name(self) -> str:
        """See :class:`Follower`."""
        return self._copy.name

    @property
    def lost(self) -> int:
        """See :class:`Follower`."""
        return self._copy.lost

    def called(self, record: "Record", line: bytes) -> None:
        """See :class:`Follower`."""
        level = Level.INFO if record.outcome is Code.OK else Level.WARNING
        self._copy.put(Entry(shorten(record.rpc), level, line[:-1].decode("ascii")))

    def told(self, event: str, level: Level, facts: "Mapping[str, Json]", line: bytes) -> None:  # noqa: ARG002
        """See :class:`Follower`."""
        self._copy.put(Entry(event, level, line[:-1].decode("ascii")))

    def close(self, seconds: float) -> None:
        """See :class:`Follower`."""
        self._copy.close(seconds)


class Unrecorded(Exception):
    """A call must not run because its record cannot be kept; the text says why."""


class Trail:
    """The audit trail as the server writes it: one primary sink, and followers.  Safe for threads."""

    def __init__(
        self,
        sink: Sink,
        complaints: TextIO,
        *,
        spill: Sink | None = None,
        required: bool = False,
        room: Room | None = None,
        patience: float = PATIENCE,
    ) -> None:
        """``complaints`` is where the operator is told that records cannot be kept; ``spill`` gets what finds
        no room.  With ``required``, no call runs before the trail has a line that it begins.
        """
        self.required = required
        self.keeper = Keeper()
        self._complaints = complaints
        self._followers: list[Follower] = []
        self._run = os.urandom(4).hex()
        self._calls = count(1)
        self._missed = 0
        self._primary = Primary(
            sink, self._complain, spill=spill, note_loss=_loss, room=room, patience=patience
        )

    @property
    def standing(self) -> Standing:
        """What is held, spilled and lost."""
        return self._primary.standing

    @property
    def lost(self) -> int:
        """How many records could not be kept since the start."""
        return self._primary.standing.lost

    @property
    def missed(self) -> int:
        """How many records were in files that somebody took away while they were written."""
        return self._missed

    @property
    def lost_by_followers(self) -> Mapping[str, int]:
        """What each follower could not keep, by its name."""
        return {follower.name: follower.lost for follower in self._followers}

    def follow(self, follower: Follower) -> None:
        """Tell a follower everything from now on."""
        self._followers.append(follower)

    def copy_to(self, name: str, sink: CopySink) -> None:
        """Feed a log of lines from now on."""
        self.follow(Copied(Copy(name, sink, self._copy_fails)))

    def next_id(self) -> str:
        """A name for a call: this process' own, and the call's number."""
        return f"{self._run}-{next(self._calls)}"

    def begin(self, record: "Beginning") -> None:
        """Keep, before a call runs, that it begins.  Raise Unrecorded when that cannot be."""
        if not self._primary.try_write(encode_beginning(record)):
            raise Unrecorded(
                "the audit trail cannot be written, and no call runs without a record: make room for it, or "
                "start csi-proxy with --audit=optional"
            )

    def write(self, record: "Record") -> None:
        """Keep a record; never raises."""
        line = encode(record)
        self._keep(line)
        for follower in self._followers:
            follower.called(record, line)

    def event(self, name: str, level: Level = Level.INFO, **facts: Json) -> None:
        """Keep what is no call; never raises."""
        line = encode_event(name, facts)
        self._keep(line)
        for follower in self._followers:
            follower.told(name, level, facts, line)

    def signed(self, line: bytes) -> None:
        """Give followers a checkpoint: whoever can change the trail and its key cannot change theirs."""
        for follower in self._followers:
            follower.told("checkpoint", Level.INFO, {}, line)

    def file_missed(self, facts: Mapping[str, Fact], records: int) -> None:
        """A file of the trail with so many records was taken away; whoever writes to it tells this."""
        self._missed += records
        self.keeper.ask(partial(self._tell_missed, facts))

    def run(self, work: Callable[[], T]) -> T | None:
        """Do something with the primary sink while nobody writes to it; None when it failed or is busy."""
        return self._primary.run(work)

    def close(self, seconds: float = 5.0) -> None:
        """Write what is still held, or spill it, and let the copies end; calls must have ended before."""
        self.keeper.close(seconds)
        self._primary.end()
        for follower in self._followers:
            follower.close(seconds)

    def _keep(self, line: bytes) -> None:
        if not self._primary.write(line):
            self.keeper.ask(self._retry, RETRY)

    def _retry(self) -> None:
        if not self._primary.flush():
            self.keeper.ask(self._retry, RETRY)

    def _copy_fails(self, name: str, reason: str) -> None:
        self.event("audit-copy-failing", Level.WARNING, copy=name, reason=reason)
        self._tell(f"audit: the copy for {name} cannot be written ({reason}); it is tried again")

    def _tell_missed(self, facts: Mapping[str, Fact]) -> None:
        self.event("audit-file-missed", Level.ERROR, **facts)
        self._tell(
            f"SECURITY: audit: the file {facts['missed']} of the trail (records {facts['missed_first']} to "
            f"{facts['missed_last']}) was {facts['missed_how']} while it was written; another one is begun"
        )

    def _complain(self, reason: str) -> None:
        calls = "calls are refused" if self.required else "calls go on"
        text = f"audit: a record could not be written ({reason}); records are held, {calls}"
        self.keeper.ask(partial(self._tell, text))  # not here: the log may be what does not return

    def _tell(self, text: str) -> None:
        with suppress(OSError, ValueError):  # nobody is left to tell; the count remains
            self._complaints.write(f"{text}\n")
            self._complaints.flush()


def _loss(spilled: int, lost: int) -> bytes:
    return encode_event("audit-lost", {"spilled": spilled, "lost": lost})


def encode_event(name: str, facts: Mapping[str, Json]) -> bytes:
    """What is no call as a line."""
    return _to_json({"time": rfc3339(datetime.now(UTC)), "event": name, **facts}).encode("ascii") + b"\n"


@dataclass(frozen=True, slots=True)
class Beginning:
    """A call that is about to run."""

    id: str
    time: datetime
    endpoint: str
    rpc: str
    peer: Peer
    arguments: Json


def encode_beginning(record: Beginning) -> bytes:
    """The line that a call begins; the one of its end has the same ``id``."""
    line: dict[str, Json] = {
        "time": rfc3339(record.time),
        "id": record.id,
        "phase": "begin",
        "endpoint": record.endpoint,
        "rpc": shorten(record.rpc),
        "caller": _caller(record.peer),
        "arguments": record.arguments,
    }
    return _to_json(line).encode("ascii") + b"\n"


def encode(record: Record) -> bytes:
    """A record as one line of ASCII: JSON escapes line feeds, control characters and unpaired surrogates."""
    line: dict[str, Json] = {
        "time": rfc3339(record.time),
        "id": record.id,
        "endpoint": record.endpoint,
        "rpc": shorten(record.rpc),
        "caller": _caller(record.peer),
        "arguments": record.arguments,
        "decision": decision(record),
        "outcome": record.outcome.name,
        "windows_code": record.windows_code,
        "duration_ms": round(record.seconds * 1000, 3),
    }
    if record.rule:
        line["rule"] = record.rule
    if record.steps:
        line["steps"] = [[step.target, step.code] for step in record.steps]
    line["notes"] = [
        {"event": note.event, **{k: _fact(v) for k, v in note.facts.items()}} for note in record.notes
    ]
    if record.answer:
        line["answer"] = record.answer
    if record.error:
        line["error"] = shorten(record.error)
    if record.origin:
        line["origin"] = shorten(record.origin)
    return _to_json(line).encode("ascii") + b"\n"


def decision(record: Record) -> str:
    """Whether the proxy let the call happen: what the host did of it is the outcome's business."""
    if record.rule or not record.ran:
        return "refused"
    return "allowed"


def _caller(peer: Peer) -> Json:
    caller: dict[str, Json] = {"pid": peer.pid, "uid": peer.uid}
    if peer.account:
        caller["account"] = peer.account
    if peer.image:
        caller["image"] = peer.image
    if peer.session is not None:
        caller["session"] = peer.session
    return caller


def shorten(text: str) -> str:
    """A text of at most :data:`LONGEST_TEXT` characters, and behind a cut how many are missing."""
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]}…[+{len(text) - LONGEST_TEXT} characters]"


def _fact(value: str | int | bool) -> Json:
    return shorten(value) if isinstance(value, str) else value
