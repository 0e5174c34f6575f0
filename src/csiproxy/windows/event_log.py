r"""The event log of Windows: csi-proxy as a source of the log "Application".

A source names a file with the texts of its events.  This one names EventCreate.exe, which comes with every
Windows and has for each id from 1 to 1000 the text "%1": an event reads exactly as it was written.
https://learn.microsoft.com/windows/win32/eventlog/event-sources
"""

import ctypes
import sys
import winreg
from contextlib import suppress
from ctypes import c_void_p, wintypes
from typing import Final

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

SOURCE: Final = "csi-proxy"
KEY: Final = rf"SYSTEM\CurrentControlSet\Services\EventLog\Application\{SOURCE}"
MESSAGES: Final = r"%SystemRoot%\System32\EventCreate.exe"
_EVERY_LEVEL: Final = 7  # errors, warnings and information
_LOWEST_OWN: Final = 1
_HIGHEST_OWN: Final = 1000

_ADVAPI32: Final = ctypes.WinDLL("advapi32", use_last_error=True)
_register = _ADVAPI32.RegisterEventSourceW
_register.restype = wintypes.HANDLE
_register.argtypes = (wintypes.LPCWSTR, wintypes.LPCWSTR)
_report = _ADVAPI32.ReportEventW
_report.restype = wintypes.BOOL
_report.argtypes = (
    wintypes.HANDLE,
    wintypes.WORD,
    wintypes.WORD,
    wintypes.DWORD,
    c_void_p,
    wintypes.WORD,
    wintypes.DWORD,
    ctypes.POINTER(wintypes.LPCWSTR),
    c_void_p,
)
_deregister = _ADVAPI32.DeregisterEventSource
_deregister.restype = wintypes.BOOL
_deregister.argtypes = (wintypes.HANDLE,)


def register() -> None:
    """Make the source, or make it right.  Raise OSError; it takes an administrator."""
    with winreg.CreateKeyEx(winreg.HKEY_LOCAL_MACHINE, KEY, 0, winreg.KEY_SET_VALUE) as key:
        winreg.SetValueEx(key, "CustomSource", 0, winreg.REG_DWORD, 1)
        winreg.SetValueEx(key, "EventMessageFile", 0, winreg.REG_EXPAND_SZ, MESSAGES)
        winreg.SetValueEx(key, "TypesSupported", 0, winreg.REG_DWORD, _EVERY_LEVEL)


def unregister() -> None:
    """Remove the source; its events stay, without what shows them plainly.  Harmless when there is none.

    Raise OSError.
    """
    with suppress(FileNotFoundError):
        winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, KEY)


def registered() -> bool:
    """Whether there is the source."""
    try:
        winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, KEY).Close()
    except OSError:
        return False
    return True


def open_source() -> "EventSource":
    """Open the log for writing; the source is made if it is missing and this account may.  Raise OSError."""
    if not registered():
        with suppress(OSError):  # events are kept all the same, without the file that shows them plainly
            register()
    return EventSource()


class EventSource:
    """Writes events as :data:`SOURCE`.  For one thread at a time.  Raise OSError."""

    def __init__(self) -> None:
        self._handle: int | None = _register(None, SOURCE)
        if not self._handle:
            raise ctypes.WinError(ctypes.get_last_error())

    def report(self, event: int, level: int, text: str) -> None:
        """Write an event; ``level`` is a type of ReportEvent.  The text ends at a NUL and fills no places."""
        if not _LOWEST_OWN <= event <= _HIGHEST_OWN:
            raise ValueError(f"the message file has no event {event}")
        strings = (wintypes.LPCWSTR * 1)(text)
        if not _report(self._handle, level, 0, event, None, 1, 0, strings, None):
            raise ctypes.WinError(ctypes.get_last_error())

    def close(self) -> None:
        """Let go of the log.  Harmless when repeated."""
        handle, self._handle = self._handle, None
        if handle:
            _deregister(handle)
