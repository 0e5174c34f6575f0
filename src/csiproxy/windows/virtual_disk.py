"""Disks in files, which Windows makes and attaches: virtdisk.dll.

https://learn.microsoft.com/windows/win32/api/virtdisk/
"""

import ctypes
import os
import sys
from ctypes import byref, c_uint64, c_void_p, wintypes
from typing import Final, Self

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

_DEVICE_VHDX: Final = 3
_NO_ACCESS_MASK: Final = 0  # as version 2 of the parameters wants it
_NO_DRIVE_LETTER: Final = 2
_PHYSICAL_DRIVE: Final = "\\\\.\\physicaldrive"


class _Guid(ctypes.Structure):
    _fields_ = (("bytes", ctypes.c_ubyte * 16),)


class _StorageType(ctypes.Structure):
    _fields_ = (("device", wintypes.ULONG), ("vendor", _Guid))


class _CreateParameters(ctypes.Structure):
    """CREATE_VIRTUAL_DISK_PARAMETERS, version 2."""

    _fields_ = (
        ("version", ctypes.c_int),
        ("unique_id", _Guid),
        ("maximum_size", c_uint64),
        ("block_size", wintypes.ULONG),
        ("sector_size", wintypes.ULONG),
        ("physical_sector_size", wintypes.ULONG),
        ("parent_path", c_void_p),
        ("source_path", c_void_p),
        ("open_flags", ctypes.c_int),
        ("parent_type", _StorageType),
        ("source_type", _StorageType),
        ("resiliency", _Guid),
    )


class _ExpandParameters(ctypes.Structure):
    """EXPAND_VIRTUAL_DISK_PARAMETERS, version 1."""

    _fields_ = (("version", ctypes.c_int), ("size", c_uint64))


# VIRTUAL_STORAGE_TYPE_VENDOR_MICROSOFT: {EC984AEC-A0F9-47E9-901F-71415A66345B}
_MICROSOFT: Final = _Guid(
    (ctypes.c_ubyte * 16).from_buffer_copy(bytes.fromhex("ec4a98ecf9a0e947901f71415a66345b"))
)


class VirtualDisk:
    """A new VHDX file at ``path``, attached as a disk; both have gone after :meth:`close`.

    Windows detaches it when this process ends, however that is.  Raise OSError.
    """

    def __init__(self, path: str, size: int) -> None:
        self.path = path
        self._library = _library()
        self._handle = wintypes.HANDLE()
        parameters = _CreateParameters(version=2, maximum_size=size)
        kind = _StorageType(_DEVICE_VHDX, _MICROSOFT)
        self._must(
            self._library.CreateVirtualDisk(
                byref(kind), path, _NO_ACCESS_MASK, None, 0, 0, byref(parameters), None, byref(self._handle)
            )
        )
        try:
            self._must(self._library.AttachVirtualDisk(self._handle, None, _NO_DRIVE_LETTER, 0, None, None))
            self.number = self._number()
        except BaseException:
            self.close()
            raise

    def grow(self, size: int) -> None:
        """Make it larger while it is attached.  Raise OSError."""
        parameters = _ExpandParameters(version=1, size=size)
        self._must(self._library.ExpandVirtualDisk(self._handle, 0, byref(parameters), None))

    def detach(self) -> None:
        """Take the disk away; the file stays until :meth:`close`."""
        if self._handle.value:
            self._library.DetachVirtualDisk(self._handle, 0, 0)
            ctypes.windll.kernel32.CloseHandle(self._handle)
            self._handle = wintypes.HANDLE()

    def close(self) -> None:
        """Take the disk away and remove the file.  Harmless when repeated."""
        self.detach()
        if os.path.exists(self.path):
            os.unlink(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _number(self) -> int:
        buffer = ctypes.create_unicode_buffer(1024)
        size = wintypes.ULONG(ctypes.sizeof(buffer))
        self._must(self._library.GetVirtualDiskPhysicalPath(self._handle, byref(size), buffer))
        path = buffer.value
        digits = path.lower().removeprefix(_PHYSICAL_DRIVE)
        if not digits.isdigit():
            raise OSError(f"the disk of {self.path} is {path}, which has no number")
        return int(digits)

    def _must(self, code: int) -> None:
        """Raise OSError for a Windows code that is no success."""
        if code:
            raise ctypes.WinError(code)


def _library() -> ctypes.WinDLL:
    """virtdisk.dll.  Raise OSError where this Windows has none, or one without these functions."""
    if hasattr(ctypes.WinDLL("ntdll"), "wine_get_version"):
        raise OSError("Wine makes no virtual disks")  # and ends a program that asks for one
    library = ctypes.WinDLL("virtdisk")
    handle, pointer, ulong = wintypes.HANDLE, c_void_p, wintypes.ULONG
    signatures: dict[str, tuple[object, ...]] = {
        "CreateVirtualDisk": (
            pointer,
            wintypes.LPCWSTR,
            ctypes.c_int,
            pointer,
            ctypes.c_int,
            ulong,
            pointer,
            pointer,
            pointer,
        ),
        "AttachVirtualDisk": (handle, pointer, ctypes.c_int, ulong, pointer, pointer),
        "DetachVirtualDisk": (handle, ctypes.c_int, ulong),
        "ExpandVirtualDisk": (handle, ctypes.c_int, pointer, pointer),
        "GetVirtualDiskPhysicalPath": (handle, pointer, pointer),
    }
    for name, arguments in signatures.items():
        try:
            function = getattr(library, name)
        except AttributeError as error:
            raise OSError(f"virtdisk.dll of this Windows has no {name}") from error
        function.argtypes = arguments
        function.restype = wintypes.DWORD
    return library
