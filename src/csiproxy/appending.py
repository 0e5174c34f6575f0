"""Files that lines are appended to, as the log and the audit trail do."""

import os


def open_to_append(path: str, more: int = 0) -> int:
    """Open ``path`` for appending bytes, with ``more`` flags of the system's.  Raise OSError.

    A new file is readable by this account alone.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    return os.open(path, flags | more, 0o600)


def write_whole(descriptor: int, data: bytes) -> None:
    """Write all of ``data``, in as many calls as the system needs.  Raise OSError; a part may be written."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
