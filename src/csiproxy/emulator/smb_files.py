r"""The files of a share as a FUSE file system: every call goes to the server at once, nothing is kept here.

The share is not the file system's root but the directory ``files`` in it: where nothing is mounted there is
no such name, so nobody who goes through a link can ever write beside the share.

The operations are those of libfuse's high-level interface, called by mfusepy with host paths and numbers of
open files.  Failures are OSErrors.  https://libfuse.github.io/doxygen/structfuse__operations.html
"""

import errno
import functools
import itertools
import os
import stat
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

SHARE = "files"
_ROOT, _SHARE_ROOT = "/", f"/{SHARE}"
_READ_ONLY_ATTRIBUTE = 0x1
# Whatever opens a file leaves others every access, as the host's own file systems do.
_EVERYBODY = "rwd"
_BLOCK = 4096

# What smbprotocol has no errno for (NTSTATUS, [MS-ERREF] 2.3).
_ERRNOS: Mapping[int, int] = {
    0xC0000022: errno.EACCES,
    0xC000007F: errno.ENOSPC,
    0xC0000044: errno.EDQUOT,
    0xC0000033: errno.EINVAL,  # a name that the server cannot have
    0xC0000056: errno.EBUSY,  # the last handle of a deleted file is open
    0xC0000121: errno.EACCES,  # it cannot be deleted
    0xC00000BB: errno.EOPNOTSUPP,
}


class RemoteFile(Protocol):
    """An open file of smbprotocol's."""

    seek: Callable[[int], int]
    read: Callable[[int], bytes]
    write: Callable[[bytes], int]
    truncate: Callable[[int], int]
    flush: Callable[[], None]
    close: Callable[[], None]


class Client(Protocol):
    """What is used of ``smbclient``, smbprotocol's counterpart of ``os``."""

    open_file: Callable[..., Any]
    stat: Callable[..., Any]
    stat_volume: Callable[..., Any]
    listdir: Callable[..., list[str]]
    mkdir: Callable[..., None]
    rmdir: Callable[..., None]
    remove: Callable[..., None]
    replace: Callable[..., None]
    utime: Callable[..., None]


def _answered(operation: Callable[P, T]) -> Callable[P, T]:
    """Whatever fails in an operation becomes an OSError with a number that the kernel knows."""

    @functools.wraps(operation)
    def call(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return operation(*arguments, **named)
        except OSError as error:
            number = error.errno or _ERRNOS.get(getattr(error, "ntstatus", 0), errno.EIO)
            raise OSError(number, os.strerror(number)) from error
        except Exception as error:
            raise OSError(errno.EIO, os.strerror(errno.EIO)) from error

    return call


class _Open:
    """A file that somebody has open.  It has one position, so it is used by one thread at a time."""

    def __init__(self, file: RemoteFile) -> None:
        self.file = file
        self.lock = threading.Lock()


class ShareFiles:
    r"""The operations.  ``root`` is ``\\host\share``, ``session`` has smbclient's arguments of each call."""

    use_ns = True

    def __init__(
        self, client: Client, root: str, session: Mapping[str, Any], ready: Callable[[], object]
    ) -> None:
        self._client = client
        self._root = root
        self._session = dict(session)
        self._ready = ready
        self._numbers = itertools.count(1)
        self._open: dict[int, _Open] = {}

    def init(self, path: str) -> None:  # noqa: ARG002
        """The kernel has mounted it."""
        self._ready()

    # --- names

    @_answered
    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:  # noqa: ARG002
        """Kind, size and times; the mode says no more than that a file is read-only."""
        if path == _ROOT:
            now = time.time_ns()
            times = {"st_atime": now, "st_mtime": now, "st_ctime": now}
            return {"st_mode": stat.S_IFDIR | 0o555, "st_nlink": 2, **times}
        found = self._client.stat(self._remote(path), **self._session)
        if stat.S_ISDIR(found.st_mode):
            mode = stat.S_IFDIR | 0o777
        else:
            mode = stat.S_IFREG | (0o555 if found.st_file_attributes & _READ_ONLY_ATTRIBUTE else 0o777)
        return {
            "st_mode": mode,
            "st_nlink": 2 if stat.S_ISDIR(mode) else max(1, found.st_nlink),
            "st_size": found.st_size,
            "st_blocks": -(-found.st_size // 512),
            "st_atime": found.st_atime_ns,
            "st_mtime": found.st_mtime_ns,
            "st_ctime": found.st_chgtime_ns,
        }

    @_answered
    def readdir(self, path: str, fh: int) -> list[str]:  # noqa: ARG002
        """The names in a directory."""
        if path == _ROOT:
            return [".", "..", SHARE]
        return [".", "..", *self._client.listdir(self._remote(path), **self._session)]

    @_answered
    def mkdir(self, path: str, mode: int) -> int:  # noqa: ARG002
        """Make a directory."""
        self._client.mkdir(self._inside(path), **self._session)
        return 0

    @_answered
    def rmdir(self, path: str) -> int:
        """Remove an empty directory."""
        self._client.rmdir(self._inside(path), **self._session)
        return 0

    @_answered
    def unlink(self, path: str) -> int:
        """Remove a file."""
        self._client.remove(self._inside(path), **self._session)
        return 0

    @_answered
    def rename(self, old: str, new: str) -> int:
        """Rename; a file that has the new name already is replaced."""
        self._client.replace(self._inside(old), self._inside(new), **self._session)
        return 0

    @_answered
    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        """Set the times of access and change, in nanoseconds; now without any."""
        now = time.time_ns()
        self._client.utime(self._remote(path), ns=times or (now, now), **self._session)
        return 0

    def chmod(self, path: str, mode: int) -> int:  # noqa: ARG002
        """The server decides who may do what: nothing changes, and programs that copy modes go on."""
        return 0

    def chown(self, path: str, uid: int, gid: int) -> int:  # noqa: ARG002
        """As chmod."""
        return 0

    @_answered
    def statfs(self, path: str) -> dict[str, int]:  # noqa: ARG002
        """The size of the server's volume, and what this user may use of it."""
        found = self._client.stat_volume(self._root + "\\", **self._session)
        return {
            "f_bsize": _BLOCK,
            "f_frsize": _BLOCK,
            "f_blocks": found.total_size // _BLOCK,
            "f_bfree": found.actual_available_size // _BLOCK,
            "f_bavail": found.caller_available_size // _BLOCK,
            "f_namemax": 255,
        }

    # --- files

    @_answered
    def create(self, path: str, mode: int, fi: object = None) -> int:  # noqa: ARG002
        """Make a file, or empty the one that is there."""
        return self._keep(path, "w+b")

    @_answered
    def open(self, path: str, flags: int) -> int:
        """Open a file that exists."""
        writing = bool(flags & (os.O_WRONLY | os.O_RDWR))
        number = self._keep(path, "r+b" if writing else "rb")
        if writing and flags & os.O_TRUNC:
            self.truncate(path, 0, number)
        return number

    @_answered
    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:  # noqa: ARG002
        """Bytes from the server; fewer only at the file's end."""
        opened = self._open[fh]
        parts = []
        with opened.lock:
            opened.file.seek(offset)
            while size > 0 and (part := opened.file.read(size)):
                parts.append(part)
                size -= len(part)
        return b"".join(parts)

    @_answered
    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:  # noqa: ARG002
        """Bytes to the server, all of them."""
        opened = self._open[fh]
        with opened.lock:
            opened.file.seek(offset)
            done = 0
            while done < len(data):
                done += opened.file.write(data[done:])
        return done

    @_answered
    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        """Cut a file, or lengthen it with zeros."""
        number = fh if fh is not None and fh in self._open else None
        opened = self._open[number if number is not None else (own := self._keep(path, "r+b"))]
        try:
            with opened.lock:
                opened.file.truncate(length)
        finally:
            if number is None:
                self.release(path, own)
        return 0

    @_answered
    def fsync(self, path: str, datasync: int, fh: int) -> int:  # noqa: ARG002
        """Let the server write to its disk."""
        opened = self._open[fh]
        with opened.lock:
            opened.file.flush()
        return 0

    @_answered
    def release(self, path: str, fh: int) -> int:  # noqa: ARG002
        """Nobody has the file open any more."""
        opened = self._open.pop(fh)
        with opened.lock:
            opened.file.close()
        return 0

    def _keep(self, path: str, mode: str) -> int:
        file = self._client.open_file(
            self._inside(path), mode=mode, buffering=0, share_access=_EVERYBODY, **self._session
        )
        number = next(self._numbers)
        self._open[number] = _Open(file)
        return number

    # --- paths

    def _remote(self, path: str) -> str:
        r"""The share's path of a path here; a backslash in a name would be another directory there."""
        if path != _SHARE_ROOT and not path.startswith(_SHARE_ROOT + "/"):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        if "\\" in path:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return self._root + path.removeprefix(_SHARE_ROOT).replace("/", "\\")

    def _inside(self, path: str) -> str:
        """Like :meth:`_remote`, for a path that is to be changed: neither root is."""
        if path in (_ROOT, _SHARE_ROOT):
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        return self._remote(path)
