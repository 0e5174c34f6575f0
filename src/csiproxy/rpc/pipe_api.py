"""The functions of Windows that pipes need, as Microsoft's reference declares them, through ctypes.

ctypes rather than pywin32: only it shows whether an overlapped operation finished at once, which spares a
packet and a wakeup for every reply; and it loads faster and holds no memory of its own.
"""

import ctypes
import sys
from collections.abc import Callable
from ctypes import c_char_p, c_size_t, c_ubyte, c_void_p, wintypes
from typing import Final, cast

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

SUCCESS: Final = 0
ERROR_FILE_NOT_FOUND: Final = 2
ERROR_ACCESS_DENIED: Final = 5
ERROR_BROKEN_PIPE: Final = 109
ERROR_PIPE_BUSY: Final = 231
ERROR_NO_DATA: Final = 232
ERROR_PIPE_NOT_CONNECTED: Final = 233
WAIT_TIMEOUT: Final = 258
ERROR_PIPE_CONNECTED: Final = 535
ERROR_OPERATION_ABORTED: Final = 995
ERROR_IO_PENDING: Final = 997

GENERIC_READ: Final = 0x8000_0000
GENERIC_WRITE: Final = 0x4000_0000
READ_CONTROL: Final = 0x0002_0000
OPEN_EXISTING: Final = 3
FILE_FLAG_OVERLAPPED: Final = 0x4000_0000
FILE_FLAG_FIRST_PIPE_INSTANCE: Final = 0x0008_0000
SECURITY_SQOS_PRESENT: Final = 0x0010_0000
SECURITY_ANONYMOUS: Final = 0x0000_0000
SECURITY_IDENTIFICATION: Final = 0x0001_0000
PIPE_ACCESS_DUPLEX: Final = 3
PIPE_BYTE_MODE: Final = 0
PIPE_REJECT_REMOTE_CLIENTS: Final = 8
PIPE_UNLIMITED_INSTANCES: Final = 255
SKIP_COMPLETION_PORT_ON_SUCCESS: Final = 1
SKIP_SET_EVENT_ON_HANDLE: Final = 2
INFINITE: Final = 0xFFFF_FFFF
INVALID_HANDLE: Final = c_void_p(-1).value
PROCESS_QUERY_LIMITED_INFORMATION: Final = 0x1000
TOKEN_QUERY: Final = 8
TOKEN_USER: Final = 1
TOKEN_GROUPS: Final = 2
SE_GROUP_ENABLED: Final = 4
SE_KERNEL_OBJECT: Final = 6
OWNER_SECURITY_INFORMATION: Final = 1
SDDL_REVISION_1: Final = 1

_KERNEL32: Final = ctypes.WinDLL("kernel32", use_last_error=True)
_ADVAPI32: Final = ctypes.WinDLL("advapi32", use_last_error=True)
_SECHOST: Final = ctypes.WinDLL("sechost", use_last_error=True)
last_error: Final = ctypes.get_last_error
"""The calling thread's error code; to be asked before anything else is called."""


class Overlapped(ctypes.Structure):
    """OVERLAPPED: ``size`` is how much was transferred, once it was."""

    _fields_ = (
        ("status", c_size_t),
        ("size", c_size_t),
        ("offset", ctypes.c_uint64),
        ("event", wintypes.HANDLE),
    )


class SecurityAttributes(ctypes.Structure):
    """SECURITY_ATTRIBUTES."""

    _fields_ = (("length", wintypes.DWORD), ("descriptor", c_void_p), ("inherit", wintypes.BOOL))


class SidAndAttributes(ctypes.Structure):
    """SID_AND_ATTRIBUTES."""

    _fields_ = (("sid", c_void_p), ("attributes", wintypes.DWORD))


def _function(library: ctypes.WinDLL, name: str, result: object, *arguments: object) -> Callable[..., int]:
    function = getattr(library, name)
    function.restype = result
    function.argtypes = arguments
    return cast("Callable[..., int]", function)


_BOOL, _DWORD, _HANDLE, _TEXT = wintypes.BOOL, wintypes.DWORD, wintypes.HANDLE, wintypes.LPCWSTR

close_handle = _function(_KERNEL32, "CloseHandle", _BOOL, _HANDLE)
cancel_io = _function(_KERNEL32, "CancelIoEx", _BOOL, _HANDLE, c_void_p)
local_free = _function(_KERNEL32, "LocalFree", c_void_p, c_void_p)
create_port = _function(_KERNEL32, "CreateIoCompletionPort", _HANDLE, _HANDLE, _HANDLE, c_size_t, _DWORD)
take_packet = _function(
    _KERNEL32, "GetQueuedCompletionStatus", _BOOL, _HANDLE, c_void_p, c_void_p, c_void_p, _DWORD
)
post_packet = _function(_KERNEL32, "PostQueuedCompletionStatus", _BOOL, _HANDLE, _DWORD, c_size_t, c_void_p)
set_modes = _function(_KERNEL32, "SetFileCompletionNotificationModes", _BOOL, _HANDLE, c_ubyte)
create_pipe = _function(
    _KERNEL32, "CreateNamedPipeW", _HANDLE, _TEXT, _DWORD, _DWORD, _DWORD, _DWORD, _DWORD, _DWORD, c_void_p
)
connect_pipe = _function(_KERNEL32, "ConnectNamedPipe", _BOOL, _HANDLE, c_void_p)
wait_pipe = _function(_KERNEL32, "WaitNamedPipeW", _BOOL, _TEXT, _DWORD)
create_file = _function(
    _KERNEL32, "CreateFileW", _HANDLE, _TEXT, _DWORD, _DWORD, c_void_p, _DWORD, _DWORD, _HANDLE
)
read_file = _function(_KERNEL32, "ReadFile", _BOOL, _HANDLE, c_void_p, _DWORD, c_void_p, c_void_p)
write_file = _function(_KERNEL32, "WriteFile", _BOOL, _HANDLE, c_char_p, _DWORD, c_void_p, c_void_p)
client_process = _function(_KERNEL32, "GetNamedPipeClientProcessId", _BOOL, _HANDLE, c_void_p)
server_process = _function(_KERNEL32, "GetNamedPipeServerProcessId", _BOOL, _HANDLE, c_void_p)
session_of = _function(_KERNEL32, "ProcessIdToSessionId", _BOOL, _DWORD, c_void_p)
open_process = _function(_KERNEL32, "OpenProcess", _HANDLE, _DWORD, _BOOL, _DWORD)
image_name = _function(_KERNEL32, "QueryFullProcessImageNameW", _BOOL, _HANDLE, _DWORD, c_void_p, c_void_p)
current_thread = _function(_KERNEL32, "GetCurrentThread", _HANDLE)
impersonate = _function(_ADVAPI32, "ImpersonateNamedPipeClient", _BOOL, _HANDLE)
revert_to_self = _function(_ADVAPI32, "RevertToSelf", _BOOL)
open_process_token = _function(_ADVAPI32, "OpenProcessToken", _BOOL, _HANDLE, _DWORD, c_void_p)
open_thread_token = _function(_ADVAPI32, "OpenThreadToken", _BOOL, _HANDLE, _DWORD, _BOOL, c_void_p)
token_information = _function(
    _ADVAPI32, "GetTokenInformation", _BOOL, _HANDLE, _DWORD, c_void_p, _DWORD, c_void_p
)
sid_to_text = _function(_ADVAPI32, "ConvertSidToStringSidW", _BOOL, c_void_p, c_void_p)
text_to_sid = _function(_ADVAPI32, "ConvertStringSidToSidW", _BOOL, _TEXT, c_void_p)
lookup_account = _function(
    _SECHOST, "LookupAccountSidLocalW", _BOOL, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p
)
text_to_descriptor = _function(
    _ADVAPI32,
    "ConvertStringSecurityDescriptorToSecurityDescriptorW",
    _BOOL,
    _TEXT,
    _DWORD,
    c_void_p,
    c_void_p,
)
security_info = _function(
    _ADVAPI32,
    "GetSecurityInfo",
    _DWORD,
    _HANDLE,
    _DWORD,
    _DWORD,
    c_void_p,
    c_void_p,
    c_void_p,
    c_void_p,
    c_void_p,
)


def must(result: int | None) -> int:
    """Give the result of a function that fails with 0, NULL or INVALID_HANDLE_VALUE; then raise OSError."""
    if not result or result == INVALID_HANDLE:
        raise ctypes.WinError(last_error())
    return result
