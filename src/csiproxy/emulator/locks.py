"""Locks between processes: one file each, held with flock, freed by the kernel when the holder dies."""

import errno
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from csiproxy.emulator.hostdir import identity, windows_errors
from csiproxy.errors import Win32Error, WindowsCode

if sys.platform != "win32":
    import fcntl

WAIT = "WaitForSingleObject"

# What the file of a lock is called: the beginning of a digest.
_DIGITS = 32
_NAME = re.compile(rf"[0-9a-f]{{{_DIGITS}}}")

# How long to sleep between two attempts: first, and at most (seconds).
FIRST_PAUSE, LONGEST_PAUSE = 0.001, 0.05


@contextmanager
def held(directory: str, name: str, seconds: float) -> Iterator[None]:
    """Hold the lock ``name`` among the locks in ``directory``; WAIT_TIMEOUT (258) after ``seconds``.

    It excludes threads as well as processes.  The name is hashed, so it may be any text.
    """
    from hashlib import sha256  # here, as it loads OpenSSL

    path = os.path.join(directory, sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS])
    with windows_errors(WAIT):
        descriptor = _acquire(path, seconds)
    try:
        yield
    finally:
        # Removed while held: whoever waits on this file sees that it is no longer the lock and begins anew.
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        finally:
            os.close(descriptor)


def clear_abandoned(directory: str) -> None:
    """Remove the files of locks whose holders have died; those that somebody holds stay.  Raises Win32Error.

    They keep nobody out, but a lock whose object has gone would never be taken again, and its file stay.
    """
    with windows_errors(WAIT):
        for name in os.listdir(directory) if os.path.isdir(directory) else ():
            if _NAME.fullmatch(name):
                _remove_if_abandoned(os.path.join(directory, name))


def _remove_if_abandoned(path: str) -> None:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        if try_lock(descriptor) and _is_still(path, descriptor):
            os.unlink(path)
    finally:
        os.close(descriptor)


def wait_until_free(path: str, seconds: float) -> None:
    """Wait until nobody holds a lock file; WAIT_TIMEOUT (258) after ``seconds``."""
    with windows_errors(WAIT):
        descriptor = os.open(path, os.O_RDWR)
        try:
            for pause in _pauses(seconds):
                if try_lock(descriptor):
                    return
                time.sleep(pause)
        finally:
            os.close(descriptor)
    raise Win32Error(WindowsCode.WAIT_TIMEOUT, WAIT, f"{path} is still held after {seconds:g} seconds")


def try_lock(descriptor: int) -> bool:
    """Lock an open file against every other open of it, without waiting; the last close frees it."""
    if sys.platform == "win32":
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    else:  # noqa: RET506 - mypy for Windows must not read on
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _acquire(path: str, seconds: float) -> int:
    for pause in _pauses(seconds):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if try_lock(descriptor) and _is_still(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        time.sleep(pause)
    raise Win32Error(WindowsCode.WAIT_TIMEOUT, WAIT, "another proxy of this node holds the lock")


def _pauses(seconds: float) -> Iterator[float]:
    """How long to sleep after each attempt, so that the last attempt is at the end of ``seconds``."""
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE
    while (left := deadline - time.monotonic()) > 0:
        yield min(pause, left)
        pause = min(2 * pause, LONGEST_PAUSE)
    yield 0.0


def _is_still(path: str, descriptor: int) -> bool:
    try:
        return identity(os.stat(path, follow_symlinks=False)) == identity(os.fstat(descriptor))
    except FileNotFoundError:
        return False
