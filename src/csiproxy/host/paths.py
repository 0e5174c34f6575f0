r"""Paths and names that a host is given, as both adapters of the port take them apart.

https://learn.microsoft.com/windows/win32/fileio/naming-a-file
"""

import re

from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.names import fault

DRIVE_PATH = re.compile(r"([A-Za-z]):(\\.*)?", re.DOTALL)
_SHARE_PATH = re.compile(r"\\\\[^\\?.][^\\]*\\[^\\].*", re.DOTALL)
VOLUME_NAME = re.compile(r"\\\\\?\\Volume(\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\})\\?", re.IGNORECASE)


def check_name(name: str, call: str) -> None:
    """Raise ERROR_INVALID_NAME (123) for a name that Windows cannot have; ``call`` names the Win32 call."""
    reason = fault(name)
    if reason:
        raise Win32Error(WindowsCode.INVALID_NAME, call, f"Windows cannot have this name: {reason}")


def split(path: str, call: str) -> tuple[str, list[str]]:
    r"""A path of the form ``X:\…`` as its drive's letter and its names, each checked.

    Another form is ERROR_BAD_PATHNAME (161), an illegal name ERROR_INVALID_NAME (123).
    """
    match = DRIVE_PATH.fullmatch(path)
    if match is None:
        raise Win32Error(WindowsCode.BAD_PATHNAME, call, r"the path is not of the form C:\directory")
    rest = (match[2] or "").removeprefix("\\").removesuffix("\\")
    parts = rest.split("\\") if rest else []
    for part in parts:
        check_name(part, call)
    return match[1].upper(), parts


def split_share(path: str, call: str) -> list[str] | None:
    r"""A path of the form ``\\server\share\…`` as its names, each checked; None for another form."""
    if not _SHARE_PATH.fullmatch(path):
        return None
    parts = path.strip("\\").split("\\")
    for part in parts:
        check_name(part, call)
    return parts


def canonical_volume(volume: str, call: str) -> str:
    r"""``\\?\Volume{guid}\`` with the guid in lower case; another form is ERROR_INVALID_PARAMETER (87)."""
    match = VOLUME_NAME.fullmatch(volume)
    if match is None:
        raise Win32Error(
            WindowsCode.INVALID_PARAMETER, call, r"the volume name is not of the form \\?\Volume{guid}" + "\\"
        )
    return rf"\\?\Volume{match[1].lower()}" + "\\"
