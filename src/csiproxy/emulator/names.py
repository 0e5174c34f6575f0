"""Names as NTFS holds them: which there can be.  Which are equal says :mod:`csiproxy.host.names`.

https://learn.microsoft.com/windows/win32/fileio/naming-a-file
"""

from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.names import utf16_length

LONGEST_NAME = 255  # UTF-16 code units
FORBIDDEN = frozenset('<>:"/\\|?*')
DOS_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [port + digit for port in ("COM", "LPT") for digit in "0123456789¹²³"]
)


def is_text(name: str) -> bool:
    """Whether a name is Unicode text; the host gives bytes that are not UTF-8 as lone surrogates."""
    return name.isascii() or not any("\ud800" <= character <= "\udfff" for character in name)


def fault(name: str) -> str:
    """Why Windows cannot have this name in a directory; empty when it can."""
    if name in ("", ".", ".."):
        return "it is empty, '.' or '..'"
    if any(character in FORBIDDEN or character < " " for character in name):
        return 'it holds a control character or one of <>:"/\\|?*'
    if not is_text(name):
        return "it is not Unicode text"
    if name[-1] in ". ":
        return "it ends in a dot or a space"
    if utf16_length(name) > LONGEST_NAME:
        return f"it is longer than {LONGEST_NAME} UTF-16 code units"
    if name.partition(".")[0].rstrip(" ").upper() in DOS_DEVICES:
        return "it is the name of a DOS device"
    return ""


def check(name: str, call: str) -> None:
    """Raise ERROR_INVALID_NAME (123) for a name that Windows cannot have; ``call`` names the Win32 call."""
    reason = fault(name)
    if reason:
        raise Win32Error(WindowsCode.INVALID_NAME, call, f"Windows cannot have this name: {reason}")
