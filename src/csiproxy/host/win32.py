"""The Win32 half of the port: directories by handle, reparse points, and questions about volumes and disks.

A call takes an open directory and **one name**, never a path, so that between the check of a component
and its use nobody can put something else in its place.  Links are never followed unless the call's name
says so.  Every failure is a :class:`~csiproxy.errors.Win32Error` with the code Windows gives:

==== ==========================================================================
2    the name does not exist
5    access denied
145  not empty, or already a mount point
183  the name exists already
267  the name is not a directory
4395 the name is a reparse point and this call does not follow those
==== ==========================================================================
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, Self


class EntryKind(Enum):
    """What a name in a directory is, judged without following it."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMBOLIC_LINK = "symbolic link"
    JUNCTION = "junction"
    MOUNT_POINT = "mount point"
    OTHER_REPARSE_POINT = "other reparse point"

    @property
    def is_reparse_point(self) -> bool:
        """Whether opening the name by a path would lead elsewhere."""
        return self not in (EntryKind.FILE, EntryKind.DIRECTORY)

    @property
    def is_link(self) -> bool:
        """Whether it is a link to a path (as opposed to a mounted volume)."""
        return self in (EntryKind.SYMBOLIC_LINK, EntryKind.JUNCTION)


@dataclass(frozen=True, slots=True)
class Entry:
    r"""One name in a directory.

    ``target`` is the Windows path of a link (``C:\var\…`` or ``\\server\share\…``), the volume of a mount
    point (``\\?\Volume{guid}\``), and empty for everything else.
    """

    name: str
    kind: EntryKind
    target: str = ""


class Directory(Protocol):
    """An open directory.  The name that led to it may meanwhile belong to something else."""

    def close(self) -> None:
        """Give the handle back; twice is fine."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...


class CodeSet(Enum):
    """How the bytes of a page-83 identifier are to be read (STORAGE_IDENTIFIER_CODE_SET)."""

    RESERVED = 0
    BINARY = 1
    ASCII = 2
    UTF8 = 3


class IdentifierType(Enum):
    """What a page-83 identifier is (STORAGE_IDENTIFIER_TYPE, SPC-4 7.8.6)."""

    VENDOR_SPECIFIC = 0
    VENDOR_ID = 1
    EUI64 = 2
    FCPH_NAME = 3
    PORT_RELATIVE = 4
    TARGET_PORT_GROUP = 5
    LOGICAL_UNIT_GROUP = 6
    MD5_LOGICAL_UNIT = 7
    SCSI_NAME_STRING = 8


class Association(Enum):
    """What a page-83 identifier names (STORAGE_ASSOCIATION_TYPE)."""

    DEVICE = 0
    PORT = 1
    TARGET = 2


@dataclass(frozen=True, slots=True)
class StorageIdentifier:
    """One descriptor of a disk's device identification page (SPC-4, vital product data page 83h)."""

    code_set: CodeSet
    type: IdentifierType
    association: Association
    identifier: bytes


@dataclass(frozen=True, slots=True)
class StorageDevice:
    """What the disk driver says of a disk: its number and its page-83 descriptors, in the page's order.

    IOCTL_STORAGE_GET_DEVICE_NUMBER and IOCTL_STORAGE_QUERY_PROPERTY (StorageDeviceIdProperty).
    """

    number: int
    identifiers: tuple[StorageIdentifier, ...]


class Win32(Protocol):
    """What the storage logic asks of Windows' file and volume calls.  Safe to use from several threads."""

    def open_root(self, path: str) -> Directory:
        r"""Open a configured prefix (``C:\var\lib\kubelet``).  Links are followed: it is the operator's."""
        ...

    def open_child(self, parent: Directory, name: str) -> Directory:
        """Open a directory below another.  A reparse point is 4395, a file 267."""
        ...

    def open_mounted(self, parent: Directory, name: str) -> Directory:
        """Open the root of the volume mounted at ``name``, for reading.  Not a mount point: 4390."""
        ...

    def entry(self, parent: Directory, name: str) -> Entry:
        """What ``name`` is.  The name in the reply is spelt as it is on disk."""
        ...

    def entries(self, directory: Directory) -> list[Entry]:
        """All names in a directory, without ``.`` and ``..``."""
        ...

    def create_directory(self, parent: Directory, name: str) -> None:
        """Make one empty directory that inherits its parent's access control list."""
        ...

    def remove(self, parent: Directory, name: str, kind: EntryKind) -> None:
        """Remove a name that still is of ``kind``: an empty directory, a file, or a reparse point itself.

        What a link or mount point leads to is never touched.  Another kind by now: 4395 for a reparse
        point where none was expected, 4390 for none where one was, 267 for a file where a directory was.
        """
        ...

    def set_link(self, parent: Directory, name: str, target: str, *, replace: bool) -> None:
        """Make ``name`` a symbolic link of the directory kind, in one step: whole or not at all.

        With ``replace`` an empty directory of that name becomes the link; else any existing name is 183.
        """
        ...

    def set_mount_point(self, parent: Directory, name: str, volume: str) -> None:
        r"""Mount a volume (``\\?\Volume{guid}\``) at an empty directory.

        145 when it is not empty or a mount point already, 4390 family and 1168 as the volume manager says.
        SetVolumeMountPointW: https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-setvolumemountpointw
        """
        ...

    def delete_mount_point(self, parent: Directory, name: str, volume: str) -> None:
        """Unmount at ``name``, which stays as an empty directory.  Not a mount point of that volume: 4390."""
        ...

    def mount_points(self, volume: str) -> list[str]:
        r"""The directories (``C:\…`` without a last backslash) where a volume is mounted.

        Also answers for a volume that has vanished, whose mount points dangle.
        """
        ...

    def final_path(self, directory: Directory) -> str:
        r"""Where an open directory is now, as ``C:\…`` or ``\\?\Volume{guid}\…``, no last backslash."""
        ...

    def storage_device(self, path: str) -> StorageDevice:
        """Ask the driver of the disk whose MSFT_Disk.Path this is."""
        ...

    def mutex(self, name: str, seconds: float) -> AbstractContextManager[None]:
        """Hold a lock that all proxies of this node share, from entering the context to leaving it.

        ``seconds`` bounds the wait: then WAIT_TIMEOUT (258).  The death of a holder frees it.
        """
        ...

    def remember(self, mark: str) -> None:
        """Leave a mark that outlives every proxy of the node (a registry value on Windows); twice is once."""
        ...

    def remembers(self, mark: str) -> bool:
        """Whether a proxy of this node, maybe one that died, left that mark."""
        ...

    def forget(self, mark: str) -> None:
        """Take a mark away; one that is not there is fine."""
        ...

    def marks(self, beginning: str) -> list[str]:
        """Every mark that was left and not taken away and begins with a text, in no order."""
        ...
