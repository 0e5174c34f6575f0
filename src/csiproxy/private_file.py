"""Files that belong to this account alone: the audit key, the head of the trail."""

import os
import stat
import sys


class NotPrivate(Exception):
    """Others can read or change a file; the text says who, as half a sentence."""


def open_private(path: str, *, create: bool) -> int:
    """Open a file for reading; with ``create`` also for writing, and make it where it is missing.

    Raise NotPrivate, or OSError.  On Unix a link at its place is not followed.
    """
    if sys.platform == "win32":
        from csiproxy.windows import private_file

        descriptor = private_file.open_private(path, create=create)
        problem = private_file.problem_with(path)
    else:
        flags = os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_RDWR | os.O_CREAT if create else os.O_RDONLY)
        descriptor = os.open(path, flags, 0o600)
        problem = _problem_with(os.fstat(descriptor))
    if problem:
        os.close(descriptor)
        raise NotPrivate(problem)
    return descriptor


def _problem_with(found: os.stat_result) -> str:
    if sys.platform != "win32" and found.st_uid not in (os.geteuid(), 0):
        return f"belongs to user {found.st_uid}"
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return "is open to others (chmod 600 takes that away)"
    return ""
