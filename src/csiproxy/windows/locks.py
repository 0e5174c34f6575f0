"""Locks among the proxies of a node: files that nobody else can open while they are held.

A file goes with its handle, and Windows closes the handles of whoever dies.  A mutex of the kernel would do
the same, but any user can make one of the same name first and keep it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.windows import nt, reparse_data
from csiproxy.windows.file_calls import NO_HANDLE, FileCalls

# How long to sleep between two attempts: first, and at most (seconds).
FIRST_PAUSE, LONGEST_PAUSE = 0.001, 0.05


@contextmanager
def held(calls: FileCalls, folder: str, name: str, seconds: float) -> Iterator[None]:
    """Hold the lock ``name`` among the locks in ``folder``; WAIT_TIMEOUT (258) after ``seconds``.

    It excludes threads as well as processes.  The name is hashed, so it may be any text.
    """
    from hashlib import sha256  # here, as it loads OpenSSL

    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    handle = _acquire(calls, reparse_data.to_nt(rf"{folder}\{digest}.lock"), seconds)
    try:
        yield
    finally:
        calls.close(handle)


def _acquire(calls: FileCalls, path: str, seconds: float) -> int:
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE
    while True:
        try:
            return calls.open(
                NO_HANDLE,
                path,
                nt.DELETE | nt.FILE_LIST_DIRECTORY,
                nt.SHARE_NOTHING,
                nt.FILE_OPEN_IF,
                nt.FILE_DELETE_ON_CLOSE | nt.FILE_OPEN_REPARSE_POINT,
            )
        except Win32Error as error:
            if error.windows_code != WindowsCode.SHARING_VIOLATION:
                raise
            left = deadline - time.monotonic()
            if left <= 0:
                raise Win32Error(
                    WindowsCode.WAIT_TIMEOUT, error.call, "another proxy of this node holds the lock"
                ) from error
        time.sleep(min(pause, left))
        pause = min(2 * pause, LONGEST_PAUSE)
