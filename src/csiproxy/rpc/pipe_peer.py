r"""Who is at the other end of a pipe: process, program, session and account.

An account is found by the process's token or, which says more of what the caller may do just then, by
impersonating it.  A client decides whether it can be impersonated; gRPC for Go asks for anonymity.  Names are
looked up on this machine alone, as a domain's controller may be slow or gone: of others the SID is told.
"""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ctypes import byref, c_void_p, wintypes
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

from csiproxy.rpc import pipe_api as api
from csiproxy.rpc.stream import Peer

SYSTEM: Final = "S-1-5-18"
ADMINISTRATORS: Final = "S-1-5-32-544"
_ANONYMOUS: Final = "S-1-5-7"
_LONGEST_PATH: Final = 32768
_LONGEST_NAME: Final = 256


@dataclass(frozen=True, slots=True)
class Account:
    """What a token says: the user's SID, and the SIDs of the groups that count."""

    user: str
    groups: frozenset[str]

    @property
    def privileged(self) -> bool:
        """Whether it is the system or acts as an administrator (an elevated one)."""
        return self.user == SYSTEM or ADMINISTRATORS in self.groups


def client_of(pipe: int) -> Peer:
    """The process that opened the client's end of a server's ``pipe``: its number alone, which costs little
    where many come at once.  :func:`identified` finds out the rest."""
    number = wintypes.DWORD()
    return Peer(number.value if api.client_process(pipe, byref(number)) else None, None)


def identified(pipe: int, peer: Peer) -> Peer:
    """Everything about the client of a server's ``pipe``, whose process is known.

    Possible once something was read from ``pipe``: Windows lets a server impersonate nobody before.
    """
    known = _process(peer.pid) if peer.pid else peer
    return _impersonated(pipe, known)


def server_of(pipe: int) -> Peer:
    """The process that made the server's end of a client's ``pipe``."""
    number = wintypes.DWORD()
    return _process(number.value) if api.server_process(pipe, byref(number)) else Peer(None, None)


def _impersonated(pipe: int, peer: Peer) -> Peer:
    """``peer`` with the account that its client shows when impersonated; unchanged where it shows none."""
    if not api.impersonate(pipe):
        return peer
    try:
        token = wintypes.HANDLE()
        opened = api.open_thread_token(api.current_thread(), api.TOKEN_QUERY, True, byref(token))
    finally:
        if not api.revert_to_self():
            os.abort()  # this thread would go on with a client's rights, for everybody
    if not opened:
        return peer
    with _closing(token.value), suppress(OSError):
        user = user_of(token.value)
        if user != _ANONYMOUS:
            return replace(peer, account=account_name(user))
    return peer


def serves_rightfully(pipe: int) -> bool:
    """Whether a client's ``pipe`` was made by the system or an administrator.

    Only they can make either of them a pipe's owner.  An administrator may also own it in person; then the
    serving process has to act as that administrator.
    """
    try:
        owner = _owner(pipe)
        if owner in (SYSTEM, ADMINISTRATORS):
            return True
        server = server_of(pipe)
        account = account_of(server.pid) if server.pid else None
    except OSError:
        return False
    return account is not None and account.privileged and (owner == account.user or owner in account.groups)


def _process(pid: int) -> Peer:
    """What the system says of a process; little when it has ended."""
    session = wintypes.DWORD()
    known = api.session_of(pid, byref(session))
    image = account = ""
    with suppress(OSError), _opened(pid) as process:
        image = _image(process)
        with _token_of(process) as token:
            account = account_name(user_of(token))
    return Peer(pid, None, account, image, session.value if known else None)


def account_of(pid: int) -> Account:
    """The account that a process runs as.  Raise OSError where this process may not know."""
    with _opened(pid) as process, _token_of(process) as token:
        groups = _information(token, api.TOKEN_GROUPS)
        count = wintypes.DWORD.from_buffer(groups).value
        offset = ctypes.alignment(api.SidAndAttributes)
        listed = (api.SidAndAttributes * count).from_buffer(groups, offset)
        enabled = (group.sid for group in listed if group.attributes & api.SE_GROUP_ENABLED)
        return Account(user_of(token), frozenset(sid_text(sid) for sid in enabled))


@lru_cache(maxsize=256)
def account_name(sid: str) -> str:
    """The name of an account of this machine, its SID where there is none."""
    binary = c_void_p()
    if not api.text_to_sid(sid, byref(binary)):
        return sid
    name, domain = (ctypes.create_unicode_buffer(_LONGEST_NAME) for _ in range(2))
    name_size, domain_size = wintypes.DWORD(_LONGEST_NAME), wintypes.DWORD(_LONGEST_NAME)
    use = wintypes.DWORD()
    found = api.lookup_account(binary, name, byref(name_size), domain, byref(domain_size), byref(use))
    api.local_free(binary)
    if not found or not name.value:
        return sid
    return f"{domain.value}\\{name.value}" if domain.value else name.value


@contextmanager
def _closing(handle: int | None) -> Iterator[int]:
    try:
        yield handle or 0
    finally:
        api.close_handle(handle)


@contextmanager
def _opened(pid: int) -> Iterator[int]:
    with _closing(api.must(api.open_process(api.PROCESS_QUERY_LIMITED_INFORMATION, False, pid))) as process:
        yield process


@contextmanager
def _token_of(process: int) -> Iterator[int]:
    token = wintypes.HANDLE()
    api.must(api.open_process_token(process, api.TOKEN_QUERY, byref(token)))
    with _closing(token.value) as handle:
        yield handle


def _image(process: int) -> str:
    path = ctypes.create_unicode_buffer(_LONGEST_PATH)
    size = wintypes.DWORD(_LONGEST_PATH)
    return path.value if api.image_name(process, 0, path, byref(size)) else ""


def user_of(token: int | None) -> str:
    """The SID of a token's user.  Raise OSError."""
    entry = api.SidAndAttributes.from_buffer(_information(token, api.TOKEN_USER))
    return sid_text(entry.sid)


def _information(token: int | None, kind: int) -> "ctypes.Array[ctypes.c_char]":
    size = wintypes.DWORD()
    api.token_information(token, kind, None, 0, byref(size))
    buffer = ctypes.create_string_buffer(max(size.value, 1))
    api.must(api.token_information(token, kind, buffer, size, byref(size)))
    return buffer


def _owner(handle: int) -> str:
    owner, descriptor = c_void_p(), c_void_p()
    wanted = api.OWNER_SECURITY_INFORMATION
    error = api.security_info(
        handle, api.SE_KERNEL_OBJECT, wanted, byref(owner), None, None, None, byref(descriptor)
    )
    if error:
        raise ctypes.WinError(error)
    try:
        return sid_text(owner.value)
    finally:
        api.local_free(descriptor)


def sid_text(sid: int | None) -> str:
    """A SID in memory as text (``S-1-5-18``)."""
    text = c_void_p()
    api.must(api.sid_to_text(sid, byref(text)))
    try:
        return ctypes.wstring_at(text.value or 0)
    finally:
        api.local_free(text)
