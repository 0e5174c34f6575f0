"""What an emulated node remembers: one SQLite file, whole after a kill at any instant.

Each part of the node keeps its own tables here and hands their definitions to :class:`State`, which
knows none of them.  A file that is not this program's, or that a newer release wrote, is refused and
left exactly as it is.
"""

import sqlite3
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256

from csiproxy.errors import HostError

# SQLite keeps both numbers in the file's header: whose file it is, and the layout of its tables.
APPLICATION_ID = 0x43534945  # "CSIE"
LAYOUT_VERSION = 1

OWN_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS identity (
         only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
         seed     TEXT,              -- NULL: identifiers are random
         counter  INTEGER NOT NULL   -- how many identifiers were drawn from the seed
       )""",
    "INSERT OR IGNORE INTO identity (only_row, seed, counter) VALUES (1, NULL, 0)",
)

# Another process may hold the file for one short transaction, never longer.
LOCK_WAIT_SECONDS = 30.0


class StateError(HostError):
    """The state file cannot be used as it is.  The text says what to do; the file was not changed."""


# What opening a damaged file raises.  SQLite's own text about it may quote the file, and then not be
# readable as text itself; and a damaged header may name sizes that no machine has memory for.
_SIGNS_OF_DAMAGE = (sqlite3.Error, UnicodeDecodeError, MemoryError)


class State:
    """The state file of one node, shared by its parts.  Safe to use from several threads.

    ``schema`` holds ``CREATE TABLE IF NOT EXISTS`` statements of the parts.  ``path`` is created when it
    does not exist; a foreign, corrupt or newer file raises :class:`StateError`.
    """

    def __init__(self, path: str, schema: Sequence[str] = ()) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._depth = 0
        try:
            self._connection = sqlite3.connect(
                path, timeout=LOCK_WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise StateError(
                f"cannot open the state file {path} ({error}): make its directory exist and writable"
            ) from error
        try:
            self._prepare(schema)
        except BaseException as error:
            self._connection.close()
            if isinstance(error, _SIGNS_OF_DAMAGE):
                raise StateError(_advice(path, error)) from error
            raise

    @property
    def lock(self) -> AbstractContextManager[object]:
        """The lock that transactions take, reentrant.

        A part that guards memory together with the state takes this one instead of a lock of its own, so
        that no two parts can wait for each other.
        """
        return self._lock

    def close(self) -> None:
        """Close the file; everything committed is in it."""
        with self._lock:
            self._connection.close()

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """Hold the state for one change: all of it happens, or, on an exception, nothing.

        One thread at a time; inside its own transaction a thread may enter another, which joins it.
        SQLite's failures leave as :class:`StateError`, except ``IntegrityError``, which is the caller's.
        """
        return self._transaction()

    def fresh_guid(self) -> str:
        """A GUID that this node has not given before, in lower case and without braces.

        Random, or, once :meth:`seed` was called, the next of a sequence that the seed alone decides.
        """
        with self.transaction() as db:
            seed, counter = db.execute("SELECT seed, counter FROM identity").fetchone()
            if seed is None:
                return str(uuid.uuid4())
            db.execute("UPDATE identity SET counter = counter + 1")
        digest = sha256(f"{counter}:{seed}".encode()).digest()
        return str(uuid.UUID(bytes=digest[:16], version=4))

    def seed(self, seed: str) -> None:
        """Make the identifiers from here on a sequence that ``seed`` alone decides."""
        with self.transaction() as db:
            db.execute("UPDATE identity SET seed = ?, counter = 0", (seed,))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._depth:
                yield self._connection
                return
            self._execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException as error:
                # A failed COMMIT may have rolled back by itself, and a broken disk may fail the ROLLBACK
                # too; then the rollback journal undoes the change when the file is next opened.
                if self._connection.in_transaction:
                    self._execute("ROLLBACK")
                if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.IntegrityError):
                    raise StateError(_advice(self.path, error)) from error
                raise
            finally:
                self._depth = 0

    def _execute(self, statement: str) -> None:
        try:
            self._connection.execute(statement)
        except sqlite3.Error as error:
            raise StateError(_advice(self.path, error)) from error

    def _prepare(self, schema: Sequence[str]) -> None:
        """Check whose file this is before anything is written to it, then create the tables."""
        db = self._connection
        owner = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if owner != APPLICATION_ID and (owner or version or tables):
            raise StateError(
                f"{self.path} is a database of another program: give the node a state directory of its own"
            )
        if version > LAYOUT_VERSION:
            raise StateError(
                f"{self.path} was written by a newer release (layout {version}, this one reads up to "
                f"{LAYOUT_VERSION}): use that release or a new state directory"
            )
        if owner:
            damage = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if damage != "ok":
                raise StateError(_advice(self.path, sqlite3.DatabaseError(damage)))
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA synchronous = FULL")
        with self.transaction():
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {LAYOUT_VERSION}")
            for statement in (*OWN_SCHEMA, *schema):
                db.execute(statement)


def _advice(path: str, error: Exception) -> str:
    """What is wrong with the state file and what the operator can do."""
    text = str(error) or type(error).__name__
    if "locked" in text or "busy" in text:
        return f"the state file {path} is held by another process: stop the other node first"
    if "full" in text:
        return f"no room on the host to change the state file {path}: free some and repeat the call"
    if "readonly" in text:
        return f"the state file {path} cannot be written: make it and its directory writable"
    return (
        f"the state file {path} cannot be read ({text}): it was left as it is; restore it from a copy, "
        "or move it away to start an empty node (disk images are not affected)"
    )
