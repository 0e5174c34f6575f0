"""Telling a domain socket from an ordinary file, without opening it where that can be.

On Windows the file of a domain socket is a reparse point whose tag says so.  A directory that a container has
mounted does not always let its reparse points be read (Windows Server 2019); then one attempt to connect
tells.
"""

import os
import stat
import sys
from collections.abc import Callable
from enum import Enum, auto
from typing import Final, Protocol

from csiproxy.csi import address

TAG_AF_UNIX: Final = 0x80000023
"""IO_REPARSE_TAG_AF_UNIX (winnt.h)."""


class Kind(Enum):
    """What stands at a path."""

    SOCKET = auto()
    DIRECTORY = auto()
    OTHER = auto()
    UNCLEAR = auto()
    """Windows does not let it be looked at."""


class Status(Protocol):
    """What of :class:`os.stat_result` tells; ``st_reparse_tag`` is there on Windows alone."""

    @property
    def st_mode(self) -> int:
        """Type and permissions."""
        ...


def kind_of(status: Status) -> Kind:
    """Judge by what the system says of an entry itself, links not followed."""
    if stat.S_ISSOCK(status.st_mode) or getattr(status, "st_reparse_tag", 0) == TAG_AF_UNIX:
        return Kind.SOCKET
    return Kind.DIRECTORY if stat.S_ISDIR(status.st_mode) else Kind.OTHER


def look(path: str) -> Kind:
    """Look at an entry; FileNotFoundError when there is none."""
    try:
        return kind_of(os.lstat(path))
    except FileNotFoundError:
        raise
    except OSError:
        return Kind.UNCLEAR if sys.platform == "win32" else Kind.OTHER


def answers(path: str) -> bool:
    """Connect once; True when somebody answers."""
    try:
        address.dial(path).close()
    except OSError:
        return False
    return True


def is_socket(kind: Kind, path: str, dial: Callable[[str], bool] = answers) -> bool:
    """Tell whether an entry of that kind is a domain socket; ``dial`` is tried once, where nothing else
    tells.
    """
    return kind is Kind.SOCKET or (kind is Kind.UNCLEAR and dial(path))
