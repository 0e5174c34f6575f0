"""Opening a prefix: a path that the operator configured, whose links are followed.

Prefixes are few and opened with nearly every call, while the directories that lead to them hardly ever
change.  So the way to a prefix is remembered with the identity and the change time of each directory on it,
which any change of its entries moves on and which no program can set.
"""

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from csiproxy.emulator import hostdir
from csiproxy.emulator.hostdir import windows_errors
from csiproxy.emulator.spellings import QUIET
from csiproxy.errors import Win32Error, WindowsCode

# Prefixes that are remembered: more than anybody configures.
MOST = 64

Seen = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Way:
    """A prefix's host path, and every directory above it with what it was when its entries were read."""

    path: str
    above: tuple[tuple[str, Seen], ...]

    def is_as_it_was(self) -> bool:
        try:
            return all(_seen(os.stat(directory)) == seen for directory, seen in self.above)
        except OSError:
            return False


class Prefixes:
    """The prefixes of one node.  Safe to use from several threads: each entry is put and taken whole."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], _Way] = {}

    def open(self, root: str, parts: Sequence[str], call: str) -> int:
        """Open the directory that Windows calls ``parts`` below the host directory ``root``.

        Without it error 2, without a parent 3; what Windows would take for two names of one is 1392.
        """
        key = (root, *parts)
        way = self._known.get(key)
        if way is not None and way.is_as_it_was():
            with windows_errors(call):
                return os.open(way.path, hostdir.OPEN_DIRECTORY)
        opened, way = _walk(root, parts, call)
        if way is not None:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = way
        return opened


def _walk(root: str, parts: Sequence[str], call: str) -> tuple[int, _Way | None]:
    """Open a prefix name by name; the way is None while it is too young to be remembered."""
    path = root
    above: list[tuple[str, Seen]] = []
    begun = time.time_ns()
    with ExitStack() as held:
        with windows_errors(call):
            current = os.open(root, hostdir.OPEN_DIRECTORY)
        held.callback(os.close, current)
        for left, part in zip(range(len(parts) - 1, -1, -1), parts, strict=True):
            above.append((path, _seen(os.fstat(current))))
            found = hostdir.find(current, part, call)
            if found is None:
                code = WindowsCode.PATH_NOT_FOUND if left else WindowsCode.FILE_NOT_FOUND
                raise Win32Error(code, call, "the prefix does not exist on the node")
            path = os.path.join(path, found)
            with windows_errors(call):
                current = os.open(found, hostdir.OPEN_DIRECTORY, dir_fd=current)
            held.callback(os.close, current)
        quiet = all(changed + QUIET <= begun for _, (_, _, changed) in above)
        return os.dup(current), _Way(path, tuple(above)) if quiet else None


def _seen(status: os.stat_result) -> Seen:
    return status.st_dev, status.st_ino, status.st_ctime_ns
