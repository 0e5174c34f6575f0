"""Both halves of the port on the machine that this runs on."""

import sys
from functools import partial
from typing import TYPE_CHECKING, Final

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

from csiproxy.host import Host
from csiproxy.windows import data_folder, locks, privileges
from csiproxy.windows.com import ComSession
from csiproxy.windows.nt_calls import NtCalls
from csiproxy.windows.registry_marks import RegistryMarks
from csiproxy.windows.win32 import WindowsWin32

if TYPE_CHECKING:
    from csiproxy.windows.automation import Automation

_LOCKS: Final = "locks"


def host() -> Host:
    """This machine's WMI and files.  Raise OSError where the account may not do what that takes."""
    folder = data_folder.prepare(_LOCKS)
    privileges.enable(privileges.CREATE_SYMBOLIC_LINK)  # without it only links fail, and say so
    calls = NtCalls()
    win32 = WindowsWin32(calls, partial(locks.held, calls, folder), RegistryMarks())
    return Host(ComSession(_connect), win32)


def _connect(namespace: str) -> "Automation":
    """Connect the calling thread; COM is loaded by the first that needs it."""
    from csiproxy.windows.late_binding import open_namespace

    return open_namespace(namespace)
