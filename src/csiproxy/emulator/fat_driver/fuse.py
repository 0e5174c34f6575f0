"""The kernel's side of FUSE: mount, read requests, send answers.

Structures and numbers are those of ``linux/fuse.h``, protocol 7.31; a kernel that speaks a later one follows.
Requests are answered one at a time, in the order in which they come.
"""

import ctypes
import errno
import io
import os
import select
import struct
import traceback
from collections.abc import Callable, Mapping
from enum import IntEnum

MAJOR, MINOR = 7, 31
ROOT = 1
LARGEST_WRITE = 1 << 20
_BUFFER = LARGEST_WRITE + 4096
_IN = struct.Struct("<IIQQIIIHH")
_OUT = struct.Struct("<IiQ")
# INIT: reads may overtake each other; writes larger than a page; pages per request are ours to say; files and
# directories need not be opened and released.
_ASYNC_READ, _BIG_WRITES, _MAX_PAGES = 1 << 0, 1 << 5, 1 << 22
_NO_OPEN, _NO_OPENDIR = 1 << 17, 1 << 24
_INIT_OUT = struct.Struct("<IIIIHHIIHHI28x")
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOATIME = 1, 2, 4, 1024


class Opcode(IntEnum):
    """What the kernel asks for."""

    LOOKUP = 1
    FORGET = 2
    GETATTR = 3
    SETATTR = 4
    MKNOD = 8
    MKDIR = 9
    UNLINK = 10
    RMDIR = 11
    RENAME = 12
    READ = 15
    WRITE = 16
    STATFS = 17
    FSYNC = 20
    INIT = 26
    READDIR = 28
    FSYNCDIR = 30
    CREATE = 35
    INTERRUPT = 36
    DESTROY = 38
    BATCH_FORGET = 42
    RENAME2 = 45


_UNANSWERED = frozenset({Opcode.FORGET, Opcode.BATCH_FORGET, Opcode.INTERRUPT})

# A call is given the node that it is about and the request's body, and gives the answer's body.
Call = Callable[[int, memoryview], bytes]


def mount(device: str, directory: str, *, read_only: bool, block: int) -> int:
    """Mount a file system at a directory and return the descriptor of its connection.

    The kernel holds the block device as long as it is mounted, and waits for the driver when it is unmounted.
    """
    connection = os.open("/dev/fuse", os.O_RDWR)
    options = (
        f"fd={connection},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions,"
        f"blksize={block},max_read={LARGEST_WRITE}"
    )
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOATIME | (_MS_RDONLY if read_only else 0)
    libc = ctypes.CDLL(None, use_errno=True)
    where = (os.fsencode(device), os.fsencode(directory), b"fuseblk")
    if libc.mount(*where, ctypes.c_ulong(flags), options.encode()):
        number = ctypes.get_errno()
        os.close(connection)
        raise OSError(number, os.strerror(number), directory)
    return connection


def serve(connection: int, calls: Mapping[Opcode, Call], stop: int) -> None:
    """Answer the kernel until the file system is unmounted, or until ``stop`` can be read.

    A call that is not in ``calls`` is ENOSYS, which the kernel remembers where it can do without.  An OSError
    is its number; any other fault of a call is EIO, and told on standard error.
    """
    requests = io.FileIO(connection, closefd=False)
    buffer = bytearray(_BUFFER)
    while True:
        ready, _, _ = select.select((connection, stop), (), ())
        if stop in ready:
            return
        try:
            length = requests.readinto(buffer)
        except OSError as error:
            if error.errno == errno.ENODEV:
                return
            if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):
                continue  # the request was interrupted before it was read
            raise
        message = memoryview(buffer)[:length]
        if _answer(connection, calls, message) is Opcode.DESTROY:
            return


def _answer(connection: int, calls: Mapping[Opcode, Call], message: memoryview) -> Opcode | None:
    _, code, unique, node, *_ = _IN.unpack_from(message)
    body = message[_IN.size :]
    failure, answer = 0, b""
    try:
        opcode = Opcode(code)
        answer = _init(body) if opcode is Opcode.INIT else calls[opcode](node, body)
    except (ValueError, KeyError):
        opcode, failure = None, errno.ENOSYS
    except OSError as error:
        failure = error.errno or errno.EIO
    except Exception:  # noqa: BLE001 - whoever waits for an answer gets one
        traceback.print_exc()
        failure = errno.EIO
    if opcode not in _UNANSWERED:
        answer = b"" if failure else answer
        try:
            os.write(connection, _OUT.pack(_OUT.size + len(answer), -failure, unique) + answer)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENODEV):  # who asked was killed, or it is unmounted
                raise
    return opcode


def _init(body: memoryview) -> bytes:
    major, _, read_ahead, offered = struct.unpack_from("<IIII", body)
    if major != MAJOR:
        raise OSError(errno.EPROTO, os.strerror(errno.EPROTO))
    flags = offered & (_ASYNC_READ | _BIG_WRITES | _MAX_PAGES | _NO_OPEN | _NO_OPENDIR)
    pages = LARGEST_WRITE // 4096
    return _INIT_OUT.pack(MAJOR, MINOR, read_ahead, flags, 16, 12, LARGEST_WRITE, 1, pages, 0, 0)
