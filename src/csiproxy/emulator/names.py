"""Names that the host and callers give, held against what Windows can have.

https://learn.microsoft.com/windows/win32/fileio/naming-a-file
"""

from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.names import fault


def is_text(name: str) -> bool:
    """Whether a name is Unicode text; the host gives bytes that are not UTF-8 as lone surrogates."""
    return name.isascii() or not any("\ud800" <= character <= "\udfff" for character in name)


def check(name: str, call: str) -> None:
    """Raise ERROR_INVALID_NAME (123) for a name that Windows cannot have; ``call`` names the Win32 call."""
    reason = fault(name)
    if reason:
        raise Win32Error(WindowsCode.INVALID_NAME, call, f"Windows cannot have this name: {reason}")
