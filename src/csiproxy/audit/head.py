"""The head of a trail: where its end is, in a private file beside it.

Lines that were cut off the end of a file leave no trace in what remains, so the end is kept elsewhere, twice:
before a line is written (it is under way) and after (it is there).  A process that is killed between leaves
the two apart, so the next one knows which line was torn or never came, and everything else that is missing
has been taken away.

The file is mapped, so each of the two is a copy of a few bytes and no system call, and survives the end of
the process, however it ends.  It does not survive a power cut for certain; then the two may be older than
the trail, or newer.
"""

import mmap
import os
import struct
import sys
from binascii import crc32
from dataclasses import dataclass
from typing import Final, Self

from csiproxy.audit.chain import Position

SIZE: Final = 4096
_MAGIC: Final = b"csi-proxy audit head 1\n"
_SLOT: Final = struct.Struct(">Q32sI")
"""The number of a line, its digest, and a CRC-32 of both, for a slot that was written half."""
_UNDER_WAY, _THERE = 64, 128
_UNDER_WAY_END, _THERE_END = _UNDER_WAY + _SLOT.size, _THERE + _SLOT.size
_LOCK: Final = SIZE + 1


class Taken(Exception):
    """Another process writes the trail of this head."""


@dataclass(frozen=True, slots=True)
class End:
    """What a head says: the last line that is there, and the one that is under way, equal when none is."""

    there: Position
    under_way: Position


def read(content: bytes) -> End | None:
    """What the content of a head's file says; None where it is damaged or none."""
    if len(content) < SIZE or not content.startswith(_MAGIC):
        return None
    there, under_way = _read_slot(content, _THERE), _read_slot(content, _UNDER_WAY)
    if there is None:  # killed while it was written: the line is there
        there = under_way
    if under_way is None:  # killed before the line was written
        under_way = there
    return None if there is None or under_way is None else End(there, under_way)


def _read_slot(content: bytes, at: int) -> Position | None:
    seq, digest, check = _SLOT.unpack_from(content, at)
    return Position(seq, digest) if crc32(content[at : at + 40]) == check else None


class Head:
    """The head of a trail that this process writes.  For one thread at a time."""

    def __init__(self, descriptor: int) -> None:
        """Take over an open file, which may be empty.  Raise Taken, or OSError."""
        self._descriptor = descriptor
        try:
            _lock(descriptor)
            self.found = read(os.read(descriptor, SIZE))
            self.was_empty = os.fstat(descriptor).st_size == 0
            os.ftruncate(descriptor, SIZE)
            self._map = mmap.mmap(descriptor, SIZE)
        except BaseException:
            os.close(descriptor)
            raise
        self._map[: len(_MAGIC)] = _MAGIC
        self._slot = bytes(_SLOT.size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begins(self, position: Position) -> None:
        """A line is about to be written."""
        content = b"%b%b" % (position.seq.to_bytes(8, "big"), position.digest)
        self._slot = slot = content + crc32(content).to_bytes(4, "big")
        self._map[_UNDER_WAY:_UNDER_WAY_END] = slot

    def ends(self) -> None:
        """That line has been written."""
        self._map[_THERE:_THERE_END] = self._slot

    def settle(self, position: Position) -> None:
        """The last line that is there is this one, and none is under way."""
        self.begins(position)
        self.ends()

    def flush(self) -> None:
        """Bring it to the disk.  Raise OSError."""
        self._map.flush()

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()
        os.close(self._descriptor)


def _lock(descriptor: int) -> None:
    """Keep others out until the descriptor is closed, by this process' end at the latest.  Raise Taken."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, _LOCK, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise Taken from error
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
    else:
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Taken from error
