"""An I/O completion port, and operations that live until the kernel is done with them.

The kernel writes into an operation's memory until its packet has been taken, whatever became of the handle
meanwhile.  So a port keeps every operation that is under way.
"""

import ctypes
import math
import sys
from collections.abc import Callable
from ctypes import byref, c_size_t, c_void_p, wintypes
from typing import Final, NamedTuple, TypeAlias

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

from csiproxy.rpc import pipe_api as api

BY_COMPLETION: Final = -2
"""What ``fileno`` gives for a source that works by completions: it is no descriptor."""
_LONGEST_MS: Final = 0x7FFF_FFFF
_LINGER: Final = 1.0
"""Seconds to wait at the end for operations that were cancelled."""

Done: TypeAlias = Callable[[int, int], int]
"""Told the bytes and the error code of a finished operation; gives what became possible (poller bits).  It
runs where packets are taken, beside any other thread."""


class Operation:
    """Something that the kernel does meanwhile: a read, a write, waiting for a client.  Used again and again,
    but for one at a time.  ``source`` is whose it is."""

    __slots__ = ("address", "done", "overlapped", "source")

    def __init__(self, source: object, done: Done) -> None:
        self.source = source
        self.done = done
        self.overlapped = api.Overlapped()
        self.address = ctypes.addressof(self.overlapped)


class Packet(NamedTuple):
    """What a port gives: a finished operation (None: somebody called :meth:`CompletionPort.wake`)."""

    operation: Operation | None
    size: int
    error: int


_left_behind: Final[list[dict[int, Operation]]] = []


class CompletionPort:
    """A port.  One thread takes packets at a time; everything else is for any thread."""

    def __init__(self) -> None:
        self._handle = api.must(api.create_port(api.INVALID_HANDLE, None, 0, 0))
        self._pending: dict[int, Operation] = {}
        self._size = wintypes.DWORD()
        self._key = c_size_t()
        self._address = c_void_p()
        self._results = byref(self._size), byref(self._key), byref(self._address)

    @property
    def pending(self) -> int:
        """Count the operations that are under way."""
        return len(self._pending)

    def associate(self, handle: int) -> None:
        """Have a handle's operations end here; those that end at once send no packet."""
        api.must(api.create_port(handle, self._handle, 0, 0))
        modes = api.SKIP_COMPLETION_PORT_ON_SUCCESS | api.SKIP_SET_EVENT_ON_HANDLE
        api.must(api.set_modes(handle, modes))

    def begin(self, operation: Operation, function: Callable[..., int], *arguments: object) -> int:
        """Start an operation.  SUCCESS: it is done, no packet comes.  ERROR_IO_PENDING: one does.  Else: an
        error, and no packet."""
        pending, address = self._pending, operation.address
        pending[address] = operation  # before it starts: another thread may have its packet before we go on
        status = api.SUCCESS if function(*arguments, address) else api.last_error()
        if status != api.ERROR_IO_PENDING:
            del pending[address]
        return status

    def take(self, timeout: float | None) -> Packet | None:
        """Wait for a packet; None when ``timeout`` seconds passed."""
        wait = api.INFINITE if timeout is None else min(math.ceil(max(0.0, timeout) * 1000), _LONGEST_MS)
        taken = api.take_packet(self._handle, *self._results, wait)
        error = api.SUCCESS if taken else api.last_error()
        address = self._address.value
        if address is not None:
            return Packet(self._pending.pop(address, None), self._size.value, error)
        if taken:
            return Packet(None, 0, api.SUCCESS)
        if error == api.WAIT_TIMEOUT:
            return None
        raise ctypes.WinError(error)

    def wake(self) -> None:
        """Have :meth:`take` give a packet without an operation."""
        api.must(api.post_packet(self._handle, 0, 0, None))

    def close(self) -> None:
        """Close, after every operation has ended; those that do not within a moment keep their memory."""
        while self._pending and self.take(_LINGER) is not None:
            pass
        if self._pending:
            _left_behind.append(self._pending)
        api.close_handle(self._handle)
