"""Mount points of volumes, which Windows makes and removes by a path whatever one does.

While it does, every directory from the prefix to the parent is held open so that none can be renamed or
removed, and what came of it is then looked at through a handle.
https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-setvolumemountpointw
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Protocol

from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.paths import canonical_volume
from csiproxy.host.win32 import EntryKind
from csiproxy.windows import nt, reparse_data
from csiproxy.windows.file_calls import FileCalls
from csiproxy.windows.handles import OPEN, Handles, OpenDirectory
from csiproxy.windows.reparse_data import ReparsePoint

SET = "SetVolumeMountPointW"
DELETE = "DeleteVolumeMountPointW"
PATHS = "GetVolumePathNamesForVolumeNameW"
_GONE = (WindowsCode.FILE_NOT_FOUND, WindowsCode.PATH_NOT_FOUND)
# How Windows says that it knows no volume of a name.
_NO_VOLUME = (*_GONE, WindowsCode.INVALID_PARAMETER, WindowsCode.NOT_FOUND)
_STROKE = "|"


class Marks(Protocol):
    """Texts that outlive this process; every method raises Win32Error."""

    def put(self, mark: str) -> None:
        """Leave a mark; twice is once."""
        ...

    def is_there(self, mark: str) -> bool:
        """Whether it was left."""
        ...

    def take(self, mark: str) -> None:
        """Take it away; one that is not there is fine."""
        ...

    def all(self) -> list[str]:
        """Every mark, in no order."""
        ...


class MountPoints:
    """Makes, removes and finds mount points.

    The volume manager forgets where a volume was mounted that has gone, while its mount points stay.  So each
    that is made here is noted in ``marks``.  ``where`` is the path of an open directory.
    """

    def __init__(
        self, calls: FileCalls, handles: Handles, marks: Marks, where: Callable[[OpenDirectory], str]
    ) -> None:
        self._calls = calls
        self._handles = handles
        self._marks = marks
        self._where = where

    def volume_at(self, parent: OpenDirectory, name: str) -> str | None:
        """The volume that is mounted at a name; None when none is."""
        with self._handles.named(parent, name, nt.FILE_READ_ATTRIBUTES) as handle:
            found = self._handles.kind(handle)
        return found.target if found.kind is EntryKind.MOUNT_POINT else None

    def open(self, parent: OpenDirectory, name: str) -> OpenDirectory:
        """Open the root of the volume mounted at a name.  Not a mount point: 4390; the volume gone: 1168."""
        volume = self.volume_at(parent, name)
        if volume is None:
            raise Win32Error(WindowsCode.NOT_A_REPARSE_POINT, OPEN, "the name is not a mount point")
        try:
            return self._handles.follow(volume)
        except Win32Error as error:
            if error.windows_code not in _GONE:
                raise
            raise Win32Error(WindowsCode.NOT_FOUND, OPEN, "the volume has gone") from error

    def set(self, parent: OpenDirectory, name: str, volume: str) -> None:
        """Mount a volume at an empty directory; 145 when it is not empty or a mount point already."""
        volume = canonical_volume(volume, SET)
        with self._held(parent):
            path = self._leaf(parent, name)
            self._marks.put(_mark(volume, path))
            try:
                self._calls.set_mount_point(path + "\\", volume)
            except Win32Error:
                self._marks.take(_mark(volume, path))
                raise
            if self.volume_at(parent, name) != volume:
                # It was made, but not here: the path led elsewhere.
                with suppress(Win32Error):
                    self._calls.delete_mount_point(path + "\\")
                self._marks.take(_mark(volume, path))
                raise Win32Error(
                    WindowsCode.REPARSE_POINT_ENCOUNTERED, SET, "a directory on the way was moved meanwhile"
                )

    def delete(self, parent: OpenDirectory, name: str, volume: str) -> None:
        """Unmount at a name, which stays as an empty directory.  Not a mount point of that volume: 4390."""
        volume = canonical_volume(volume, DELETE)
        with self._held(parent):
            with self._handles.named(parent, name, nt.FILE_READ_ATTRIBUTES) as handle:
                found = self._handles.kind(handle)
                path = self._path(parent, handle)
            if found != ReparsePoint(EntryKind.MOUNT_POINT, volume):
                raise Win32Error(
                    WindowsCode.NOT_A_REPARSE_POINT, DELETE, "the name is not a mount point of that volume"
                )
            # Of a volume that has gone, the volume manager has nothing to delete.
            with suppress(Win32Error):
                self._calls.delete_mount_point(path + "\\")
            if self.volume_at(parent, name) == volume:
                self._clear(parent, name)
        self._marks.take(_mark(volume, path))

    def of(self, volume: str) -> list[str]:
        """The directories where a volume is mounted: what Windows knows, and what was made here."""
        volume = canonical_volume(volume, PATHS)
        try:
            known = self._calls.volume_paths(volume)
        except Win32Error as error:
            if error.windows_code not in _NO_VOLUME:
                raise
            known = []
        found = {path.removesuffix("\\") for path in known}
        for mark in self._marks.all():
            beginning, _, path = mark.partition(_STROKE)
            if beginning == volume and path not in found:
                if self._is_mounted_at(path, volume):
                    found.add(path)
                else:
                    self._marks.take(mark)
        return sorted(path for path in found if not path.endswith(":"))  # a drive is no directory

    # --- steps

    @contextmanager
    def _held(self, directory: OpenDirectory) -> Iterator[None]:
        """Keep the directories down to this one where they are: open, without sharing of deletion."""
        with ExitStack() as held:
            place: OpenDirectory | None = directory
            while place is not None:
                held.enter_context(self._handles.again(place, nt.SHARE_READ | nt.SHARE_WRITE))
                place = place.above
            yield

    def _leaf(self, parent: OpenDirectory, name: str) -> str:
        """The path of a name that is a directory, empty as far as Windows will say."""
        with self._handles.named(parent, name, nt.FILE_READ_ATTRIBUTES) as handle:
            kind = self._handles.kind(handle).kind
            path = self._path(parent, handle)
        if kind is EntryKind.MOUNT_POINT:
            raise Win32Error(WindowsCode.DIR_NOT_EMPTY, SET, "a volume is mounted there already")
        if kind is EntryKind.FILE:
            raise Win32Error(WindowsCode.DIRECTORY, SET, "the name is a file")
        if kind is not EntryKind.DIRECTORY:
            raise Win32Error(WindowsCode.REPARSE_POINT_ENCOUNTERED, SET, f"the name is a {kind.value}")
        return path

    def _path(self, parent: OpenDirectory, handle: int) -> str:
        """The path of what is open in a directory, as it is spelt on disk."""
        return f"{self._where(parent)}\\{self._handles.spelling(handle)}"

    def _clear(self, parent: OpenDirectory, name: str) -> None:
        """Make a mount point a plain directory again; the volume manager is not asked."""
        with self._handles.named(parent, name, nt.FILE_WRITE_ATTRIBUTES) as handle:
            data = reparse_data.without_data(nt.IO_REPARSE_TAG_MOUNT_POINT)
            self._calls.control(handle, nt.FSCTL_DELETE_REPARSE_POINT, data, 0)

    def _is_mounted_at(self, path: str, volume: str) -> bool:
        """Whether a volume is mounted at a path.  Links on the way are followed: nothing is changed."""
        above, _, name = path.rpartition("\\")
        try:
            with self._handles.follow(above + "\\") as parent:
                return self.volume_at(parent, name) == volume
        except Win32Error as error:
            if error.windows_code in (*_GONE, WindowsCode.DIRECTORY, WindowsCode.INVALID_NAME):
                return False
            raise


def _mark(volume: str, path: str) -> str:
    return f"{volume}{_STROKE}{path}"
