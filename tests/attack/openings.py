"""Who opens, lists or changes a directory in which nobody has any business: told by the kernel (Linux).

To root it tells which process opened or read something, so that whoever else looks through this machine
is told apart; to others it tells that somebody did.  Changes count whoever makes them: nobody changes what
is not theirs by chance.

https://man7.org/linux/man-pages/man7/fanotify.7.html and https://man7.org/linux/man-pages/man7/inotify.7.html
"""

import ctypes
import os
import struct
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_CHANGE = struct.Struct("iIII")
_READING = struct.Struct("=IBBHQii")
_LOOKS = {0x001: "read", 0x010: "closed", 0x020: "opened"}
_CHANGES = {
    0x002: "written to", 0x004: "changed", 0x040: "moved from", 0x080: "moved to", 0x100: "created",
    0x200: "deleted", 0x400: "deleted itself", 0x800: "moved itself",
}  # fmt: skip
_OVERFLOW = 0x4000
_FAN_INIT = 0x01 | 0x02 | 0x10
"""Close on exec, do not block, and lose nothing however much happens."""
_FAN_LOOKS = 0x01 | 0x20
_FAN_ENTRIES = 0x40000000 | 0x08000000
"""Directories themselves, and what is in them."""
_ADD = 1


class Openings:
    """Watches directories, each and what is directly in it.  On another host it sees nothing.

    ``names_processes``: the kernel says who it was.  ``strangers`` counts then what other processes than the
    suspects have opened.
    """

    def __init__(self, directories: Iterable[str]) -> None:
        self._changes = self._readings = -1
        self._names: dict[int, str] = {}
        self.strangers: Counter[str] = Counter()
        if sys.platform != "linux":
            return
        known = list(directories)
        libc = ctypes.CDLL(None, use_errno=True)
        self._readings = _readings(libc, known)
        self._changes = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._changes < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        wanted = sum(_CHANGES) + (0 if self.names_processes else sum(_LOOKS))
        for directory in known:
            watch = libc.inotify_add_watch(self._changes, os.fsencode(directory), ctypes.c_uint32(wanted))
            if watch < 0:
                raise OSError(ctypes.get_errno(), "inotify_add_watch", directory)
            self._names[watch] = directory

    @property
    def sees(self) -> bool:
        """Whether the host tells."""
        return self._changes >= 0

    @property
    def names_processes(self) -> bool:
        """Whether it tells who it was, too."""
        return self._readings >= 0

    def seen(self, suspects: Collection[int]) -> list[str]:
        """What happened since it was asked last, in words; openings are those of ``suspects``, by pid."""
        return [*self._changed(), *self._opened(suspects)]

    def _changed(self) -> Iterator[str]:
        words = _LOOKS | _CHANGES
        for data in _pending(self._changes):
            while data:
                watch, mask, _, length = _CHANGE.unpack_from(data)
                name = os.fsdecode(data[_CHANGE.size : _CHANGE.size + length].rstrip(b"\0"))
                data = data[_CHANGE.size + length :]
                acts = [word for bit, word in words.items() if mask & bit]
                if mask & _OVERFLOW:
                    acts.append("too much to tell")
                yield f"{os.path.join(self._names.get(watch, ''), name)}: {', '.join(acts)}"

    def _opened(self, suspects: Collection[int]) -> Iterator[str]:
        for data in _pending(self._readings):
            while data:
                length, _, _, _, mask, descriptor, pid = _READING.unpack_from(data)
                data = data[length:]
                if mask & _OVERFLOW:
                    yield "too much was opened to tell"
                    continue
                path = os.readlink(f"/proc/self/fd/{descriptor}")
                os.close(descriptor)
                if pid in suspects:
                    yield f"{path}: {'opened' if mask & 0x20 else 'read'} by process {pid}"
                else:
                    self.strangers[f"{pid} ({_program(pid)})"] += 1

    def close(self) -> None:
        """Stop watching."""
        for descriptor in (self._changes, self._readings):
            if descriptor >= 0:
                os.close(descriptor)
        self._changes = self._readings = -1


def _readings(libc: ctypes.CDLL, directories: list[str]) -> int:
    """A descriptor that tells who opens what is in the directories; -1 where only root is told."""
    descriptor = int(libc.fanotify_init(_FAN_INIT, os.O_RDONLY | os.O_CLOEXEC))
    if descriptor < 0:
        return -1
    mask = ctypes.c_uint64(_FAN_LOOKS | _FAN_ENTRIES)
    for directory in directories:
        if libc.fanotify_mark(descriptor, _ADD, mask, -100, os.fsencode(directory)) < 0:
            os.close(descriptor)
            return -1
    return descriptor


def _pending(descriptor: int) -> Iterator[bytes]:
    """What can be read now."""
    with suppress(BlockingIOError):
        while descriptor >= 0:
            yield os.read(descriptor, 1 << 16)


def _program(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return "ended"
