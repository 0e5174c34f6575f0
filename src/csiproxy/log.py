"""The daemon's log: standard error, a file that is begun anew when it is full, or both."""

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Final, TextIO

from csiproxy.appending import open_to_append, write_whole

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_KEPT: Final = 3
"""Full files that are kept beside the one that is written: FILE.1 is the newest."""


class Output(io.BufferedIOBase):
    """Something that is written to, without a buffer of its own."""

    name = "log"

    def writable(self) -> bool:
        """It is for nothing else."""
        return True


class RotatingFile(Output):
    """A file that lines are appended to.  Safe for threads; a write is never divided between two files.

    ``largest`` bytes make a file full (0: never).  A new one is readable by this account alone where the
    system has such modes; on Windows it has the rights of its folder.  Raise OSError.
    """

    def __init__(self, path: str, largest: int) -> None:
        super().__init__()
        self._path = path
        self._largest = largest
        self._lock = Lock()
        self._descriptor = -1
        self._open()

    def _open(self) -> None:
        self._descriptor = open_to_append(self._path)
        self._size = os.fstat(self._descriptor).st_size

    def write(self, data: "ReadableBuffer", /) -> int:  # noqa: D102  as any file
        block = bytes(data)
        with self._lock:
            if self._largest and self._size and self._size + len(block) > self._largest:
                self._rotate()
            write_whole(self._descriptor, block)
            self._size += len(block)
        return len(block)

    def _rotate(self) -> None:
        """Begin a new file.  Where the old one cannot be renamed (somebody has it open), go on with it."""
        os.close(self._descriptor)
        with suppress(OSError):
            for number in range(_KEPT, 0, -1):
                older = f"{self._path}.{number - 1}" if number > 1 else self._path
                if os.path.exists(older):
                    os.replace(older, f"{self._path}.{number}")
        self._open()

    def close(self) -> None:
        """Close the file.  Harmless when repeated."""
        with self._lock:
            if not self.closed and self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1
        super().close()


class Descriptor(Output):
    """An open descriptor, written to without a buffer and left open."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def write(self, data: "ReadableBuffer", /) -> int:  # noqa: D102  as any file
        block = bytes(data)
        write_whole(self._descriptor, block)
        return len(block)


class Several(Output):
    """Writes everything to each of several files; one that fails does not keep it from the others."""

    def __init__(self, files: Sequence[Output]) -> None:
        super().__init__()
        self._files = files

    def write(self, data: "ReadableBuffer", /) -> int:  # noqa: D102  as any file
        block = bytes(data)
        for file in self._files:
            with suppress(OSError):
                file.write(block)
        return len(block)


def open_log(file: str, largest: int, *, stderr: bool) -> tuple[Output, TextIO]:
    """Open what lines of bytes are written to, and the same for text.  Raise OSError."""
    files: list[Output] = []
    if file:
        files.append(RotatingFile(file, largest))
    if stderr and sys.stderr is not None:
        files.append(Descriptor(sys.stderr.fileno()))
    raw = files[0] if len(files) == 1 else Several(files)
    text = io.TextIOWrapper(
        raw, encoding="utf-8", errors="backslashreplace", newline="\n", write_through=True
    )
    return raw, text
