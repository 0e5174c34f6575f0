r"""Which links of the node lead to a share, by marks that outlive every proxy.

Windows keeps no list of links, and no tree that pods fill is walked for them.  So each link to a share gets a
mark before it is made.  A mark is only a hint: the link is looked at before it counts, and the mark of a link
that has gone is taken away.
"""

from collections.abc import Callable

from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.names import equality_key
from csiproxy.host.win32 import Win32
from csiproxy.storage.codes import judged
from csiproxy.storage.namespace import ConfinedPath, Namespace

# No share and no path can have the stroke in its name.
_LINK, _DEFERRED, _STROKE = "smb-link", "smb-remove", "|"

# A directory on the way to a link is a link or a file by now.
_NOT_ON_THE_WAY = (WindowsCode.REPARSE_POINT_ENCOUNTERED, WindowsCode.DIRECTORY)

# The path of a link, if it lies where links are ours; None where it does not.
Place = Callable[[str], ConfinedPath | None]


def share_of(target: str) -> str:
    r"""The share that a link's target is on, as ``\\server\share`` in lower case; "" for any other target."""
    parts = target.split("\\")
    if len(parts) < 4 or parts[0] or parts[1] or parts[2] in ("", "?", ".") or not parts[3]:
        return ""
    return rf"\\{parts[2]}\{parts[3]}".lower()


class ShareLinks:
    """The links to shares.  Whoever changes those of a share holds its lock."""

    def __init__(self, win32: Win32, namespace: Namespace) -> None:
        self._win32 = win32
        self._namespace = namespace

    def expect(self, share: str, link: ConfinedPath) -> None:
        """Take note of a link that is about to be made; twice is once."""
        with judged(f"take note of {link}"):
            self._win32.remember(_link_mark(share, str(link)))

    def gone(self, share: str, link: ConfinedPath) -> None:
        """A link has gone, or was not made after all."""
        with judged(f"forget {link}"):
            self._win32.forget(_link_mark(share, str(link)))

    def living(self, share: str, place: Place) -> list[ConfinedPath]:
        """The links to a share that are there, in the places that are ours."""
        beginning = _STROKE.join((_LINK, share, ""))
        found = []
        with judged(f"look for links to {share}"):
            for mark in self._win32.marks(beginning):
                path = place(mark.removeprefix(beginning))
                if path is None:
                    continue
                if self._leads_to(share, path):
                    found.append(path)
                else:
                    self._win32.forget(mark)
        return sorted(found, key=str)

    def _leads_to(self, share: str, path: ConfinedPath) -> bool:
        try:
            entry = self._namespace.find(path)
        except Win32Error as error:
            if error.windows_code in _NOT_ON_THE_WAY:
                return False
            raise
        return entry is not None and entry.kind.is_link and share_of(entry.target) == share

    def defer(self, share: str) -> None:
        """Let the mapping of a share go with its last link."""
        with judged(f"take note that {share} is to be unmapped"):
            self._win32.remember(_STROKE.join((_DEFERRED, share)))

    def is_deferred(self, share: str) -> bool:
        """Whether the mapping of a share is to go with its last link."""
        with judged(f"look whether {share} is to be unmapped"):
            return self._win32.remembers(_STROKE.join((_DEFERRED, share)))

    def keep(self, share: str) -> None:
        """The mapping of a share is wanted again, or has gone."""
        with judged(f"take note that {share} is in use"):
            self._win32.forget(_STROKE.join((_DEFERRED, share)))


def _link_mark(share: str, link: str) -> str:
    # One link, one mark, however its path is spelt.
    return _STROKE.join((_LINK, share, equality_key(link)))
