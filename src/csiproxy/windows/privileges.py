"""Privileges of this process: what its account may do beyond the access control lists.

An administrator's token has most of them switched off, and some calls of Windows do not switch on what they
need.  https://learn.microsoft.com/windows/win32/secauthz/privilege-constants
"""

import ctypes
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from ctypes import byref, wintypes
from typing import Final

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

CREATE_SYMBOLIC_LINK: Final = "SeCreateSymbolicLinkPrivilege"

NEEDED: Final = frozenset(
    (
        "SeChangeNotifyPrivilege",  # to walk paths, as everybody may
        CREATE_SYMBOLIC_LINK,  # links of published volumes
        "SeManageVolumePrivilege",  # mount points, and what WMI does to volumes in our name
        "SeBackupPrivilege",  # to open directories whose access list names nobody of ours
        "SeRestorePrivilege",  # to remove and replace such
        "SeImpersonatePrivilege",  # to see who calls, at the level that the caller allows
        "SeCreateGlobalPrivilege",  # locks that all proxies of the node share
    )
)
"""What serving storage takes.  The documentation says of each why; what is not here is given up for good:
debugging, drivers, tokens and acting as the system, clock, shutdown, audit of Windows, memory limits …"""

_ADJUST, _QUERY = 0x20, 0x8
_ENABLED: Final = 2
_REMOVED: Final = 4
_TOKEN_PRIVILEGES: Final = 3
_NOT_ALL_ASSIGNED: Final = 1300
_NO_SUCH_PRIVILEGE: Final = 1313
_LONGEST_NAME: Final = 256

_ADVAPI32: Final = ctypes.WinDLL("advapi32", use_last_error=True)
_KERNEL32: Final = ctypes.WinDLL("kernel32", use_last_error=True)
_KERNEL32.GetCurrentProcess.restype = wintypes.HANDLE
_KERNEL32.CloseHandle.argtypes = (wintypes.HANDLE,)
_ADVAPI32.OpenProcessToken.argtypes = (wintypes.HANDLE, wintypes.DWORD, ctypes.c_void_p)
_ADVAPI32.LookupPrivilegeValueW.argtypes = (wintypes.LPCWSTR, wintypes.LPCWSTR, ctypes.c_void_p)
_ADVAPI32.LookupPrivilegeNameW.argtypes = (
    wintypes.LPCWSTR,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_void_p,
)
_ADVAPI32.AdjustTokenPrivileges.argtypes = (
    wintypes.HANDLE,
    wintypes.BOOL,
    ctypes.c_void_p,
    wintypes.DWORD,
    ctypes.c_void_p,
    ctypes.c_void_p,
)
_ADVAPI32.GetTokenInformation.argtypes = (
    wintypes.HANDLE,
    wintypes.DWORD,
    ctypes.c_void_p,
    wintypes.DWORD,
    ctypes.c_void_p,
)


class _Luid(ctypes.Structure):
    _fields_ = (("low", wintypes.DWORD), ("high", wintypes.LONG))


class _Privilege(ctypes.Structure):
    _fields_ = (("luid", _Luid), ("attributes", wintypes.DWORD))


class _One(ctypes.Structure):
    _fields_ = (("count", wintypes.DWORD), ("privilege", _Privilege))


def enable(name: str) -> bool:
    """Switch a privilege on for this process; False when its account does not have it.  Raise OSError.

    Nobody has a privilege that this Windows does not know.
    """
    wanted = _One(1, _Privilege(_Luid(), _ENABLED))
    if not _ADVAPI32.LookupPrivilegeValueW(None, name, byref(wanted.privilege.luid)):
        if ctypes.get_last_error() != _NO_SUCH_PRIVILEGE:
            raise ctypes.WinError(ctypes.get_last_error())
        return False
    with _token(_ADJUST | _QUERY) as token:
        _must(_ADVAPI32.AdjustTokenPrivileges(token, False, byref(wanted), 0, None, None))
        return ctypes.get_last_error() != _NOT_ALL_ASSIGNED


def keep_only(names: Collection[str]) -> list[str]:
    """Remove all other privileges from this process for good; give the names of the removed.  Raise OSError.

    Programs that it starts do not have them either.
    """
    removed = []
    with _token(_ADJUST | _QUERY) as token:
        for name in sorted(held().keys() - set(names)):
            unwanted = _One(1, _Privilege(_Luid(), _REMOVED))
            _must(_ADVAPI32.LookupPrivilegeValueW(None, name, byref(unwanted.privilege.luid)))
            _must(_ADVAPI32.AdjustTokenPrivileges(token, False, byref(unwanted), 0, None, None))
            removed.append(name)
    return removed


def held() -> dict[str, bool]:
    """The privileges of this process' account, and whether each is switched on.  Raise OSError."""
    with _token(_QUERY) as token:
        size = wintypes.DWORD()
        _ADVAPI32.GetTokenInformation(token, _TOKEN_PRIVILEGES, None, 0, byref(size))
        buffer = ctypes.create_string_buffer(max(size.value, ctypes.sizeof(wintypes.DWORD)))
        _must(_ADVAPI32.GetTokenInformation(token, _TOKEN_PRIVILEGES, buffer, size, byref(size)))
    count = wintypes.DWORD.from_buffer(buffer).value
    listed = (_Privilege * count).from_buffer(buffer, ctypes.sizeof(wintypes.DWORD))
    return {_name(one.luid): bool(one.attributes & _ENABLED) for one in listed}


def _name(luid: _Luid) -> str:
    text, size = ctypes.create_unicode_buffer(_LONGEST_NAME), wintypes.DWORD(_LONGEST_NAME)
    if not _ADVAPI32.LookupPrivilegeNameW(None, byref(luid), text, byref(size)):
        return f"privilege {luid.high}:{luid.low}"
    return text.value


@contextmanager
def _token(access: int) -> Iterator[wintypes.HANDLE]:
    token = wintypes.HANDLE()
    _must(_ADVAPI32.OpenProcessToken(_KERNEL32.GetCurrentProcess(), access, byref(token)))
    try:
        yield token
    finally:
        _KERNEL32.CloseHandle(token)


def _must(result: int) -> None:
    if not result:
        raise ctypes.WinError(ctypes.get_last_error())
