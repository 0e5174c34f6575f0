"""What a kill may have left half done on volumes, so that the next start can finish it."""

import sqlite3
from enum import Enum

from csiproxy.emulator.state import State

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS unfinished_volumes (
         guid TEXT PRIMARY KEY,
         job  TEXT NOT NULL     -- format: what is on it is not whole; grow: it is to fill its partition
       )""",
)


class Job(Enum):
    """What was begun."""

    FORMAT = "format"
    GROW = "grow"


class Unfinished:
    """The jobs that were begun and not ended, by the volumes' GUIDs; one a volume."""

    def __init__(self, state: State) -> None:
        self._state = state
        with state.transaction() as db:
            self._jobs = {guid: Job(job) for guid, job in _rows(db)}

    def get(self, guid: str) -> Job | None:
        """What was begun on a volume."""
        return self._jobs.get(guid)

    def begin(self, guid: str, job: Job) -> None:
        """Note a job before it begins."""
        with self._state.transaction() as db:
            db.execute("INSERT OR REPLACE INTO unfinished_volumes VALUES (?, ?)", (guid, job.value))
        self._jobs[guid] = job

    def end(self, guid: str) -> None:
        """Forget a job that has ended; none is fine."""
        if guid in self._jobs:
            with self._state.transaction() as db:
                db.execute("DELETE FROM unfinished_volumes WHERE guid = ?", (guid,))
            del self._jobs[guid]


def _rows(db: sqlite3.Connection) -> list[tuple[str, str]]:
    return list(db.execute("SELECT guid, job FROM unfinished_volumes"))
