r"""The calls of Windows that the Win32 half of the port is made of, and nothing above them.

A handle is a number.  Every method raises :class:`~csiproxy.errors.Win32Error` with Windows' own code, an
NTSTATUS as RtlNtStatusToDosError translates it.
"""

from dataclasses import dataclass
from typing import Protocol

NO_HANDLE = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What an open thing is: its attributes, its reparse tag (0: none), and whether its name has gone."""

    attributes: int
    tag: int
    removed: bool


class FileCalls(Protocol):
    """Safe to use from several threads.  The numbers are those of :mod:`csiproxy.windows.nt`."""

    def open(self, parent: int, name: str, access: int, share: int, disposition: int, options: int) -> int:
        r"""Open or make ``name`` in the open directory ``parent``; "" is that directory again.

        Without a parent (NO_HANDLE) the name is one of the object manager (``\??\C:\x``).
        NtCreateFile, whatever the name's case; reads and writes wait until they are done.
        """
        ...

    def close(self, handle: int) -> None:
        """Give a handle back."""
        ...

    def standing(self, handle: int) -> Standing:
        """FileAttributeTagInfo and FileStandardInfo."""
        ...

    def listing(self, handle: int) -> bytes:
        """The next of a directory's FILE_FULL_DIR_INFORMATION entries, as many as fit; b"" at the end."""
        ...

    def control(self, handle: int, code: int, data: bytes, room: int) -> bytes:
        """DeviceIoControl; what was answered, at most ``room`` bytes, also where there was more (234)."""
        ...

    def delete(self, handle: int) -> None:
        """Let the name go when the handle is closed, or sooner; a directory has to be empty.

        With POSIX semantics where the file system has them: others that have it open do not keep the name.
        """
        ...

    def keep(self, handle: int) -> None:
        """Take back FILE_DELETE_ON_CLOSE (FILE_DISPOSITION_ON_CLOSE)."""
        ...

    def final_path(self, handle: int, form: int) -> str:
        r"""GetFinalPathNameByHandleW: ``\\?\C:\…``, ``\\?\Volume{guid}\…`` or, with no volume, ``\…``."""
        ...

    def set_mount_point(self, directory: str, volume: str) -> None:
        """SetVolumeMountPointW; both end in a backslash."""
        ...

    def delete_mount_point(self, directory: str) -> None:
        """DeleteVolumeMountPointW; the path ends in a backslash."""
        ...

    def volume_paths(self, volume: str) -> list[str]:
        r"""GetVolumePathNamesForVolumeNameW: ``C:\`` and ``C:\mnt\``; an unknown volume is error 2."""
        ...

    def open_device(self, path: str) -> int:
        """CreateFileW of a device for questions alone."""
        ...
