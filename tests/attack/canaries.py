"""What must stay as it is: everything below some host directories, by name, number, times and content."""

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """One entry.  Both times change with the content of a directory, even when the change is taken back."""

    kind: int
    inode: int
    links: int
    size: int
    modified: int
    changed: int
    text: str


Canaries = Mapping[str, Mark]


def look(path: str) -> Mark | None:
    """An entry without its content; None when it is gone.  Nothing is opened by this."""
    try:
        found = os.lstat(path)
        text = os.readlink(path) if stat.S_ISLNK(found.st_mode) else ""
    except OSError:
        return None
    return Mark(
        stat.S_IFMT(found.st_mode), found.st_ino, found.st_nlink, found.st_size, found.st_mtime_ns,
        found.st_ctime_ns, text,
    )  # fmt: skip


def all_below(directories: Iterable[str]) -> Canaries:
    """Every entry below the directories, and themselves, without content."""
    found: dict[str, Mark] = {}
    for top in directories:
        for base, names, files in os.walk(top):
            for path in (base, *(os.path.join(base, name) for name in (*names, *files))):
                mark = look(path)
                if mark is not None:
                    found[path] = mark
    return found


def contents(canaries: Canaries) -> dict[str, bytes]:
    """What the files among them hold."""
    found = {}
    for path, mark in canaries.items():
        if mark.kind == stat.S_IFREG:
            with open(path, "rb") as file:
                found[path] = file.read()
    return found


def changed(canaries: Canaries) -> list[str]:
    """What is not as it was, in words.  An entry that is new shows in the times of its directory."""
    found = []
    for path, mark in canaries.items():
        now = look(path)
        if now != mark:
            found.append(f"{path} was {mark} and is {now}")
    return found
