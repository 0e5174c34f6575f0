"""How names are spelt in directories of the host, remembered while a directory does not change.

A host that tells upper from lower case has to be searched for every name.  Most directories on the way to a
path never change, so what was found is kept with the directory's change time, which any change of its
entries moves on and which no program can set.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from csiproxy.host.names import equality_key

# A file system's clock may stand still for some milliseconds, so a directory that changed a moment ago may
# change again unnoticed: it is not remembered yet (nanoseconds).
QUIET = 100_000_000
# What is remembered at most: directories, and names in one.
MOST_DIRECTORIES, MOST_NAMES = 512, 1024

Listing = Callable[[int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Remembered:
    changed: int
    spellings: Mapping[str, tuple[str, ...]]


class Spellings:
    """Safe to use from several threads: each entry is put and taken whole."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._known: dict[tuple[int, int], _Remembered] = {}

    def of(self, directory: int, name: str) -> tuple[str, ...]:
        """The host names in an open directory that NTFS would hold equal to ``name``.  Raises OSError."""
        wanted = equality_key(name)
        status = os.fstat(directory)
        file = (status.st_dev, status.st_ino)
        known = self._known.get(file)
        if known is None or known.changed != status.st_ctime_ns:
            now = time.time_ns()
            listing = self._listing(directory)
            if status.st_ctime_ns + QUIET > now or len(listing) > MOST_NAMES:
                return tuple(
                    other for other in listing if len(other) == len(wanted) and equality_key(other) == wanted
                )
            known = self._remember(file, status.st_ctime_ns, listing)
        return known.spellings.get(wanted, ())

    def _remember(self, file: tuple[int, int], changed: int, listing: Sequence[str]) -> _Remembered:
        spellings: dict[str, tuple[str, ...]] = {}
        for name in listing:
            key = equality_key(name)
            spellings[key] = (*spellings.get(key, ()), name)
        if len(self._known) >= MOST_DIRECTORIES:
            self._known.clear()
        found = self._known[file] = _Remembered(changed, spellings)
        return found
