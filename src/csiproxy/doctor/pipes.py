"""Self-tests of named pipes, on pipes of their own."""

import ctypes
import secrets
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import byref, wintypes
from typing import Final

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

from csiproxy.doctor.ground import Ground, expect
from csiproxy.doctor.outcome import Differs
from csiproxy.rpc import pipe_api as api
from csiproxy.rpc import pipe_peer
from csiproxy.rpc.pipe import open_pipe
from csiproxy.rpc.pipe_listener import SDDL, SecurityDescriptor
from csiproxy.rpc.pipe_port import CompletionPort, Operation

_EVERYBODY_IN: Final = "D:P(A;;GA;;;WD)"
_NOBODY_IN: Final = "D:P"
_SECONDS: Final = 5.0
_WORD: Final = b"word"


def _name() -> str:
    return rf"\\.\pipe\csi-proxy-self-test-{secrets.token_hex(8)}"


@contextmanager
def _instance(name: str, sddl: str = SDDL, flags: int = 0) -> Iterator[int]:
    """An instance of a pipe that nobody has connected to."""
    security = SecurityDescriptor(sddl)
    mode = api.PIPE_BYTE_MODE | api.PIPE_REJECT_REMOTE_CLIENTS
    access = api.PIPE_ACCESS_DUPLEX | api.FILE_FLAG_OVERLAPPED | flags
    handle = api.must(
        api.create_pipe(
            name, access, mode, api.PIPE_UNLIMITED_INSTANCES, 4096, 4096, 0, byref(security.attributes)
        )
    )
    try:
        yield handle
    finally:
        api.close_handle(handle)


@contextmanager
def _client(name: str, level: int = api.SECURITY_IDENTIFICATION) -> Iterator[int]:
    handle = open_pipe(name, api.GENERIC_READ | api.GENERIC_WRITE, level)
    try:
        yield handle
    finally:
        api.close_handle(handle)


class _Port:
    """A completion port with one handle, and what ended on it."""

    def __init__(self, handle: int) -> None:
        self._port = CompletionPort()
        self._port.associate(handle)
        self._handle = handle
        self._buffer = ctypes.create_string_buffer(64)
        self._operation = Operation(self, lambda *_: 0)

    def write(self, data: bytes) -> None:
        status = self._port.begin(self._operation, api.write_file, self._handle, data, len(data), None)
        if self._finished(status) != len(data):
            raise Differs("a few bytes were not written at once")

    def begin_read(self) -> int:
        return self._port.begin(
            self._operation, api.read_file, self._handle, self._buffer, len(self._buffer), None
        )

    def read(self) -> bytes:
        size = self._finished(self.begin_read())
        return self._buffer.raw[:size]

    def finish(self) -> tuple[int, int]:
        """The size and the error of what ends next."""
        packet = self._port.take(_SECONDS)
        if packet is None:
            raise Differs(f"it did not end within {_SECONDS:g} seconds")
        return packet.size, packet.error

    def _finished(self, status: int) -> int:
        if status == api.SUCCESS:
            return int(self._operation.overlapped.size)
        if status != api.ERROR_IO_PENDING:
            raise ctypes.WinError(status)
        size, error = self.finish()
        if error:
            raise ctypes.WinError(error)
        return size

    def close(self) -> None:
        self._port.close()


def owner(_: Ground) -> str:
    """Makes a pipe and looks whether a client finds it rightfully served."""
    name = _name()
    with _instance(name), _client(name) as client:
        if not pipe_peer.serves_rightfully(client):
            raise Differs("a pipe of this account is not owned by the system, administrators or itself")
    return "a client trusts a pipe that this account has made"


def first_instance(_: Ground) -> str:
    """Asks to be the first instance of a pipe that has one."""
    name = _name()
    with _instance(name, flags=api.FILE_FLAG_FIRST_PIPE_INSTANCE):
        try:
            with _instance(name, flags=api.FILE_FLAG_FIRST_PIPE_INSTANCE):
                raise Differs("a second first instance was made")
        except OSError as error:
            if error.winerror not in (api.ERROR_ACCESS_DENIED, api.ERROR_PIPE_BUSY):
                raise Differs(f"it failed with {error.winerror}, not 5 or 231") from error
            return f"refused with {error.winerror}"


def access_list(_: Ground) -> str:
    """Connects to a pipe whose access control list lets nobody in."""
    name = _name()
    with _instance(name, _NOBODY_IN):
        try:
            with _client(name):
                raise Differs("a client was let in")
        except OSError as error:
            expect(error.winerror, api.ERROR_ACCESS_DENIED, "it failed with")
            return "refused with 5"


def remote_clients(_: Ground) -> str:
    """Connects to a pipe by this machine's address, as a client of another machine does."""
    name = _name()
    with _instance(name, _EVERYBODY_IN):
        try:
            with _client(name.replace(r"\\.", r"\\127.0.0.1")):
                raise Differs("a client from the network was let in")
        except OSError as error:
            return f"refused with {error.winerror}"


def anonymous_client(_: Ground) -> str:
    """Looks who a client is that asks to be anonymous."""
    name = _name()
    with _instance(name, _EVERYBODY_IN) as server, _client(name, api.SECURITY_ANONYMOUS) as client:
        near, far = _Port(server), _Port(client)
        try:
            far.write(_WORD)
            near.read()
            shown = _impersonated(server)
            known = pipe_peer.identified(server, pipe_peer.client_of(server))
        finally:
            near.close()
            far.close()
    if shown not in ("", "S-1-5-7"):
        raise Differs(f"impersonated, it is {shown}")
    return f"impersonated, it is {shown or 'nobody'}; by its process it is {known.account}"


def _impersonated(server: int) -> str:
    """The SID of a client as whom this thread acts for a moment, "" where it shows none."""
    if not api.impersonate(server):
        return ""
    token = wintypes.HANDLE()
    opened = api.open_thread_token(api.current_thread(), api.TOKEN_QUERY, True, byref(token))
    api.must(api.revert_to_self())
    if not opened:
        return ""
    try:
        return pipe_peer.user_of(token.value)
    finally:
        api.close_handle(token)


def last_words(_: Ground) -> str:
    """Writes, closes, and reads at the other end."""
    name = _name()
    with _instance(name) as server:
        near = _Port(server)
        try:
            with _client(name) as client:
                far = _Port(client)
                far.write(_WORD)
                far.close()
            expect(near.read(), _WORD, "the other end read")
        finally:
            near.close()
    return "what was written was read"


def thread_that_ends(_: Ground) -> str:
    """Begins to read in a thread that ends, and writes afterwards."""
    name = _name()
    with _instance(name) as server, _client(name) as client:
        near, far = _Port(server), _Port(client)
        begun: list[int] = []
        try:
            thread = threading.Thread(target=lambda: begun.append(near.begin_read()))
            thread.start()
            thread.join()
            expect(begun, [api.ERROR_IO_PENDING], "the read began with")
            far.write(_WORD)
            expect(near.finish(), (len(_WORD), api.SUCCESS), "it ended with")
        finally:
            near.close()
            far.close()
    return "the read went on"


def account_lookup(_: Ground) -> str:
    """Looks up the name of the system's account on this machine alone."""
    name = pipe_peer.account_name(pipe_peer.SYSTEM)
    if name == pipe_peer.SYSTEM:
        raise Differs("S-1-5-18 has no name")
    return f"S-1-5-18 is {name}"
