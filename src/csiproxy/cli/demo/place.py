"""Where a play keeps its files: a fresh directory whose path leaves room for the names of sockets."""

import tempfile

LONGEST_PLACE = 9
"""Characters of a directory below which every socket's path fits into a socket address (103 on macOS)."""


def make_directory(prefix: str) -> str:
    """Make one in the directory for temporary files, or in /tmp where that has too long a path."""
    place = tempfile.gettempdir()
    short = place if len(place) <= LONGEST_PLACE else "/tmp"  # noqa: S108  mkdtemp makes a private one below
    return tempfile.mkdtemp(prefix=prefix, dir=short)
