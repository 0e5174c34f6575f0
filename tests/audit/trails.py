"""Trails in a directory, made by the real writer."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from csiproxy.audit.chained_file import Bounds, ChainedFile, Missed
from csiproxy.audit.head import Head
from csiproxy.audit.key import Key

SECRET = "5a" * 32
KEY = Key.read(SECRET.encode())


def record(number: int, size: int = 0) -> bytes:
    """A record like an RPC's, as one line."""
    line = {
        "time": "2026-01-31T12:00:00.000000Z",
        "rpc": "/v1.Disk/Rescan",
        "number": number,
        "pad": "x" * size,
    }
    return json.dumps(line).encode() + b"\n"


class TrailDirectory:
    """A trail ``audit.jsonl`` with its head, in a directory of its own."""

    def __init__(self, directory: Path, *, largest: int = 0, kept: int = 100, every: int = 8) -> None:
        directory.mkdir(exist_ok=True)
        self.path = str(directory / "audit.jsonl")
        self.head_path = f"{self.path}.head"
        self._bounds = Bounds(largest, kept)
        self._every = every
        self.signed: list[bytes] = []

    def open(self, key: Key = KEY, missed: Callable[[Missed], object] = lambda _: None) -> ChainedFile:
        head = Head(os.open(self.head_path, os.O_RDWR | os.O_CREAT, 0o600))
        return ChainedFile(
            self.path,
            key,
            head,
            self._bounds,
            signed=self.signed.append,
            missed=missed,
            checkpoint_every=self._every,
        )

    def write(self, numbers: Sequence[int], size: int = 0) -> None:
        """Open, write records, close."""
        file = self.open()
        for number in numbers:
            file.write(record(number, size))
        file.close()

    def lines(self) -> list[bytes]:
        with open(self.path, "rb") as file:
            return file.read().splitlines(keepends=True)

    def replace(self, lines: Sequence[bytes]) -> None:
        with open(self.path, "wb") as file:
            file.writelines(lines)


def killed(file: ChainedFile) -> None:
    """Leave a trail as a process leaves it that is killed: nothing is signed or flushed."""
    os.close(file._descriptor)
    file._descriptor = -1
    file._head.close()
