"""Named pipes: streams, and the calling end.

A pipe's end reads ahead: an overlapped read is always under way, unless what it brought waits to be taken.
A write that does not end at once is reported as BlockingIOError, and has to be repeated with the same bytes:
the repetition tells how it went.  So whoever writes knows of everything that the other end has not got.
"""

import ctypes
import errno
import sys
import time
from collections.abc import Callable
from typing import Final

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

from csiproxy.rpc import pipe_api as api
from csiproxy.rpc.pipe_peer import server_of
from csiproxy.rpc.pipe_port import BY_COMPLETION, CompletionPort, Operation
from csiproxy.rpc.poller import HANGUP, READ, WRITE
from csiproxy.rpc.stream import Peer

_SMALL: Final = 4 * 1024
"""What an idle connection holds for a read: more than any usual request."""
_LARGE: Final = 32 * 1024
"""The size of a read after one that was filled."""
_GONE: Final = frozenset(
    (api.ERROR_BROKEN_PIPE, api.ERROR_NO_DATA, api.ERROR_PIPE_NOT_CONNECTED, api.ERROR_OPERATION_ABORTED)
)
_PATIENCE: Final = 5.0
"""Seconds to wait for a pipe that exists and has no room for another client at the moment."""


class PipeStream:
    """A connected pipe, the ``handle`` being its own from now on; :meth:`attach` starts it.

    ``first`` is asked for the peer when the first bytes have come, as Windows lets a server look at its
    client only then.
    """

    __slots__ = (
        "_arrived",
        "_buffer",
        "_first",
        "_handle",
        "_outgoing",
        "_peer",
        "_port",
        "_read_error",
        "_reader",
        "_ready",
        "_size",
        "_watch_read",
        "_watch_write",
        "_write_error",
        "_writer",
        "_writing",
    )

    def __init__(self, handle: int, peer: Peer, first: Callable[[int, Peer], Peer] | None = None) -> None:
        self._handle: int | None = handle
        self._peer = peer
        self._first = first
        self._size = _SMALL
        self._buffer = ctypes.create_string_buffer(_SMALL)
        self._arrived: bytes | None = None  # what a read brought, b"" with its error; None: it is under way
        self._read_error = api.SUCCESS
        self._outgoing = b""  # a write that did not end at once
        self._writing = False
        self._write_error = api.SUCCESS
        self._watch_read, self._watch_write = True, False
        self._reader = Operation(self, self._read_done)
        self._writer = Operation(self, self._write_done)

    @property
    def peer(self) -> Peer:
        """The process at the other end."""
        return self._peer

    def fileno(self) -> int:
        """Say that this works by completions."""
        return BY_COMPLETION

    def attach(self, port: CompletionPort, ready: Callable[[], None]) -> None:
        """Begin to read.  The handle is on the port already."""
        self._port = port
        self._ready = ready
        self._read()

    def watch(self, *, read: bool, write: bool) -> None:
        """Change what is reported."""
        self._watch_read, self._watch_write = read, write  # first: what ends from now on reports itself
        if (read and self._arrived is not None) or (write and not self._writing):
            self._ready()

    # --- reading ------------------------------------------------------------------------------------

    def _read(self) -> None:
        """Start a read; what it finds done already is told at once."""
        self._arrived = None
        arguments = self._handle, self._buffer, self._size, None
        status = self._port.begin(self._reader, api.read_file, *arguments)
        if status != api.ERROR_IO_PENDING:
            self._read_done(self._reader.overlapped.size if status == api.SUCCESS else 0, status)
            self._ready()

    def _read_done(self, size: int, error: int) -> int:
        # No bytes and no error is what some Windows libraries send for the end of what they write.
        self._read_error = error or (api.SUCCESS if size else api.ERROR_BROKEN_PIPE)
        self._arrived = ctypes.string_at(self._buffer, size) if not self._read_error else b""
        if self._read_error:
            return READ | HANGUP if self._watch_read else HANGUP
        return READ if self._watch_read else 0

    def receive(self, size: int) -> bytes:
        """Take up to ``size`` bytes that were read, b"" at the end."""
        data = self._arrived
        if data is None:
            raise BlockingIOError
        if self._handle is None:
            raise OSError(errno.EBADF, "the pipe was closed here")
        if self._read_error:
            if self._read_error in _GONE:
                return b""
            raise ctypes.WinError(self._read_error)
        if self._first is not None:
            self._peer = self._first(self._handle, self._peer)
            self._first = None
        if len(data) > size:
            self._arrived = data[size:]
            self._ready()
            return data[:size]
        wanted = _LARGE if len(data) == self._size else _SMALL
        if wanted != self._size:
            self._size = wanted
            self._buffer = ctypes.create_string_buffer(wanted)
        self._read()
        return data

    # --- writing ------------------------------------------------------------------------------------

    def send(self, data: bytes) -> int:
        """Write all of ``data``; BlockingIOError when that takes longer: then repeat it."""
        if self._outgoing:
            return self._finish_write(data)
        if self._handle is None:
            raise OSError(errno.EBADF, "the pipe was closed here")
        if not data:
            return 0
        self._outgoing = data  # the kernel reads from it
        self._writing = True
        status = self._port.begin(self._writer, api.write_file, self._handle, data, len(data), None)
        if status == api.ERROR_IO_PENDING:
            raise BlockingIOError
        self._writing = False
        self._outgoing = b""
        if status != api.SUCCESS:
            raise self._broken(status)
        return len(data)

    def _finish_write(self, data: bytes) -> int:
        if self._writing:
            raise BlockingIOError
        if self._write_error:
            raise self._broken(self._write_error)
        sent = self._outgoing
        if not data.startswith(sent):
            raise ValueError("a write that was not finished has to be repeated with the same bytes")
        self._outgoing = b""
        return len(sent)

    def _write_done(self, size: int, error: int) -> int:  # noqa: ARG002  a pipe takes all or fails
        self._write_error = error
        self._writing = False
        if error:
            return WRITE | HANGUP if self._watch_write else HANGUP
        return WRITE if self._watch_write else 0

    def _broken(self, status: int) -> OSError:
        if status in _GONE:
            return BrokenPipeError(errno.EPIPE, "the other end of the pipe has gone")
        return ctypes.WinError(status)

    def close(self) -> None:
        """Hang up.  What the pipe has taken can still be read at the other end."""
        handle, self._handle = self._handle, None
        if handle is not None:
            api.cancel_io(handle, None)
            api.close_handle(handle)


class PipeClient(PipeStream):
    """The calling end: a pipe with a port of its own.  For one thread at a time."""

    __slots__ = ("_own",)

    def __init__(self, handle: int, peer: Peer) -> None:
        super().__init__(handle, peer)
        self._own: CompletionPort | None = CompletionPort()
        try:
            self._own.associate(handle)
            self.attach(self._own, lambda: None)
        except OSError:
            self.close()
            raise

    def receive(self, size: int) -> bytes:
        """Take up to ``size`` bytes that have come by now."""
        if self._arrived is None:
            self._turn(0.0)
        return super().receive(size)

    def send(self, data: bytes) -> int:
        """Write all of ``data``, or as much of it as an earlier try has written."""
        if self._writing:
            self._turn(0.0)
        return super().send(data)

    def wait(self, *, write: bool, timeout: float | None) -> bool:
        """Block until it can be read, or written with ``write``; False when ``timeout`` seconds passed."""
        end = None if timeout is None else time.monotonic() + timeout
        while self._writing if write else self._arrived is None:
            left = None if end is None else end - time.monotonic()
            if (left is not None and left <= 0) or not self._turn(left):
                return False
        return True

    def _turn(self, timeout: float | None) -> bool:
        """Take what has ended; False when nothing has in time."""
        if self._own is None:
            raise OSError(errno.EBADF, "the pipe was closed here")
        packet = self._own.take(timeout)
        if packet is None:
            return False
        while packet is not None:
            if packet.operation is not None:
                packet.operation.done(packet.size, packet.error)
            packet = self._own.take(0.0)
        return True

    def close(self) -> None:
        """Hang up."""
        super().close()
        own, self._own = self._own, None
        if own is not None:
            own.close()


def connect(pipe: str) -> PipeClient:
    r"""Connect to the server of ``pipe`` (``\\.\pipe\csi-proxy-disk-v1``).  Raise OSError; a pipe without
    room is waited for.

    The server may learn who is calling, and may not act in the caller's name.
    """
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            handle = open_pipe(pipe, api.GENERIC_READ | api.GENERIC_WRITE, api.SECURITY_IDENTIFICATION)
        except OSError as error:
            if error.winerror != api.ERROR_PIPE_BUSY or time.monotonic() >= end:
                raise
            api.wait_pipe(pipe, 100)
            continue
        return PipeClient(handle, server_of(handle))


def open_pipe(pipe: str, access: int, level: int) -> int:
    """Open a client's end, ``level`` being what its server may do with the caller's identity.  OSError."""
    flags = api.FILE_FLAG_OVERLAPPED | api.SECURITY_SQOS_PRESENT | level
    return api.must(api.create_file(pipe, access, 0, None, api.OPEN_EXISTING, flags, None))
