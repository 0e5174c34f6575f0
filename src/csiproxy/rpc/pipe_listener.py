r"""The serving end of a named pipe: instances that wait for clients, and who else may have the name.

Windows gives every client an instance of its own; a client that finds none waiting is told that the pipe is
busy.  So several wait at a time, and more are made before a client that came is served; after a crowd, twice
as many wait.  The first one is made as the pipe's first instance at all, which fails where somebody has the
name already.
"""

import ctypes
import errno
import sys
from collections import deque
from collections.abc import Callable
from ctypes import byref, c_void_p
from time import monotonic
from typing import Final

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

from csiproxy.rpc import pipe_api as api
from csiproxy.rpc.pipe import PipeStream, open_pipe
from csiproxy.rpc.pipe_peer import client_of, identified, server_of, serves_rightfully
from csiproxy.rpc.pipe_port import BY_COMPLETION, CompletionPort, Operation
from csiproxy.rpc.poller import READ
from csiproxy.rpc.stream import EndpointInUse, EndpointUntrusted, Peer

SDDL: Final = "D:P(A;;GA;;;SY)(A;;GA;;;BA)"
"""Who may connect unless the operator says otherwise: the system and administrators, which the administrator
of a container that shares this system's kernel (ContainerAdministrator) is one of."""
WAITING: Final = 8
"""Instances that wait for clients: what a crowd finds before more are made."""
_MOST_WAITING: Final = 64
"""What that may grow to; each costs a handle."""
_MOMENT: Final = 1.0
"""Seconds within which clients count as a crowd."""
_BUFFER: Final = 16 * 1024
"""What the system keeps of what was written and not read; a write of more waits for its reader."""
_PROBES: Final = 5
_PROBE_MS: Final = 200


class SecurityDescriptor:
    """What an SDDL text says, for the system.  Raise ValueError for a text that is none."""

    def __init__(self, sddl: str) -> None:
        self._descriptor = c_void_p()
        if not api.text_to_descriptor(sddl, api.SDDL_REVISION_1, byref(self._descriptor), None):
            raise ValueError(
                f"'{sddl}' is no security descriptor ({ctypes.WinError(api.last_error()).strerror})"
            )
        self.attributes = api.SecurityAttributes(
            ctypes.sizeof(api.SecurityAttributes), self._descriptor.value, False
        )

    def __del__(self) -> None:
        if self._descriptor.value:
            api.local_free(self._descriptor)


class _Instance:
    """An instance that waits for its client."""

    __slots__ = ("error", "handle", "operation")

    def __init__(self, listener: "PipeListener", handle: int) -> None:
        self.handle = handle
        self.error = api.SUCCESS
        self.operation = Operation(listener, lambda _, error: listener.came(self, error))


class PipeListener:
    r"""Serves at ``pipe`` (``\\.\pipe\csi-proxy-disk-v1``); ``name`` is the endpoint's name.

    Raise EndpointInUse where a live server has the name, EndpointUntrusted where one has that may not, and
    OSError.  The name is taken at once; clients are let in from :meth:`attach` on.
    """

    def __init__(self, pipe: str, name: str, security: SecurityDescriptor, waiting: int = WAITING) -> None:
        self.name = name
        self._pipe = pipe
        self._security = security
        self._wanted = waiting
        self._waiting: set[_Instance] = set()
        self._came: deque[_Instance] = deque()
        self._watched = True
        self._closed = False
        self._moment = 0.0
        self._taken = 0
        probe(pipe)
        try:
            self._first: int | None = self._create(api.FILE_FLAG_FIRST_PIPE_INSTANCE)
        except OSError as error:
            if error.winerror in (api.ERROR_ACCESS_DENIED, api.ERROR_PIPE_BUSY):
                probe(pipe)  # somebody was quicker
            raise

    def _create(self, flag: int = 0) -> int:
        mode = api.PIPE_BYTE_MODE | api.PIPE_REJECT_REMOTE_CLIENTS
        access = api.PIPE_ACCESS_DUPLEX | api.FILE_FLAG_OVERLAPPED | flag
        sizes = api.PIPE_UNLIMITED_INSTANCES, _BUFFER, _BUFFER
        return api.must(
            api.create_pipe(self._pipe, access, mode, *sizes, 0, byref(self._security.attributes))
        )

    def fileno(self) -> int:
        """Say that this works by completions."""
        return BY_COMPLETION

    def attach(self, port: CompletionPort, ready: Callable[[], None]) -> None:
        """Let clients in.  Raise OSError."""
        self._port = port
        self._ready = ready
        first, self._first = self._first, None
        if first is not None:
            self._await(first)
        self._refill()

    def watch(self, *, read: bool, write: bool) -> None:  # noqa: ARG002  nothing is written to a listener
        """Change whether clients are reported."""
        self._watched = read
        if read:
            self._ready()

    def came(self, instance: _Instance, error: int) -> int:
        """A client has come to an instance, or it has failed."""
        instance.error = error
        self._waiting.discard(instance)
        self._came.append(instance)
        return READ if self._watched else 0

    def _refill(self) -> None:
        """Have as many instances wait as should.  Raise OSError when the system gives no more."""
        while len(self._waiting) < self._wanted:
            self._await(self._create())

    def _await(self, handle: int) -> None:
        try:
            self._port.associate(handle)
        except OSError:
            api.close_handle(handle)
            raise
        instance = _Instance(self, handle)
        self._waiting.add(instance)
        status = self._port.begin(instance.operation, api.connect_pipe, handle)
        if status != api.ERROR_IO_PENDING:
            connected = status in (api.SUCCESS, api.ERROR_PIPE_CONNECTED)
            self.came(instance, api.SUCCESS if connected else status)
            self._ready()

    def accept(self) -> PipeStream:
        """Take the next client.  Raise BlockingIOError when there is none, OSError (ENOMEM) when the system
        has nothing left for the client after it."""
        if self._closed:
            raise OSError(errno.EBADF, "the pipe was closed here")
        self._count()
        try:
            self._refill()
        except OSError as error:
            if not self._waiting:
                raise OSError(errno.ENOMEM, "the system gives no more instances of the pipe") from error
        while self._came:
            instance = self._came.popleft()
            if instance.error == api.SUCCESS:
                return PipeStream(instance.handle, client_of(instance.handle), identified)
            api.close_handle(instance.handle)  # a client that came and went
        raise BlockingIOError

    def _count(self) -> None:
        """Have twice as many instances wait when half of them are taken within a moment."""
        now = monotonic()
        if now > self._moment + _MOMENT:
            self._moment = now
            self._taken = 0
        self._taken += 1
        if self._taken > self._wanted // 2:
            self._wanted = min(2 * self._wanted, _MOST_WAITING)

    def close(self) -> None:
        """Stop listening.  Harmless when repeated."""
        if self._closed:
            return
        self._closed = True
        if self._first is not None:
            api.close_handle(self._first)
            self._first = None
        for instance in (*self._waiting, *self._came):
            api.cancel_io(instance.handle, None)
            api.close_handle(instance.handle)
        self._waiting.clear()
        self._came.clear()


def probe(pipe: str) -> None:
    """Raise EndpointInUse where somebody serves at ``pipe``, EndpointUntrusted where nobody should trust it.

    The server cannot learn from the probe who asks.
    """
    for _ in range(_PROBES):
        try:
            handle = open_pipe(pipe, api.GENERIC_READ | api.GENERIC_WRITE, api.SECURITY_ANONYMOUS)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.winerror != api.ERROR_PIPE_BUSY:
                raise EndpointUntrusted(pipe, Peer(None, None)) from error
            api.wait_pipe(pipe, _PROBE_MS)
            continue
        try:
            if serves_rightfully(handle):
                raise EndpointInUse(pipe)
            raise EndpointUntrusted(pipe, server_of(handle))
        finally:
            api.close_handle(handle)
    raise EndpointUntrusted(pipe, Peer(None, None))  # it has no room even to be asked whose it is
