r"""Windows paths as Kubernetes writes them, taken apart and put together on any system.

kubelet and Go programs on Windows write ``\var\lib\kubelet``, ``/var/lib/kubelet`` and ``c:\var\lib\kubelet``
for the same directory.  Nothing here asks the system that this runs on.
"""

import ntpath
from typing import Final

from csiproxy.errors import InvalidArgument, WindowsCode

SEPARATOR: Final = "\\"
SYSTEM_DRIVE: Final = "c:"
_VOLUME: Final = "\\\\?\\volume{"


def normalised(path: str) -> str:
    r"""Return ``c:\var\lib`` for ``/var/lib`` and ``\var\lib``; shares, volume ids and relative paths stay.

    The rule is that of Kubernetes' NormalizeWindowsPath, which, however, puts a drive before shares, too.
    """
    path = path.replace("/", SEPARATOR)
    if path.startswith(SEPARATOR) and not path.startswith(2 * SEPARATOR):
        return SYSTEM_DRIVE + path
    return path


def on_node(path: str) -> str:
    r"""Return a path of the node in normal form, without a last backslash; else InvalidArgument."""
    normal = normalised(path)
    drive, rest = ntpath.splitdrive(normal)
    if len(drive) != 2 or not rest.startswith(SEPARATOR):
        raise InvalidArgument(
            f"'{path[:260]}' is no absolute path on a drive of the node like C:\\var\\lib\\kubelet\\…",
            WindowsCode.BAD_PATHNAME,
        )
    return normal if rest == SEPARATOR else normal.rstrip(SEPARATOR)


def parent(path: str) -> str:
    """Return the directory that a path of the node is in."""
    return ntpath.dirname(on_node(path))


def is_volume_id(text: str) -> bool:
    r"""Whether a text is a volume id (``\\?\Volume{guid}\``) and not a path."""
    return text.lower().startswith(_VOLUME)


def is_share(text: str) -> bool:
    r"""Whether a text names a share (``\\server\share…``, ``//server/share…``)."""
    path = text.replace("/", SEPARATOR)
    return path.startswith(2 * SEPARATOR) and path[2:3] not in ("?", ".", SEPARATOR, "")
