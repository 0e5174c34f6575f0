"""A trail in files: lines are chained as they are written, files begin anew when they are full.

Each file begins with a line that says its number and what it follows, and a file that is full ends with a
checkpoint.  The chain goes on from where the head says it ended, whatever the file holds by then, so what
somebody did to the file while nobody wrote it shows for ever.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from csiproxy.appending import open_to_append
from csiproxy.audit import chain, files
from csiproxy.audit.chain import START, Position
from csiproxy.audit.digest import sha256
from csiproxy.audit.files import Tail
from csiproxy.audit.head import Head
from csiproxy.audit.key import Key
from csiproxy.audit.line import Fact, event

CHECKPOINT_EVERY: Final = 256
"""Lines after which a checkpoint follows; time brings one, too."""
_RETRY_ROTATION: Final = 1024 * 1024
"""Bytes after which a full file is tried again that could not be put aside (somebody has it open)."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a file grows in bytes (0: without end), and how many full ones are kept beside it."""

    largest: int
    kept: int


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
        checkpoint_every: int = CHECKPOINT_EVERY,
    ) -> None:
        """Go on with the trail ``path``, or begin it.

        ``signed`` is given every checkpoint's line, to be kept in other places, too.  :attr:`finding` says
        what is wrong with the trail that was found, "" for nothing.
        """
        self._path = path
        self._key = key
        self._head = head
        self._bounds = bounds
        self._signed = signed
        self._every = checkpoint_every
        self._descriptor = -1
        self._size = self._retry_at = self._number = self._sealed = 0
        self._last = START
        self.finding = ""
        self._open_found()

    @property
    def position(self) -> Position:
        """The last line."""
        return self._last

    def write(self, line: bytes) -> None:
        """Append a record; when OSError is raised, nothing of it is there."""
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
            _put_aside(self._path)  # the trail of a release without a chain
            growing = None
        found = growing or (files.tail(full[-1].path) if full else None)
        self._last = self._end(found)
        if growing is None:
            self._begin_file()
        else:
            self._number += 1
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
        self._reopen()
        self._retry_at = 0
        facts = {"number": self._number + 1, "kept": self._bounds.kept}
        try:
            self._append(event(chain.FILE, **facts, follows=self._last.digest.hex(), key=self._key.id))
        except OSError:
            os.close(self._descriptor)
            self._descriptor = -1
            raise
        self._number += 1

    def _reopen(self) -> None:
        self._descriptor = open_to_append(self._path, getattr(os, "O_NOFOLLOW", 0))
        self._size = os.fstat(self._descriptor).st_size


def bring_to_disk(descriptor: int) -> None:
    """Wait until what was written to a descriptor is on the disk, and close it.  Raise OSError."""
    if descriptor >= 0:
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _put_aside(path: str) -> None:
    """Rename a file that is no chained trail to a name that is free."""
    for number in range(1000):
        aside = f"{path}.unchained" + (f"-{number}" if number else "")
        if not os.path.lexists(aside):
            os.replace(path, aside)
            return
    raise FileExistsError(path)
