"""Measure, flush and empty a directory that workloads fill: no link is followed, no depth is too deep.

Workloads go on meanwhile, so every step is by handle: a directory that somebody has replaced by a link
since it was seen is not entered.
"""

import errno
import os
import secrets
import stat
import sys
from collections.abc import Iterator

from csiproxy.emulator.hostdir import OPEN_IF_NO_LINK, is_not_a_directory, open_below
from csiproxy.emulator.image import CLOSE_ON_EXEC, NO_FOLLOW, NO_WAIT, win32_error

# Each level of a walk costs an open descriptor.
_DEEPEST = 256

# How often a workload may change a name while it is being deleted, and what the host then says.
_MOST_DISTURBED = 1000
_CHANGED = (errno.EISDIR, errno.ENOTEMPTY, errno.EEXIST)

Files = dict[str, os.stat_result]


def used_bytes(directory: str, cluster: int) -> int:
    """What the files below a directory take in clusters of that size; a file with two names counts once.

    Files come and go meanwhile, and what cannot be looked into, or is too deep, counts nothing.
    """
    linked: set[tuple[int, int]] = set()
    return sum(
        _clusters(status, cluster, linked)
        for _, files in _walk(directory, strict=False)
        for status in files.values()
    )


def _clusters(status: os.stat_result, cluster: int, linked: set[tuple[int, int]]) -> int:
    if status.st_nlink > 1:
        identity = (status.st_dev, status.st_ino)
        if identity in linked:
            return 0
        linked.add(identity)
    return -(-status.st_size // cluster) * cluster


def flush(directory: str) -> None:
    """Have the host write what it holds of every file below a directory.  Raises Win32Error."""
    try:
        for descriptor, files in _walk(directory, strict=True):
            for name in files:
                _sync_file(descriptor, name)
            os.fsync(descriptor)
    except OSError as error:
        raise win32_error(error, "FlushFileBuffers", directory) from error


def _sync_file(directory: int, name: str) -> None:
    try:
        descriptor = os.open(name, os.O_RDONLY | NO_FOLLOW | NO_WAIT | CLOSE_ON_EXEC, dir_fd=directory)
    except OSError as error:
        if _has_gone(error):
            return
        raise
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _walk(directory: str, *, strict: bool) -> Iterator[tuple[int, Files]]:
    """Every directory, by an open descriptor, and the files in it.

    What has gone meanwhile is left out.  What cannot be looked into, or is too deep, is an OSError, or
    without ``strict`` left out as well.
    """
    path: list[tuple[int, list[str]]] = []  # each directory on the way here, and those in it still to be seen
    try:
        name = directory
        while True:
            try:
                path.append(_enter(path, name))
                names, files = _inside(path[-1][0])
                path[-1][1].extend(names)
            except OSError as error:
                if strict and not _has_gone(error):
                    raise
            else:
                yield path[-1][0], files
            while path and not path[-1][1]:
                os.close(path.pop()[0])
            if not path:
                return
            name = path[-1][1].pop()
    finally:
        for descriptor, _ in path:
            os.close(descriptor)


def _enter(path: list[tuple[int, list[str]]], name: str) -> tuple[int, list[str]]:
    if len(path) == _DEEPEST:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    return open_below(path[-1][0], name) if path else os.open(name, OPEN_IF_NO_LINK), []


def _inside(directory: int) -> tuple[list[str], Files]:
    """The names of the directories in a directory, and its files."""
    names: list[str] = []
    files: Files = {}
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                names.append(entry.name)
            elif entry.is_file(follow_symlinks=False):
                try:
                    files[entry.name] = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
    return names, files


def _has_gone(error: OSError) -> bool:
    """Whether what was seen is not there any more, or something else has its name."""
    return error.errno == errno.ENOENT or is_not_a_directory(error)


def sync_path(path: str) -> None:
    """Have the host write what it holds of one file or directory.  Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | NO_FOLLOW | NO_WAIT | CLOSE_ON_EXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def empty(directory: str) -> None:
    """Delete everything below a directory, which itself stays.  Raises OSError.

    Deep trees are flattened level by level, so neither recursion nor the length of a path sets a limit.  A
    workload that never stops to fill it wins in the end.
    """
    moved = disturbed = 0
    token = secrets.token_hex(8)
    root = os.open(directory, OPEN_IF_NO_LINK)
    try:
        while names := os.listdir(root):
            for name in names:
                try:
                    moved = _remove(root, name, token, moved)
                except OSError as error:
                    disturbed += 1
                    if disturbed > _MOST_DISTURBED or not (_has_gone(error) or error.errno in _CHANGED):
                        raise
    finally:
        os.close(root)


def _remove(root: int, name: str, token: str, moved: int) -> int:
    """Delete one entry of ``root``; what is in a directory moves up first.  Return how much ever has."""
    if not stat.S_ISDIR(os.stat(name, dir_fd=root, follow_symlinks=False).st_mode):
        os.unlink(name, dir_fd=root)
        return moved
    descriptor = _opened_for_removal(root, name)
    try:
        for child in os.listdir(descriptor):
            moved += 1
            os.rename(child, f"{token}-{moved}", src_dir_fd=descriptor, dst_dir_fd=root)
    finally:
        os.close(descriptor)
    os.rmdir(name, dir_fd=root)
    return moved


def _opened_for_removal(root: int, name: str) -> int:
    """A directory with full access for its owner, whatever it had."""
    try:
        descriptor = open_below(root, name)
    except PermissionError:
        if sys.platform != "linux":
            os.chmod(name, 0o700, dir_fd=root, follow_symlinks=False)
        else:
            path_only = os.open(name, os.O_PATH | OPEN_IF_NO_LINK, dir_fd=root)
            try:
                os.chmod(f"/proc/self/fd/{path_only}", 0o700)
            finally:
                os.close(path_only)
        descriptor = open_below(root, name)
    os.chmod(descriptor, 0o700)
    return descriptor
