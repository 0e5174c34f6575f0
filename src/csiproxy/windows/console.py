"""The console that a program was started in: Ctrl-C, Ctrl-Break, and a window that is closed.

https://learn.microsoft.com/windows/console/handlerroutine
"""

import ctypes
import sys
from ctypes import wintypes
from threading import Event
from typing import Final

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

_CTRL_C: Final = 0
_CTRL_BREAK: Final = 1
_LONGEST_FAREWELL: Final = 30.0
"""Seconds to keep Windows from ending the process; it waits for a few by itself and no longer."""

_Handler: Final = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.DWORD)


class Console:
    """A supervisor.  From its making on the console's events mean an orderly end.

    Windows tells of them in a thread that it makes for it, so a wait of the main thread ends at once, which
    Python's own signal handling does not do on Windows.
    """

    def __init__(self) -> None:
        self._asked = Event()
        self._ended = Event()
        self._stopping = False
        self._handler = _Handler(self._told)  # kept: Windows calls it for as long as the process lives
        if not ctypes.windll.kernel32.SetConsoleCtrlHandler(self._handler, True):
            raise ctypes.WinError()

    def _told(self, event: int) -> bool:
        if self._stopping and event in (_CTRL_C, _CTRL_BREAK):
            return False  # whoever presses it twice does not want to wait
        self._asked.set()
        if event not in (_CTRL_C, _CTRL_BREAK):
            self._ended.wait(_LONGEST_FAREWELL)  # the process is ended as soon as this returns
        return True

    def serving(self) -> None:
        """Nobody has to be told."""

    def wait(self) -> None:
        """Block until somebody wants an end."""
        self._asked.wait()

    def stopping(self, seconds: float) -> None:  # noqa: ARG002  nobody asks how long
        """A second Ctrl-C ends the process from here on."""
        self._stopping = True
