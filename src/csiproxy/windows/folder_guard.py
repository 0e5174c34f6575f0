"""Who may change a folder, and so what a program in it does: a service's programs must be its own.

A program that runs as the system and lies where an ordinary user can write makes that user the system.
"""

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, cast

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

import win32security

from csiproxy.windows import access_rights

if TYPE_CHECKING:
    from _win32typing import PyACL, PySECURITY_DESCRIPTOR, PySID

_TRUSTED: Final = frozenset(
    (
        "S-1-3-0",  # CREATOR OWNER: whoever was allowed to make the thing
        "S-1-5-18",  # the system
        "S-1-5-32-544",  # administrators
        "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",  # Windows' own installer
    )
)
_THIS_PROCESS: Final = -1  # what GetCurrentProcess gives
_REPLACE: Final = (
    access_rights.DELETE
    | access_rights.WRITE_DAC
    | access_rights.WRITE_OWNER
    | access_rights.FILE_DELETE_CHILD
    | access_rights.GENERIC_ALL
)
_CHANGE: Final = (
    _REPLACE | access_rights.FILE_ADD_FILE | access_rights.FILE_ADD_SUBDIRECTORY | access_rights.GENERIC_WRITE
)
_ALLOWED: Final = frozenset(
    (win32security.ACCESS_ALLOWED_ACE_TYPE, win32security.ACCESS_ALLOWED_OBJECT_ACE_TYPE)
)


def problem_with(path: str) -> str:
    """Say who else may change the file or folder ``path``, or put another in its place; "" for nobody.

    Raise OSError where that cannot be found out.
    """
    mine = my_sid()
    place = os.path.abspath(path)
    rights = _CHANGE
    while True:
        others = sorted(set(writers(descriptor(place), rights)) - {mine})
        if others:
            return f"{place} can be changed by {', '.join(name(sid) for sid in others)}"
        parent = os.path.dirname(place)
        if parent == place:
            return ""
        place, rights = parent, _REPLACE


def writers(descriptor: "PySECURITY_DESCRIPTOR", rights: int) -> Iterator[str]:
    """The SIDs, but trusted ones, that own what ``descriptor`` is of or are allowed any of ``rights``.

    What is denied is not taken off: a folder that needs denials to be safe is not.
    """
    # Either may be missing, which pywin32's stubs do not say.
    owner = cast("PySID | None", descriptor.GetSecurityDescriptorOwner())
    listed = cast("PyACL | None", descriptor.GetSecurityDescriptorDacl())
    granted = [(owner, rights)] if owner is not None else []
    if listed is None:
        yield "S-1-1-0"
        return
    for at in range(listed.GetAceCount()):
        (kind, flags), mask, sid = listed.GetAce(at)[:3]
        if kind in _ALLOWED and not flags & win32security.INHERIT_ONLY_ACE:
            granted.append((sid, mask))
    for sid, mask in granted:
        text = win32security.ConvertSidToStringSid(sid)
        if mask & rights and text not in _TRUSTED:
            yield text


def descriptor(path: str) -> "PySECURITY_DESCRIPTOR":
    """Owner and access list of a file or folder.  Raise OSError."""
    wanted = win32security.OWNER_SECURITY_INFORMATION | win32security.DACL_SECURITY_INFORMATION
    try:
        return win32security.GetNamedSecurityInfo(path, win32security.SE_FILE_OBJECT, wanted)
    except win32security.error as error:
        raise OSError(error.winerror, error.strerror, path) from error


def my_sid() -> str:
    """The SID of the account that this process runs as."""
    token = win32security.OpenProcessToken(_THIS_PROCESS, win32security.TOKEN_QUERY)
    sid, _ = win32security.GetTokenInformation(token, win32security.TokenUser)
    return win32security.ConvertSidToStringSid(sid)


def name(sid: str) -> str:
    """The name of an account, its SID where this machine does not know it."""
    try:
        name, domain, _ = win32security.LookupAccountSid(None, win32security.ConvertStringSidToSid(sid))
    except win32security.error:
        return sid
    return f"{domain}\\{name}" if domain else name
