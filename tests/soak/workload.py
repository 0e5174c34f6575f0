"""What runs in the pod: it writes files, has them flushed, and reads them again."""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.soak.plan import File


def write(directory: Path, file: File) -> None:
    """Write a file and its directory for good: what this has returned for, no fault may take away."""
    path = directory / file.name
    if path.parent != directory:
        path.parent.mkdir(exist_ok=True)
    with open(path, "wb") as out:
        out.write(file.content())
        out.flush()
        os.fsync(out.fileno())
    for place in {path.parent, directory}:
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def differences(directory: Path, files: Iterable[File]) -> list[str]:
    """What is not as it was written; raises OSError when the directory cannot be read now."""
    found = []
    names = {os.path.relpath(path, directory) for path in _files(directory)}
    wanted = {file.name: file for file in files}
    found += [f"{name} is there, and nobody wrote it" for name in sorted(names - wanted.keys())]
    for name, file in sorted(wanted.items()):
        if name not in names:
            found.append(f"{name} is lost")
            continue
        content = (directory / name).read_bytes()
        if hashlib.sha256(content).digest() != hashlib.sha256(file.content()).digest():
            found.append(f"{name} has {len(content)} bytes, and not the {file.size} that were written")
    return found


def _files(directory: Path) -> Iterator[Path]:
    """All files below.  Whatever cannot be told is an OSError: os.walk takes it for a file."""
    for name in os.listdir(directory):
        path = directory / name
        if stat.S_ISDIR(path.lstat().st_mode):
            yield from _files(path)
        else:
            yield path
