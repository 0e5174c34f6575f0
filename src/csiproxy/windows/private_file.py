"""Files for the system, administrators and this account alone, whatever their folder would hand down."""

import os
import sys
from typing import Final

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

import msvcrt

import pywintypes
import win32file
import win32security

from csiproxy.windows import access_rights, folder_guard

_ANY: Final = access_rights.FILE_ALL_ACCESS | access_rights.GENERIC_ALL | access_rights.GENERIC_READ


def open_private(path: str, *, create: bool) -> int:
    """Open a file for reading; with ``create`` also for writing, a new one with an access list of its own.

    Raise OSError.
    """
    security = win32security.SECURITY_ATTRIBUTES()
    security.SECURITY_DESCRIPTOR = win32security.ConvertStringSecurityDescriptorToSecurityDescriptor(
        f"D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;{folder_guard.my_sid()})", win32security.SDDL_REVISION_1
    )
    try:
        handle = win32file.CreateFile(
            path,
            access_rights.GENERIC_READ | (access_rights.GENERIC_WRITE if create else 0),
            win32file.FILE_SHARE_READ | win32file.FILE_SHARE_WRITE,
            security,
            win32file.OPEN_ALWAYS if create else win32file.OPEN_EXISTING,
            win32file.FILE_ATTRIBUTE_NORMAL,
            None,
        )
    except pywintypes.error as error:
        raise OSError(None, error.strerror, path, error.winerror) from error
    return msvcrt.open_osfhandle(int(handle.Detach()), os.O_RDWR | os.O_BINARY | os.O_NOINHERIT)


def problem_with(path: str) -> str:
    """Say who else has any right to a file, as half a sentence; "" for nobody.  Raise OSError."""
    others = sorted(set(folder_guard.writers(folder_guard.descriptor(path), _ANY)) - {folder_guard.my_sid()})
    return f"is open to {', '.join(folder_guard.name(sid) for sid in others)}" if others else ""
