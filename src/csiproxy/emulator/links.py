"""What the node knows of the host's symbolic links: which are Windows' links and mount points.

A row names a link by file system, file number and text.  The table is advisory: a symbolic link that it
does not know was put there by somebody else, and a row whose link has gone is harmless.  So that such rows
do not pile up, the table is looked through whenever it has doubled.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from csiproxy.emulator.exchange import Identity
from csiproxy.emulator.state import State, StateError
from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.win32 import EntryKind

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS links (
         file   TEXT PRIMARY KEY,   -- file system and file number, hexadecimal
         text   BLOB NOT NULL,      -- what readlink gives
         kind   TEXT NOT NULL,      -- the value of an EntryKind
         target TEXT NOT NULL,      -- where Windows says it leads
         place  TEXT NOT NULL       -- its own Windows path
       )""",
    """CREATE TABLE IF NOT EXISTS link_changes (
         temporary  TEXT PRIMARY KEY,  -- a name that something of ours may have in the directory
         directory  TEXT NOT NULL,     -- Windows path
         name       TEXT NOT NULL,     -- the name being changed, as the host spells it
         makes_link INTEGER NOT NULL   -- 1: into a link, 0: into a directory
       )""",
)

# Below this many links the table is never looked through.
FEWEST_TO_LOOK_THROUGH = 64

RECORD = "INSERT OR REPLACE INTO links (file, text, kind, target, place) VALUES (?, ?, ?, ?, ?)"
DROP = "DELETE FROM links WHERE file = ?"


@dataclass(frozen=True, slots=True)
class Link:
    """One symbolic link of the host and what it is to Windows."""

    file: Identity
    text: str
    kind: EntryKind
    target: str
    place: str


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a name through a temporary one, which a kill may have interrupted."""

    temporary: str
    directory: str
    name: str
    makes_link: bool


class LinkTable:
    """The links, in memory for questions and in the node's state for its next start.  Thread-safe.

    A state that cannot be written is ERROR_GEN_FAILURE (31); nothing has changed then.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        # Taken inside the state's lock, never around it.
        self._lock = threading.Lock()
        self._done: set[str] = set()
        # What was not in its place when the table was looked through last, and how long it may become until
        # that is done again.
        self._missing: frozenset[Link] = frozenset()
        self._longest = FEWEST_TO_LOOK_THROUGH
        with state.transaction() as db:
            rows = db.execute("SELECT file, text, kind, target, place FROM links").fetchall()
        self._links = {
            link.file: link
            for link in (
                Link(_identity(file), os.fsdecode(text), EntryKind(kind), target, place)
                for file, text, kind, target, place in rows
            )
        }

    def find(self, file: Identity, text: str) -> Link | None:
        """The link with this identity and text."""
        link = self._links.get(file)
        return link if link is not None and link.text == text else None

    def all(self) -> list[Link]:
        """Every link known, in the order of their places."""
        with self._lock:
            return sorted(self._links.values(), key=lambda link: link.place)

    def mounted(self, volume: str) -> list[Link]:
        """The mount points of a volume, in the order of their places."""
        with self._lock:
            found = [
                link
                for link in self._links.values()
                if link.kind is EntryKind.MOUNT_POINT and link.target == volume
            ]
        return sorted(found, key=lambda link: link.place)

    def begin(self, change: Change) -> None:
        """Note a change before its temporary name exists."""
        with self._lock:
            done = set(self._done)
        with self._writing() as db:
            # Notes of changes that are over go with the next one: they do no harm, and a commit is dear.
            db.executemany("DELETE FROM link_changes WHERE temporary = ?", [(name,) for name in done])
            db.execute(
                "INSERT INTO link_changes (temporary, directory, name, makes_link) VALUES (?, ?, ?, ?)",
                (change.temporary, change.directory, change.name, change.makes_link),
            )
        with self._lock:
            self._done -= done

    def over(self, temporary: str) -> None:
        """A change has come to its end, whichever: nothing has the temporary name."""
        with self._lock:
            self._done.add(temporary)

    def remember(self, link: Link) -> None:
        """Record a link; a row of an earlier file with the same number is replaced."""
        with self._writing() as db:
            db.execute(RECORD, _row(link))
        with self._lock:
            self._links[link.file] = link

    def moved(self, link: Link, place: str) -> None:
        """A link was found in another directory than it was made in."""
        self.remember(replace(link, place=place))

    def forget(self, *files: Identity) -> None:
        """Drop rows; unknown ones are no error."""
        with self._lock:
            for file in files:
                self._links.pop(file, None)
        # The links are gone already, and a row without its link is harmless: it goes at the next start.
        with suppress(Win32Error), self._writing() as db:
            db.executemany(DROP, [(_key(file),) for file in files])

    def look_through(self, is_gone: Callable[[Link], bool]) -> None:
        """Forget links that have gone, once the table is twice as long as after the last time.

        A link is forgotten that ``is_gone`` two times running and that nobody has found elsewhere meanwhile:
        a directory may be away for a moment with the links in it.  A look costs one question for each link,
        and as many new ones have come since the last, so it makes no call slower for good.
        """
        with self._lock:
            links = list(self._links.values()) if len(self._links) >= self._longest else []
        if not links:
            return
        missing = frozenset(link for link in links if is_gone(link))
        with self._lock:
            again = [link for link in missing & self._missing if self._links.get(link.file) == link]
        self.forget(*(link.file for link in again))
        self._missing = missing.difference(again)
        self._longest = max(FEWEST_TO_LOOK_THROUGH, 2 * (len(links) - len(again)))

    def renumber(self, found: Sequence[tuple[Link, Identity]]) -> None:
        """Links that have other identities now: the state was copied, or the host numbers files anew.

        All of them at once, because the new identity of one may be the old identity of another.
        """
        links = [replace(link, file=file) for link, file in found]
        with self._writing() as db:
            db.executemany(DROP, [(_key(link.file),) for link, _ in found])
            db.executemany(RECORD, [_row(link) for link in links])
        with self._lock:
            for link, _ in found:
                self._links.pop(link.file, None)
            self._links.update((link.file, link) for link in links)

    def interrupted(self) -> list[Change]:
        """Changes that were begun in this or an earlier process and not ended in this one."""
        with self._state.transaction() as db:
            rows = db.execute("SELECT temporary, directory, name, makes_link FROM link_changes").fetchall()
        return [
            Change(temporary, directory, name, bool(makes_link))
            for temporary, directory, name, makes_link in rows
            if temporary not in self._done
        ]

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._state.transaction() as db:
                yield db
        except StateError as error:
            raise Win32Error(WindowsCode.GEN_FAILURE, "NtCreateFile", str(error)) from error


def _row(link: Link) -> tuple[str, bytes, str, str, str]:
    return _key(link.file), os.fsencode(link.text), link.kind.value, link.target, link.place


def _key(file: Identity) -> str:
    return f"{file[0]:x}:{file[1]:x}"


def _identity(key: str) -> Identity:
    device, _, inode = key.partition(":")
    return int(device, 16), int(inode, 16)
