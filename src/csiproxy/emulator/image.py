"""A disk's bytes: a raw, sparse image file that other tools (sgdisk, qemu, dd) read as it is.

An attached image is locked (``flock``), so that two live nodes cannot write to it at the same time; the
kernel frees the lock when its node dies.  Failures of the host are told with the code that Windows would
give for a disk with that trouble.
"""

import errno
import os
import stat
import sys
from dataclasses import dataclass
from typing import Protocol

from csiproxy.emulator.locks import try_lock
from csiproxy.errors import Win32Error, WindowsCode

if sys.platform == "win32":
    # The emulated node runs on Linux and macOS; here the module can be imported, no more.
    CLOSE_ON_EXEC = NO_WAIT = NO_FOLLOW = 0

    def _pread(_descriptor: int, _length: int, _offset: int, /) -> bytes:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    def _pwrite(_descriptor: int, _data: memoryview, _offset: int, /) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
else:
    CLOSE_ON_EXEC, NO_WAIT, NO_FOLLOW = os.O_CLOEXEC, os.O_NONBLOCK, os.O_NOFOLLOW
    _pread, _pwrite = os.pread, os.pwrite

SECTOR = 512
# Below this no partition table leaves room for a partition.
MIN_SIZE = 1 << 20
# What a 512-byte GPT and the host's file offsets can both hold without thought.
MAX_SIZE = 1 << 60

_WINDOWS_CODES = {
    errno.ENOENT: WindowsCode.FILE_NOT_FOUND,
    errno.ENOTDIR: WindowsCode.PATH_NOT_FOUND,
    errno.EACCES: WindowsCode.ACCESS_DENIED,
    errno.EPERM: WindowsCode.ACCESS_DENIED,
    errno.EROFS: WindowsCode.WRITE_PROTECT,
    errno.EBADF: WindowsCode.WRITE_PROTECT,
    errno.EEXIST: WindowsCode.ALREADY_EXISTS,
    errno.ENOSPC: WindowsCode.DISK_FULL,
    errno.EDQUOT: WindowsCode.DISK_FULL,
    errno.EFBIG: WindowsCode.INVALID_PARAMETER,
    errno.ENAMETOOLONG: WindowsCode.FILENAME_EXCED_RANGE,
    errno.ENOTEMPTY: WindowsCode.DIR_NOT_EMPTY,
}


def win32_error(error: OSError, call: str, what: str) -> Win32Error:
    """What Windows would say of a failure of the host; ``what`` names the file or directory."""
    code = _WINDOWS_CODES.get(error.errno or 0, WindowsCode.IO_DEVICE)
    return Win32Error(code, call, f"{what}: {error.strerror or error}")


class Sectors(Protocol):
    """Something with sectors: an image, or a part of one."""

    @property
    def size(self) -> int:
        """Bytes, a multiple of 512."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """``length`` bytes; fewer where the device ends.  Raises Win32Error."""
        ...

    def write(self, offset: int, data: bytes) -> None:
        """Write all of ``data``.  Raises Win32Error, also when it does not fit."""
        ...

    def sync(self) -> None:
        """Return when everything written is safe from a loss of power."""
        ...


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """Which file of the host this is, whatever path led to it."""

    device: int
    inode: int


class Medium(Sectors, Protocol):
    """What an attached disk's sectors are on: an image of the host, or a unit of an iSCSI target.

    ``path`` names it for an operator.
    """

    path: str

    @property
    def identity(self) -> FileIdentity | None:
        """Which file it is; None when it is none of the host's."""
        ...

    def measure(self) -> int:
        """Look at its size again, and return it."""
        ...

    def check_length(self) -> None:
        """Refuse what is too short to have ever been a disk (1785)."""
        ...

    def grow(self, size: int) -> None:
        """Make it larger."""
        ...

    def close(self) -> None:
        """Let go of it; whoever still has the object gets errors."""
        ...


def create(path: str, size: int) -> None:
    """Make a new, sparse image of ``size`` bytes.  An existing file is 183; a failure leaves none."""
    check_size(size, "create")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | CLOSE_ON_EXEC, 0o600)
    except OSError as error:
        raise win32_error(error, "CreateFileW", path) from error
    try:
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)
    except OSError as error:
        os.unlink(path)
        raise win32_error(error, "SetEndOfFile", path) from error
    finally:
        os.close(descriptor)


def check_size(size: int, call: str) -> None:
    """Refuse a size that no image can have (87)."""
    if size % SECTOR or not MIN_SIZE <= size <= MAX_SIZE:
        raise Win32Error(
            WindowsCode.INVALID_PARAMETER,
            call,
            f"a disk has {MIN_SIZE} to {MAX_SIZE} bytes, a multiple of {SECTOR}, not {size}",
        )


class Image:
    """An open image file, locked as long as it is open.

    ``size`` is what the file had when it was opened or last looked at by :meth:`measure`: Windows, too,
    keeps a disk's size until it is told to look again.
    """

    def __init__(self, path: str, *, read_only: bool = False) -> None:
        self.path = path
        self.read_only = read_only
        access = os.O_RDONLY if read_only else os.O_RDWR
        try:
            # Without waiting: a pipe planted in the image's place must not block the node.
            self._descriptor = os.open(path, access | CLOSE_ON_EXEC | NO_WAIT)
        except OSError as error:
            raise win32_error(error, "CreateFileW", path) from error
        try:
            self._check_and_lock()
            self._size = self._file_size()
            self.check_length()
        except OSError as error:  # a host without such locks
            os.close(self._descriptor)
            raise win32_error(error, "CreateFileW", path) from error
        except BaseException:
            os.close(self._descriptor)
            raise

    def _check_and_lock(self) -> None:
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            raise Win32Error(
                WindowsCode.NOT_SUPPORTED,
                "CreateFileW",
                f"{self.path} is not a file; a disk is a raw image file",
            )
        if not try_lock(self._descriptor):
            raise Win32Error(
                WindowsCode.SHARING_VIOLATION,
                "CreateFileW",
                f"{self.path} is attached to another node that runs: detach it there or stop that node",
            )

    def _file_size(self) -> int:
        size = os.fstat(self._descriptor).st_size
        return size - size % SECTOR

    def check_length(self) -> None:
        """Refuse a file that is too short to have ever been a disk (1785)."""
        if self._size < MIN_SIZE:
            raise Win32Error(
                WindowsCode.UNRECOGNIZED_MEDIA,
                "ReadFile",
                f"{self.path} has {self._size} bytes, too few for a disk: restore it, or give it {MIN_SIZE}",
            )

    @property
    def size(self) -> int:
        """Bytes, as of the last look."""
        return self._size

    @property
    def identity(self) -> FileIdentity:
        """Which file of the host this is."""
        status = os.fstat(self._descriptor)
        return FileIdentity(status.st_dev, status.st_ino)

    @property
    def descriptor(self) -> int:
        """The open file, to share its lock with a device made of it; a closed image is 21."""
        if self._descriptor < 0:
            raise Win32Error(WindowsCode.NOT_READY, "CreateFileW", f"{self.path} is not attached any more")
        return self._descriptor

    def measure(self) -> int:
        """Look at the file's size again, and return it."""
        self._size = self._file_size()
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """Read within the size; a file that has become shorter than that is an I/O error (1117)."""
        length = max(0, min(length, self._size - offset))
        parts = []
        while length:
            try:
                part = _pread(self._descriptor, length, offset)
            except OSError as error:
                raise win32_error(error, "ReadFile", self.path) from error
            if not part:
                raise Win32Error(
                    WindowsCode.IO_DEVICE,
                    "ReadFile",
                    f"{self.path} was cut to {self._file_size()} bytes while it was a disk of {self._size}: "
                    "restore it, or detach it",
                )
            parts.append(part)
            offset += len(part)
            length -= len(part)
        return b"".join(parts)

    def write(self, offset: int, data: bytes) -> None:
        """Write within the size.  A full host is 112, a read-only image 19."""
        if offset < 0 or offset + len(data) > self._size:
            raise Win32Error(
                WindowsCode.INVALID_PARAMETER, "WriteFile", f"{offset} is beyond the end of {self.path}"
            )
        if self._file_size() < self._size:
            # Writing would silently grow the file again, with a hole where its data were.
            self.read(self._size - 1, 1)
        view = memoryview(data)
        while view:
            try:
                written = _pwrite(self._descriptor, view, offset)
            except OSError as error:
                raise win32_error(error, "WriteFile", self.path) from error
            view = view[written:]
            offset += written

    def sync(self) -> None:
        """Return when the file's bytes are on the host's disk."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise win32_error(error, "FlushFileBuffers", self.path) from error

    def grow(self, size: int) -> None:
        """Make the file longer (sparse).  ``size`` shows after the next :meth:`measure`; shrinking is 87."""
        check_size(size, "grow")
        present = self._file_size()
        if size < present:
            raise Win32Error(
                WindowsCode.INVALID_PARAMETER,
                "grow",
                f"{self.path} has {present} bytes and disks never shrink; ask for more than that",
            )
        try:
            # A medium that is read-only to the node is not so to the cloud that grows it.
            os.truncate(self.path if self.read_only else self._descriptor, size)
            os.fsync(self._descriptor)
        except OSError as error:
            raise win32_error(error, "SetEndOfFile", self.path) from error

    def close(self) -> None:
        """Close and unlock the file; whoever still has the object gets errors, not another file's bytes."""
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)
