"""A trail whose lines are not chained: in a device or pipe, or of calls that a program makes by itself."""

import os
from typing import Self

from csiproxy.appending import open_to_append


class PlainFile:
    """Appends to an open descriptor, a line with one system call where the kernel allows."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._torn = False

    @classmethod
    def open(cls, path: str) -> Self:
        """Append to ``path``; a new file is readable by this account alone.  Raise OSError."""
        return cls(open_to_append(path))

    def write(self, line: bytes) -> None:
        """Append one line.  A line that failed half-way is ended before the next one starts."""
        rest = memoryview(b"\n" + line if self._torn else line)
        while rest:
            written = os.write(self._descriptor, rest)
            rest = rest[written:]
            self._torn = bool(rest)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._descriptor)
