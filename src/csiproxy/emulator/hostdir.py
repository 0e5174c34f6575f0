"""Directories of the host by descriptor, with Windows' names and Windows' errors.

Nothing here builds a path from a name: every call takes an open directory and one name in it.
"""

import errno
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from csiproxy.emulator.spellings import Spellings
from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.paths import check_name
from csiproxy.host.win32 import EntryKind

# Codes that only the emulator gives (https://learn.microsoft.com/windows/win32/debug/system-error-codes).
TOO_MANY_OPEN_FILES = 4
INVALID_DRIVE = 15
NOT_SAME_DEVICE = 17
REPARSE_TAG_MISMATCH = 4394

CODES: Mapping[int, int] = {
    errno.ENOENT: WindowsCode.FILE_NOT_FOUND,
    errno.ESTALE: WindowsCode.FILE_NOT_FOUND,
    errno.ENOTDIR: WindowsCode.DIRECTORY,
    errno.EISDIR: WindowsCode.ACCESS_DENIED,  # DeleteFileW on a directory
    errno.EEXIST: WindowsCode.ALREADY_EXISTS,
    errno.ENOTEMPTY: WindowsCode.DIR_NOT_EMPTY,
    errno.EACCES: WindowsCode.ACCESS_DENIED,
    errno.EPERM: WindowsCode.ACCESS_DENIED,
    errno.ENOSPC: WindowsCode.DISK_FULL,
    errno.EDQUOT: WindowsCode.DISK_FULL,
    errno.ENAMETOOLONG: WindowsCode.FILENAME_EXCED_RANGE,
    errno.ELOOP: WindowsCode.REPARSE_POINT_ENCOUNTERED,
    errno.EROFS: WindowsCode.WRITE_PROTECT,
    errno.EIO: WindowsCode.IO_DEVICE,
    # A file system whose driver has died.
    errno.ENOTCONN: WindowsCode.IO_DEVICE,
    errno.ECONNABORTED: WindowsCode.IO_DEVICE,
    errno.EMFILE: TOO_MANY_OPEN_FILES,
    errno.ENFILE: TOO_MANY_OPEN_FILES,
    errno.EXDEV: NOT_SAME_DEVICE,
    errno.EBUSY: WindowsCode.BUSY,
    errno.EBADF: WindowsCode.INVALID_HANDLE,
    errno.EINVAL: WindowsCode.INVALID_PARAMETER,
    errno.ENOMEM: WindowsCode.NOT_ENOUGH_MEMORY,
    errno.ENOSYS: WindowsCode.NOT_SUPPORTED,
    errno.EOPNOTSUPP: WindowsCode.NOT_SUPPORTED,
}

if sys.platform == "win32":
    # The node and its clients run on Linux and macOS; here the module can be imported, no more.
    OPEN_DIRECTORY = OPEN_IF_NO_LINK = 0
else:
    OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    OPEN_IF_NO_LINK = OPEN_DIRECTORY | os.O_NOFOLLOW

# What the kernel puts behind the path of a directory that was removed.  A directory's name may end so, too.
_REMOVED = " (deleted)"
# How often a directory may be renamed while its place is being asked for.
LOCATION_ATTEMPTS = 5


@contextmanager
def windows_errors(call: str) -> Iterator[None]:
    """Turn an OSError of the host into the :class:`Win32Error` that the Win32 call ``call`` would give."""
    try:
        yield
    except OSError as error:
        raise failure(error, call) from error


def failure(error: OSError, call: str) -> Win32Error:
    """What the Win32 call ``call`` would say to an OSError of the host."""
    number = error.errno or 0
    return Win32Error(CODES.get(number, WindowsCode.GEN_FAILURE), call, os.strerror(number) if number else "")


def is_not_a_directory(error: OSError) -> bool:
    """Whether the host refused to use a name as a directory because it is something else."""
    return error.errno in (errno.ENOTDIR, errno.ELOOP)


def open_below(directory: int, name: str) -> int:
    """Open a directory below another by its host name; a link is an OSError (ENOTDIR or ELOOP)."""
    return os.open(name, OPEN_IF_NO_LINK, dir_fd=directory)


def listing(directory: int) -> list[str]:
    """The host names in a directory; ones that are not UTF-8 hold surrogate escapes."""
    # A descriptor of its own: the position in the listing belongs to the open description, and the caller's
    # may be in use by another thread.
    own = open_below(directory, ".")
    try:
        return os.listdir(own)
    finally:
        os.close(own)


_spellings = Spellings(listing)


def find(directory: int, name: str, call: str) -> str | None:
    """How a name is spelt on the host, None when it is not there.

    A directory that holds two names which NTFS would hold equal gives ERROR_FILE_CORRUPT (1392): neither
    is picked.
    """
    check_name(name, call)
    try:
        found = _spellings.of(directory, name)
    except OSError as error:
        raise failure(error, call) from error
    if len(found) > 1:
        raise Win32Error(
            WindowsCode.FILE_CORRUPT,
            call,
            f"the host's directory holds {len(found)} names that Windows holds equal to {name!r}: "
            "rename all but one of them",
        )
    return found[0] if found else None


def spelling(directory: int, name: str, call: str) -> str:
    """Like :func:`find`; a missing name is ERROR_FILE_NOT_FOUND (2)."""
    found = find(directory, name, call)
    if found is None:
        raise Win32Error(WindowsCode.FILE_NOT_FOUND, call, "the name does not exist")
    return found


def status(directory: int, name: str) -> os.stat_result:
    """What a host name is, without following it; something that is no single name is an OSError (EINVAL)."""
    if name in ("", ".", "..") or "/" in name or "\0" in name or not _can_be_on_the_host(name):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return os.stat(name, dir_fd=directory, follow_symlinks=False)


def _can_be_on_the_host(name: str) -> bool:
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return True


def kind_of(mode: int) -> EntryKind:
    """The kind of everything but known links: pipes, sockets, devices and planted links are one."""
    if stat.S_ISDIR(mode):
        return EntryKind.DIRECTORY
    if stat.S_ISREG(mode):
        return EntryKind.FILE
    return EntryKind.OTHER_REPARSE_POINT


def identity(found: os.stat_result) -> tuple[int, int]:
    """The file system and the number of a file in it."""
    return found.st_dev, found.st_ino


def not_a_directory(directory: int, name: str, call: str) -> Win32Error:
    """Why a host name cannot be used as a directory: a reparse point (4395) or a file (267)."""
    with windows_errors(call):
        mode = status(directory, name).st_mode
    if stat.S_ISREG(mode):
        return Win32Error(WindowsCode.DIRECTORY, call, "the name is a file")
    return Win32Error(WindowsCode.REPARSE_POINT_ENCOUNTERED, call, "the name is a reparse point")


def location(directory: int, call: str) -> str:
    """The host path, without links, where an open directory is now; one that was removed is error 2."""
    try:
        path = _path(directory)
    except OSError as error:
        raise failure(error, call) from error
    if sys.platform != "darwin" and not path.endswith(_REMOVED):
        return path
    with windows_errors(call):
        wanted = identity(os.fstat(directory))
        for _ in range(LOCATION_ATTEMPTS):
            path = _path(directory)
            try:
                if identity(os.stat(path, follow_symlinks=False)) == wanted:
                    return path
            except (FileNotFoundError, NotADirectoryError):
                continue
    raise Win32Error(WindowsCode.FILE_NOT_FOUND, call, "the directory was removed or moved meanwhile")


def _path(directory: int) -> str:
    if sys.platform == "darwin":
        import fcntl

        room = 1024  # MAXPATHLEN
        return os.fsdecode(fcntl.fcntl(directory, fcntl.F_GETPATH, bytes(room)).rstrip(b"\0"))
    else:  # noqa: RET505 - mypy for macOS must not read on
        return os.readlink(f"/proc/self/fd/{directory}")
