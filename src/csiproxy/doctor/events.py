"""Self-tests of the event log."""

import ctypes
import os
import sys
from ctypes import wintypes
from typing import Final

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

from csiproxy.doctor.ground import Ground, expect
from csiproxy.doctor.outcome import Differs
from csiproxy.windows.event_log import MESSAGES

_AS_DATA: Final = 2
_FROM_MODULE_UNCHANGED: Final = 0x0800 | 0x0200
_IDS: Final = (1, 604, 1000)

_KERNEL32: Final = ctypes.WinDLL("kernel32", use_last_error=True)
_KERNEL32.LoadLibraryExW.restype = wintypes.HMODULE
_KERNEL32.LoadLibraryExW.argtypes = (wintypes.LPCWSTR, wintypes.HANDLE, wintypes.DWORD)
_KERNEL32.FreeLibrary.argtypes = (wintypes.HMODULE,)
_KERNEL32.FormatMessageW.argtypes = (
    wintypes.DWORD,
    wintypes.HMODULE,
    wintypes.DWORD,
    wintypes.DWORD,
    wintypes.LPWSTR,
    wintypes.DWORD,
    ctypes.c_void_p,
)


def texts(_: Ground) -> str:
    """Reads the texts that EventCreate.exe has for ids of events."""
    path = os.path.expandvars(MESSAGES)
    module = _KERNEL32.LoadLibraryExW(path, None, _AS_DATA)
    if not module:
        raise Differs(f"{path} cannot be read: {ctypes.WinError(ctypes.get_last_error())}")
    try:
        for number in _IDS:
            text = ctypes.create_unicode_buffer(256)
            _KERNEL32.FormatMessageW(_FROM_MODULE_UNCHANGED, module, number, 0, text, len(text), None)
            expect(text.value.strip(), "%1", f"the text of event {number}")
    finally:
        _KERNEL32.FreeLibrary(module)
    return f"{path} has the text %1 for the ids {', '.join(map(str, _IDS))}"
