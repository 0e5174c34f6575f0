"""The files of a trail: one that grows, and full ones beside it (``audit.jsonl.17``), oldest first."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from csiproxy.audit import chain
from csiproxy.audit.chain import Link

_BLOCK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class TrailFile:
    """A file of a trail; ``number`` counts from 1 and is 0 while that of the growing one is not known."""

    path: str
    number: int


def archives(path: str) -> list[TrailFile]:
    """The full files of the trail ``path``, oldest first.  Raise OSError."""
    directory, name = os.path.split(path)
    pattern = re.compile(re.escape(name) + r"\.([1-9][0-9]{0,8})")
    found = (pattern.fullmatch(entry) for entry in os.listdir(directory or "."))
    numbers = sorted(int(match[1]) for match in found if match)
    return [TrailFile(f"{path}.{number}", number) for number in numbers]


def all_files(path: str) -> list[TrailFile]:
    """All files of a trail, oldest first.  Raise OSError."""
    found = archives(path)
    return [*found, TrailFile(path, 0)] if os.path.exists(path) else found


def lines(path: str) -> Iterator[bytes]:
    """The lines of a file, each with its line feed, which the last one may lack.  Raise OSError."""
    with open(path, "rb") as file:
        yield from file


def records(path: str) -> Iterator[dict[str, object]]:
    """The records of one file; lines that are none are left out.  Raise OSError."""
    for line in lines(path):
        record = record_of(line)
        if record is not None:
            yield record


def record_of(line: bytes) -> dict[str, object] | None:
    """A line's record, None for what is no JSON object."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a file: its last whole line as a link (None where it is none), and what is behind it."""

    size: int
    last: Link | None
    fragment: bytes


def tail(path: str) -> Tail:
    """Read the end of a file.  Raise OSError."""
    with open(path, "rb") as file:
        size = at = file.seek(0, os.SEEK_END)
        end = b""
        while at and end.count(b"\n") < 2:
            step = min(_BLOCK, at)
            at -= step
            file.seek(at)
            end = file.read(step) + end
    *whole, fragment = end.split(b"\n")
    return Tail(size, chain.read(whole[-1]) if whole else None, fragment)
