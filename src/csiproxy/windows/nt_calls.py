"""The file calls of a real Windows, through ctypes."""

import ctypes
import sys
from collections.abc import Callable
from ctypes import byref, c_int32, c_size_t, c_void_p, wintypes
from typing import Final, cast

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.windows import nt
from csiproxy.windows.file_calls import Standing

_CASE_INSENSITIVE: Final = 0x40
_FILE_ATTRIBUTE_NORMAL: Final = 0x80
_OPEN_EXISTING: Final = 3
_INVALID_HANDLE: Final = c_void_p(-1).value
_LISTING_SIZE: Final = 64 * 1024
_LONGEST_PATH: Final = 32768

# FILE_INFO_BY_HANDLE_CLASS
_STANDARD, _DISPOSITION, _ATTRIBUTE_TAG, _FULL_DIRECTORY, _DISPOSITION_EX = 1, 4, 9, 14, 21
# FILE_DISPOSITION_INFO_EX
_DELETE, _POSIX_SEMANTICS, _ON_CLOSE, _IGNORE_READ_ONLY = 0x1, 0x2, 0x8, 0x10

# RtlNtStatusToDosError calls a name that waits for its last handle "access denied", which it is not.
_STATUS_DELETE_PENDING: Final = 0xC000_0056


class _UnicodeString(ctypes.Structure):
    _fields_ = (("length", wintypes.USHORT), ("room", wintypes.USHORT), ("text", c_void_p))


class _ObjectAttributes(ctypes.Structure):
    _fields_ = (
        ("length", wintypes.ULONG),
        ("root", wintypes.HANDLE),
        ("name", c_void_p),
        ("attributes", wintypes.ULONG),
        ("descriptor", c_void_p),
        ("quality", c_void_p),
    )


class _StatusBlock(ctypes.Structure):
    _fields_ = (("status", c_size_t), ("information", c_size_t))


class _StandardInfo(ctypes.Structure):
    _fields_ = (
        ("allocated", ctypes.c_int64),
        ("size", ctypes.c_int64),
        ("links", wintypes.DWORD),
        ("deleted", ctypes.c_ubyte),
        ("directory", ctypes.c_ubyte),
    )


class _AttributeTag(ctypes.Structure):
    _fields_ = (("attributes", wintypes.DWORD), ("tag", wintypes.DWORD))


_NTDLL: Final = ctypes.WinDLL("ntdll")
_KERNEL32: Final = ctypes.WinDLL("kernel32", use_last_error=True)


def _function(library: ctypes.WinDLL, name: str, result: object, *arguments: object) -> Callable[..., int]:
    function = getattr(library, name)
    function.restype = result
    function.argtypes = arguments
    return cast("Callable[..., int]", function)


_BOOL, _DWORD, _HANDLE, _TEXT = wintypes.BOOL, wintypes.DWORD, wintypes.HANDLE, wintypes.LPCWSTR
_create = _function(
    _NTDLL,
    "NtCreateFile",
    c_int32,
    c_void_p,
    _DWORD,
    c_void_p,
    c_void_p,
    c_void_p,
    _DWORD,
    _DWORD,
    _DWORD,
    _DWORD,
    c_void_p,
    _DWORD,
)
_dos_error = _function(_NTDLL, "RtlNtStatusToDosError", wintypes.ULONG, c_int32)
_close = _function(_KERNEL32, "CloseHandle", _BOOL, _HANDLE)
_information = _function(_KERNEL32, "GetFileInformationByHandleEx", _BOOL, _HANDLE, _DWORD, c_void_p, _DWORD)
_set_information = _function(
    _KERNEL32, "SetFileInformationByHandle", _BOOL, _HANDLE, _DWORD, c_void_p, _DWORD
)
_control = _function(
    _KERNEL32,
    "DeviceIoControl",
    _BOOL,
    _HANDLE,
    _DWORD,
    c_void_p,
    _DWORD,
    c_void_p,
    _DWORD,
    c_void_p,
    c_void_p,
)
_final_path = _function(_KERNEL32, "GetFinalPathNameByHandleW", _DWORD, _HANDLE, c_void_p, _DWORD, _DWORD)
_set_mount_point = _function(_KERNEL32, "SetVolumeMountPointW", _BOOL, _TEXT, _TEXT)
_delete_mount_point = _function(_KERNEL32, "DeleteVolumeMountPointW", _BOOL, _TEXT)
_volume_paths = _function(
    _KERNEL32, "GetVolumePathNamesForVolumeNameW", _BOOL, _TEXT, c_void_p, _DWORD, c_void_p
)
_create_file = _function(
    _KERNEL32, "CreateFileW", _HANDLE, _TEXT, _DWORD, _DWORD, c_void_p, _DWORD, _DWORD, _HANDLE
)


class NtCalls:
    """:class:`csiproxy.windows.file_calls.FileCalls` of this Windows."""

    def open(self, parent: int, name: str, access: int, share: int, disposition: int, options: int) -> int:
        """NtCreateFile."""
        text = name.encode("utf-16-le", "surrogatepass")
        if len(text) > 0xFFFE:
            raise Win32Error(WindowsCode.FILENAME_EXCED_RANGE, "NtCreateFile", "the name is too long")
        buffer = ctypes.create_string_buffer(text, len(text) + 2)
        string = _UnicodeString(len(text), len(text), ctypes.addressof(buffer))
        attributes = _ObjectAttributes(
            ctypes.sizeof(_ObjectAttributes),
            parent or None,
            ctypes.addressof(string),
            _CASE_INSENSITIVE,
            None,
            None,
        )
        handle, block = wintypes.HANDLE(), _StatusBlock()
        status = _create(
            byref(handle),
            access | nt.SYNCHRONIZE,
            byref(attributes),
            byref(block),
            None,
            _FILE_ATTRIBUTE_NORMAL,
            share,
            disposition,
            options | nt.FILE_SYNCHRONOUS_IO_NONALERT,
            None,
            0,
        )
        if status < 0:
            raise _refused(status, "NtCreateFile")
        return handle.value or 0

    def close(self, handle: int) -> None:
        """CloseHandle."""
        _must(_close(handle), "CloseHandle")

    def standing(self, handle: int) -> Standing:
        """GetFileInformationByHandleEx, twice."""
        tag, standard = _AttributeTag(), _StandardInfo()
        for kind, found in ((_ATTRIBUTE_TAG, tag), (_STANDARD, standard)):
            _must(
                _information(handle, kind, byref(found), ctypes.sizeof(found)), "GetFileInformationByHandleEx"
            )
        reparse = tag.attributes & nt.FILE_ATTRIBUTE_REPARSE_POINT
        removed = bool(standard.deleted) or standard.links == 0
        return Standing(tag.attributes, tag.tag if reparse else 0, removed)

    def listing(self, handle: int) -> bytes:
        """GetFileInformationByHandleEx(FileFullDirectoryInfo)."""
        buffer = ctypes.create_string_buffer(_LISTING_SIZE)
        if _information(handle, _FULL_DIRECTORY, buffer, _LISTING_SIZE):
            return buffer.raw
        if ctypes.get_last_error() == nt.ERROR_NO_MORE_FILES:
            return b""
        raise _failed("GetFileInformationByHandleEx")

    def control(self, handle: int, code: int, data: bytes, room: int) -> bytes:
        """DeviceIoControl."""
        answer = ctypes.create_string_buffer(room) if room else None
        size = wintypes.DWORD()
        done = _control(handle, code, data, len(data), answer, room, byref(size), None)
        if not done and ctypes.get_last_error() != nt.ERROR_MORE_DATA:
            raise _failed("DeviceIoControl")
        return answer.raw[: size.value] if answer is not None else b""

    def delete(self, handle: int) -> None:
        """SetFileInformationByHandle(FileDispositionInfoEx), or the older way."""
        wanted = wintypes.DWORD(_DELETE | _POSIX_SEMANTICS | _IGNORE_READ_ONLY)
        if _set_information(handle, _DISPOSITION_EX, byref(wanted), ctypes.sizeof(wanted)):
            return
        if ctypes.get_last_error() not in nt.NO_SUCH_CALL:
            raise _failed("SetFileInformationByHandle")
        plain = ctypes.c_ubyte(1)
        _must(
            _set_information(handle, _DISPOSITION, byref(plain), ctypes.sizeof(plain)),
            "SetFileInformationByHandle",
        )

    def keep(self, handle: int) -> None:
        """SetFileInformationByHandle(FileDispositionInfoEx)."""
        wanted = wintypes.DWORD(_ON_CLOSE)
        _must(
            _set_information(handle, _DISPOSITION_EX, byref(wanted), ctypes.sizeof(wanted)),
            "SetFileInformationByHandle",
        )

    def final_path(self, handle: int, form: int) -> str:
        """GetFinalPathNameByHandleW."""
        room = 512
        while True:
            buffer = ctypes.create_unicode_buffer(room)
            size = _must(_final_path(handle, buffer, room, form), "GetFinalPathNameByHandleW")
            if size < room:
                return buffer.value
            room = size + 1

    def set_mount_point(self, directory: str, volume: str) -> None:
        """SetVolumeMountPointW."""
        _must(_set_mount_point(directory, volume), "SetVolumeMountPointW")

    def delete_mount_point(self, directory: str) -> None:
        """DeleteVolumeMountPointW."""
        _must(_delete_mount_point(directory), "DeleteVolumeMountPointW")

    def volume_paths(self, volume: str) -> list[str]:
        """GetVolumePathNamesForVolumeNameW."""
        room = 512
        while True:
            buffer = ctypes.create_unicode_buffer(room)
            needed = wintypes.DWORD()
            if _volume_paths(volume, buffer, room, byref(needed)):
                paths = ctypes.wstring_at(buffer, room)
                return [path for path in paths.split("\0") if path]
            if ctypes.get_last_error() != nt.ERROR_MORE_DATA or needed.value <= room:
                raise _failed("GetVolumePathNamesForVolumeNameW")
            room = needed.value

    def open_device(self, path: str) -> int:
        """CreateFileW."""
        share = nt.SHARE_READ | nt.SHARE_WRITE
        handle = _create_file(path, 0, share, None, _OPEN_EXISTING, 0, None)
        if not handle or handle == _INVALID_HANDLE:
            raise _failed("CreateFileW")
        return handle


def _refused(status: int, call: str) -> Win32Error:
    if status & 0xFFFF_FFFF == _STATUS_DELETE_PENDING:
        return Win32Error(WindowsCode.SHARING_VIOLATION, call, "the name goes when its last user closes it")
    return Win32Error(_dos_error(status), call, f"NTSTATUS 0x{status & 0xFFFF_FFFF:08x}")


def _must(result: int, call: str) -> int:
    """The result of a call that fails with 0."""
    if not result:
        raise _failed(call)
    return result


def _failed(call: str) -> Win32Error:
    code = ctypes.get_last_error()
    return Win32Error(code, call, ctypes.FormatError(code).strip())
