"""The files: inputs that are checked in, those an engine has found here, those that broke a promise."""

import os
import tempfile
from collections.abc import Iterator
from hashlib import sha256

from fuzz.catalogue import Target

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, "corpus")
FOUND = os.path.join(HERE, "found")
CRASHES = os.path.join(HERE, "crashes")


def checked_in(name: str) -> Iterator[tuple[str, bytes]]:
    """The files of a target's corpus, by name."""
    directory = os.path.join(CORPUS, name)
    if not os.path.isdir(directory):
        return
    for file in sorted(os.listdir(directory)):
        with open(os.path.join(directory, file), "rb") as opened:
            yield file, opened.read()


def inputs(target: Target) -> list[bytes]:
    """Everything that a target begins with: its seeds and its checked-in files."""
    return [*target.seeds(), *(data for _, data in checked_in(target.name))]


def prepare(target: Target) -> list[str]:
    """The directories an engine works on: the first, which persists here, takes what it finds."""
    found = os.path.join(FOUND, target.name)
    os.makedirs(found, exist_ok=True)
    os.makedirs(CRASHES, exist_ok=True)
    for data in target.seeds():
        path = os.path.join(found, sha256(data).hexdigest()[:40])
        if not os.path.exists(path):
            _write(path, data)
    corpus = os.path.join(CORPUS, target.name)
    return [found, corpus] if os.path.isdir(corpus) else [found]


def _write(path: str, data: bytes) -> None:
    """All of a file or nothing: two runs may prepare the same directory at once."""
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path))
    with open(descriptor, "wb") as file:
        file.write(data)
    os.replace(temporary, path)
