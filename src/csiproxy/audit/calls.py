"""The calls of a trail, as people and programs ask for them: one for the lines of its begin and its end."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from csiproxy.audit import files
from csiproxy.audit.files import TrailFile
from csiproxy.audit.subjects import Subjects, subjects_of

UNFINISHED: Final = "UNFINISHED"
"""The outcome of a call that has begun and, as far as the trail goes, not ended."""

_READS: Final = ("Get", "List", "Is", "PathExists", "DiskStats", "VolumeStats", "Discover")


@dataclass(frozen=True)
class Call:
    """One call; ``record`` is what the trail has of it, the end's where there is one."""

    record: Mapping[str, object]

    @property
    def time(self) -> datetime:
        """When it began."""
        return time_of(str(self.record.get("time")))

    @property
    def seq(self) -> int:
        """The number of its line, 0 in a trail without a chain."""
        seq = self.record.get("seq")
        return seq if isinstance(seq, int) else 0

    @property
    def rpc(self) -> str:
        """The method's full name."""
        return str(self.record.get("rpc"))

    @property
    def name(self) -> str:
        """The method's name alone (``MountVolume``)."""
        return self.rpc.rpartition("/")[2]

    @property
    def reads(self) -> bool:
        """Whether it only asks."""
        return self.name.startswith(_READS)

    @property
    def outcome(self) -> str:
        """The status' name."""
        return str(self.record.get("outcome", UNFINISHED))

    @property
    def refused(self) -> bool:
        """Whether the proxy refused it."""
        return self.record.get("decision") == "refused"

    @property
    def caller(self) -> str:
        r"""Who called: the process, and its program and account where the trail names them."""
        caller = self.record.get("caller")
        if not isinstance(caller, Mapping):
            return "?"
        known = [str(caller[part]) for part in ("image", "account") if caller.get(part)]
        if not known and caller.get("uid") is not None:
            known = [f"uid {caller['uid']}"]
        return " ".join([f"pid {caller.get('pid')}", *known])

    @cached_property
    def subjects(self) -> Subjects:
        """What it is about."""
        return subjects_of(self.record)


def time_of(text: str) -> datetime:
    """A time as the trail and Kubernetes write it (RFC 3339).  ValueError for another text."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"'{text}' has no zone: write 2026-01-31T12:00:00Z")
    return time


def calls_of(trail: Iterable[TrailFile]) -> Iterator[Call]:
    """The calls of a trail in the order of their ends; those without one come last.  Raise OSError."""
    begun: dict[str, Mapping[str, object]] = {}
    for file in trail:
        for record in files.records(file.path):
            if "rpc" not in record or not _has_time(record):
                continue
            name = str(record.get("id"))
            if record.get("phase") == "begin":
                begun[name] = record
            else:
                begun.pop(name, None)
                yield Call(record)
    yield from map(Call, begun.values())


def _has_time(record: Mapping[str, object]) -> bool:
    try:
        time_of(str(record.get("time")))
    except ValueError:
        return False
    return True
