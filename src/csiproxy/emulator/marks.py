"""Marks that proxies leave for those after them: files in the directory of the locks, which hold them."""

import os
from contextlib import suppress

PREFIX = "mark-"


def put(directory: str, mark: str) -> None:
    """Leave a mark; twice is once.  On the disk when this returns.  Raises OSError."""
    descriptor = os.open(_path(directory, mark), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, _encoded(mark))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_there(directory: str, mark: str) -> bool:
    """Whether somebody left this mark."""
    return os.path.exists(_path(directory, mark))


def take(directory: str, mark: str) -> None:
    """Take a mark away; one that is not there is fine.  Raises OSError."""
    with suppress(FileNotFoundError):
        os.unlink(_path(directory, mark))


def all_of(directory: str) -> list[str]:
    """Every mark that somebody left.  One whose putting was cut short is none yet.  Raises OSError."""
    found = []
    for entry in os.scandir(directory):
        if entry.name.startswith(PREFIX):
            with suppress(FileNotFoundError), open(entry.path, "rb") as file:
                text = file.read()
                if _name(text) == entry.name:
                    found.append(text.decode("utf-8", "surrogatepass"))
    return found


def clear(directory: str) -> None:
    """Take all marks away."""
    for entry in os.scandir(directory):
        if entry.name.startswith(PREFIX):
            os.unlink(entry.path)


def _path(directory: str, mark: str) -> str:
    return os.path.join(directory, _name(_encoded(mark)))


def _name(text: bytes) -> str:
    # A mark may be any text; its digest is a name that every file system takes.
    from hashlib import sha256  # here, as it loads OpenSSL

    return PREFIX + sha256(text).hexdigest()


def _encoded(mark: str) -> bytes:
    return mark.encode("utf-8", "surrogatepass")
