"""Measure, flush and empty a directory that workloads fill: no link is followed, no depth is too deep."""

import os
import secrets
import stat

from csiproxy.emulator.image import CLOSE_ON_EXEC, NO_FOLLOW, NO_WAIT, win32_error


def used_bytes(directory: str, cluster: int) -> int:
    """What the files below a directory take in clusters of that size; a file with two names counts once.

    Files come and go meanwhile, and what cannot be looked into counts nothing.
    """
    total = 0
    linked: set[tuple[int, int]] = set()
    waiting = [directory]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        total += _clusters(entry.stat(follow_symlinks=False), cluster, linked)
        except OSError:
            continue
    return total


def _clusters(status: os.stat_result, cluster: int, linked: set[tuple[int, int]]) -> int:
    if status.st_nlink > 1:
        identity = (status.st_dev, status.st_ino)
        if identity in linked:
            return 0
        linked.add(identity)
    return -(-status.st_size // cluster) * cluster


def flush(directory: str) -> None:
    """Have the host write what it holds of every file below a directory.  Raises Win32Error."""
    waiting = [directory]
    while waiting:
        path = waiting.pop()
        try:
            with os.scandir(path) as entries:
                inside = list(entries)
            for entry in inside:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    sync_path(entry.path)
            sync_path(path)
        except FileNotFoundError:  # a workload deleted it meanwhile
            continue
        except OSError as error:
            raise win32_error(error, "FlushFileBuffers", path) from error


def sync_path(path: str) -> None:
    """Have the host write what it holds of one file or directory.  Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | NO_FOLLOW | NO_WAIT | CLOSE_ON_EXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def empty(directory: str) -> None:
    """Delete everything below a directory, which itself stays.  Raises OSError.

    Deep trees are flattened level by level, so neither recursion nor the length of a path sets a limit.
    """
    moved = 0
    token = secrets.token_hex(8)
    while names := os.listdir(directory):
        for name in names:
            path = os.path.join(directory, name)
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                os.unlink(path)
                continue
            os.chmod(path, 0o700)
            for child in os.listdir(path):
                moved += 1
                os.rename(os.path.join(path, child), os.path.join(directory, f"{token}-{moved}"))
            os.rmdir(path)
