r"""Where this program keeps what it writes: ``C:\ProgramData\csi-proxy``.

Every user may make folders in ProgramData, and may have made this one first, to have the system write to a
file of his choice through it.  So it is made for administrators alone, and taken only if it is that.
"""

import os
import sys
from typing import Final

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

import pywintypes
import win32file
import win32security

from csiproxy.errors import WindowsCode
from csiproxy.windows import folder_guard

_FOLDER: Final = "csi-proxy"
_SDDL: Final = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"


def prepare(*names: str) -> str:
    """Make the folder, and a folder ``names`` in it; give its path.

    Raise OSError, also when others may change it.
    """
    folder = os.path.join(os.environ.get("PROGRAMDATA", r"C:\ProgramData"), _FOLDER)
    attributes = pywintypes.SECURITY_ATTRIBUTES()
    attributes.SECURITY_DESCRIPTOR = win32security.ConvertStringSecurityDescriptorToSecurityDescriptor(
        _SDDL, win32security.SDDL_REVISION_1
    )
    try:
        win32file.CreateDirectoryW(folder, attributes)
    except pywintypes.error as error:
        if error.winerror != WindowsCode.ALREADY_EXISTS:
            raise OSError(error.winerror, error.strerror, folder) from error
    problem = folder_guard.problem_with(folder)
    if problem:
        raise OSError(f"{problem}: make it writable for administrators only (icacls)")
    inner = os.path.join(folder, *names)
    os.makedirs(inner, exist_ok=True)
    return inner
