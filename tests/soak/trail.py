"""Whether the audit trail has a record for every call that reached a proxy."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.soak.client import Tally

from csiproxy import auditing
from csiproxy.audit import head as audit_head
from csiproxy.audit.verification import verify


class Trail:
    """A trail that proxies append to, read as it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self.records: Counter[tuple[str, str, bool]] = Counter()
        self.broken: list[str] = []
        self.lost = 0

    def read(self) -> None:
        """Count the records that are new."""
        with open(self._path, "rb") as file:
            file.seek(self._at)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._at += len(line)
                self._count(line)

    def _count(self, line: bytes) -> None:
        try:
            record = json.loads(line)
            if "event" in record:
                self.lost += record["lost"] if record["event"] == "audit-lost" else 0
                return
            key = record["endpoint"], record["rpc"], record["outcome"] == "OK"
        except (ValueError, LookupError, TypeError):
            self.broken.append(repr(line[:200]))
            return
        self.records[key] += 1

    def faults(self, tally: Tally, proxy: int) -> list[str]:
        """What does not fit, while no call runs; ``proxy`` is the number of the one that serves."""
        return [
            *(f"a record is broken: {line}" for line in self.broken),
            *([f"{self.lost} records were lost"] if self.lost else []),
            *self._missing(tally),
            *self._numbers(tally, proxy),
        ]

    def changes(self) -> list[str]:
        """What of the trail is not as proxies wrote it, however they ended."""
        key = auditing.read_key(f"{self._path}.key", create=False)
        head = Path(f"{self._path}.head")
        report = verify(str(self._path), {key.id: key.secret}, lambda: audit_head.read(head.read_bytes()))
        return [f"the trail is not as it was written: {finding.text}" for finding in report.findings]

    def _missing(self, tally: Tally) -> Iterator[str]:
        """Calls that were answered so often, of which there are fewer records of that end."""
        for (endpoint, path, good), count in sorted(tally.answered.items()):
            if (found := self.records[endpoint, path, good]) < count:
                end = "answered" if good else "refused"
                yield f"{count} calls of {endpoint} {path} were {end}, {found} records say so"

    def _numbers(self, tally: Tally, proxy: int) -> Iterator[str]:
        """Methods with more records than calls, or fewer than calls that must have arrived."""
        recorded: Counter[tuple[str, str]] = Counter()
        for (endpoint, path, _), count in self.records.items():
            recorded[endpoint, path] += count
        answered: Counter[tuple[str, str]] = Counter()
        for (endpoint, path, _), count in tally.answered.items():
            answered[endpoint, path] += count
        late = Counter({(endpoint, path): n for (endpoint, path, at), n in tally.late.items() if at == proxy})
        for key in sorted(set(recorded) | set(answered) | set(late)):
            least = answered[key] + late[key]
            most = answered[key] + tally.lost[key]
            if not least <= recorded[key] <= most:
                yield f"{' '.join(key)}: {recorded[key]} records of {least} to {most} calls"
