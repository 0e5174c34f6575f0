"""A trail in files: lines are chained as they are written, files begin anew when they are full.

Each file begins with a line that says its number and what it follows, and a file that is full ends with a
checkpoint.  The chain goes on from where the head says it ended, whatever the file holds by then, so what
somebody did to the file while nobody wrote it shows for ever.

A file that is taken away while it is written (removed, renamed, replaced) takes along what follows unseen.
So its place is looked at before each line, and another file is begun there that says so.
"""

import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeGuard

from csiproxy.appending import open_to_append
from csiproxy.audit import chain, files
from csiproxy.audit.chain import CHECKPOINT_EVERY, START, Position
from csiproxy.audit.digest import sha256
from csiproxy.audit.files import Tail
from csiproxy.audit.head import Head
from csiproxy.audit.key import Key
from csiproxy.audit.line import Fact, event

_CAN_BE_TAKEN: Final = os.name != "nt"
"""Windows lets nobody rename or remove a file that was opened as this one is."""
_RETRY_ROTATION: Final = 1024 * 1024
"""Bytes after which a full file is tried again that could not be put aside (somebody has it open)."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a file grows in bytes (0: without end), and how many full ones are kept beside it."""

    largest: int
    kept: int


@dataclass(frozen=True, slots=True)
class Missed:
    """A file that was taken away while it was written: its number, and its first and last record.

    ``removed`` tells that it is gone, else it has another name or place.
    """

    number: int
    first: int
    last: int
    removed: bool

    def facts(self) -> dict[str, Fact]:
        """What the next file's first line says of it."""
        how = "removed" if self.removed else "moved"
        return {
            "missed": self.number,
            "missed_first": self.first,
            "missed_last": self.last,
            "missed_how": how,
        }


class ChainedFile:
    """Appends lines to a trail.  For one thread at a time; every method may raise OSError."""

    def __init__(
        self,
        path: str,
        key: Key,
        head: Head,
        bounds: Bounds,
        *,
        signed: Callable[[bytes], object] = lambda _: None,
        missed: Callable[["Missed"], object] = lambda _: None,
        checkpoint_every: int = CHECKPOINT_EVERY,
    ) -> None:
        """Go on with the trail ``path``, or begin it.

        ``signed`` is given every checkpoint's line, to be kept in other places, too; ``missed`` is told of
        files that were taken away while they were written, and must not write itself.  :attr:`finding` says
        what is wrong with the trail that was found, "" for nothing.
        """
        self._path = path
        self._key = key
        self._head = head
        self._bounds = bounds
        self._signed = signed
        self._tell_missed = missed
        self._every = checkpoint_every
        self._descriptor = -1
        self._size = self._retry_at = self._number = self._sealed = 0
        self._first = 1
        self._identity = (0, 0)
        self._missed: Missed | None = None
        """The file before, until the next one says that it was taken away."""
        self._last = START
        self.finding = ""
        self._open_found()

    @property
    def position(self) -> Position:
        """The last line."""
        return self._last

    def write(self, line: bytes) -> None:
        """Append a record; when OSError is raised, nothing of it is there."""
        self._look()
        if self._descriptor < 0:
            self._begin_file()
        elif self._bounds.largest and self._size + len(line) > max(self._bounds.largest, self._retry_at):
            self._rotate()
        self._append(line)
        if self._last.seq - self._sealed >= self._every:
            with suppress(OSError):  # the record is there; the next one brings the checkpoint
                self.checkpoint()

    def checkpoint(self) -> None:
        """Sign what has been written since the last checkpoint, if anything has."""
        if self._last.seq == self._sealed:
            return
        seq, digest = self._last.seq, self._last.digest.hex()
        checkpoint = event(chain.CHECKPOINT, key=self._key.id, covers=seq, digest=digest)
        line = chain.sign(self._key.secret, checkpoint)
        self._append(line)
        self._sealed = self._last.seq
        self._signed(line)

    def seal(self) -> int:
        """Sign what there is; give a descriptor of the file for :func:`bring_to_disk`, -1 for none."""
        self._look()
        if self._descriptor < 0:
            self._begin_file()
        self.checkpoint()
        self._head.flush()
        return os.dup(self._descriptor) if self._descriptor >= 0 else -1

    def close(self) -> None:
        """Sign what there is, bring it to the disk, and let go of the files."""
        try:
            bring_to_disk(self.seal())
        finally:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1
            self._head.close()

    def _look(self) -> None:
        """See whether the file is still where it belongs, and let go of one that is not."""
        if not _CAN_BE_TAKEN or self._descriptor < 0:
            return
        try:
            there = os.lstat(self._path)
            if (there.st_dev, there.st_ino) == self._identity:
                return
        except FileNotFoundError:
            pass
        removed = os.fstat(self._descriptor).st_nlink == 0
        self._missed = Missed(self._number, self._first, self._last.seq, removed)
        os.close(self._descriptor)
        self._descriptor = -1
        self._tell_missed(self._missed)

    def _append(self, record: bytes) -> None:
        line, position = chain.forge(self._last, record)
        self._head.begins(position)
        try:
            self._write(line)
        except BaseException:
            self._head.settle(self._last)
            raise
        self._head.ends()
        self._last = position
        self._size += len(line)

    def _write(self, line: bytes) -> None:
        """Write a whole line or, as far as the system lets us, nothing."""
        rest = memoryview(line)[os.write(self._descriptor, line) :]
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BaseException:
                if len(rest) < len(line):
                    os.ftruncate(self._descriptor, self._size)
                raise

    def _open_found(self) -> None:
        """Find out where the trail ends and open its last file; tell in it what was found."""
        full = files.archives(self._path)
        self._number = full[-1].number if full else 0
        growing = files.tail(self._path) if os.path.exists(self._path) else None
        if growing is not None and growing.size == 0:
            growing = None
        if growing is not None and growing.last is None and self._head.was_empty and not full:
            _put_aside(self._path, "unchained")  # the trail of a release without a chain
            growing = None
        found = growing or (files.tail(full[-1].path) if full else None)
        self._last = self._end(found)
        if growing is None:
            self._begin_file()
        else:
            self._number, self._first = _beginning(self._path) or (self._number + 1, 1)
            self._reopen()
            if growing.fragment:
                os.write(self._descriptor, b"\n")
                self._size += 1
        if found is not None or self.finding:
            self._append(self._resumed(found.fragment if found else b""))

    def _end(self, found: Tail | None) -> Position:
        """Where the chain goes on: at the end that the head knows; without a head, at the file's."""
        last = found.last.claim if found is not None and found.last is not None else START
        known = self._head.found
        if known is None:
            if found is not None:
                self.finding = "its head is missing, so records could be missing at its end"
            return last
        if last in (known.there, known.under_way):
            return last
        self.finding = (
            f"it ends at record {last.seq}, but record {known.there.seq} had been written: "
            "somebody changed it, or the machine lost power"
        )
        return known.there

    def _resumed(self, fragment: bytes) -> bytes:
        """The line about how the process before left the trail."""
        facts: dict[str, Fact] = {"key": self._key.id}
        if fragment:
            facts["torn"] = len(fragment)
            facts["torn_sha256"] = sha256(fragment).hexdigest()
        if self.finding:
            facts["finding"] = self.finding
        return event(chain.RESUMED, **facts)

    def _rotate(self) -> None:
        """Put the full file aside.  Where that cannot be (somebody has it open), go on with it."""
        self.checkpoint()
        os.close(self._descriptor)
        self._descriptor = -1
        try:
            os.replace(self._path, f"{self._path}.{self._number}")
        except OSError:
            self._retry_at = self._size + _RETRY_ROTATION
            self._reopen()
            return
        self._begin_file()
        for old in files.archives(self._path)[: -self._bounds.kept or None]:
            with suppress(OSError):
                os.remove(old.path)

    def _begin_file(self) -> None:
        facts: dict[str, Fact] = {"number": self._number + 1, "kept": self._bounds.kept}
        if self._missed is not None:
            facts |= self._missed.facts()
            if _is_strange(self._path):
                facts["found"] = os.path.basename(_put_aside(self._path, "strange"))
        self._reopen()
        self._retry_at = 0
        try:
            self._append(event(chain.FILE, **facts, follows=self._last.digest.hex(), key=self._key.id))
        except OSError:
            os.close(self._descriptor)
            self._descriptor = -1
            raise
        self._number += 1
        self._first = self._last.seq
        self._missed = None

    def _reopen(self) -> None:
        self._descriptor = open_to_append(self._path, getattr(os, "O_NOFOLLOW", 0))
        found = os.fstat(self._descriptor)
        self._size = found.st_size
        self._identity = (found.st_dev, found.st_ino)


def bring_to_disk(descriptor: int) -> None:
    """Wait until what was written to a descriptor is on the disk, and close it.  Raise OSError."""
    if descriptor >= 0:
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _put_aside(path: str, why: str) -> str:
    """Rename what is no part of the trail to a name that is free, and give that."""
    for number in range(1000):
        aside = f"{path}.{why}" + (f"-{number}" if number else "")
        if not os.path.lexists(aside):
            os.replace(path, aside)
            return aside
    raise FileExistsError(path)


def _is_strange(path: str) -> bool:
    """Whether something is at a place that is no file which was made to be written and never was."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    mine = sys.platform == "win32" or found.st_uid == os.geteuid()
    return found.st_mode != stat.S_IFREG | 0o600 or found.st_size > 0 or not mine


def _beginning(path: str) -> tuple[int, int] | None:
    """The number of a file and that of its first line, as that says; None where it says no such thing."""
    for line in files.lines(path):
        link, record = chain.read(line[:-1]), files.record_of(line) or {}
        number = record.get("number")
        if link is None:
            continue  # torn
        return (number, link.claim.seq) if record.get("event") == chain.FILE and _is_number(number) else None
    return None


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and 0 < value < 10**9
