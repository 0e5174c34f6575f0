"""What is open, and what it is: handles as the Win32 half of the port uses them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host import paths
from csiproxy.host.names import same_name
from csiproxy.host.win32 import Directory, Entry, EntryKind
from csiproxy.windows import directory_listing, nt, reparse_data
from csiproxy.windows.directory_listing import Listed
from csiproxy.windows.file_calls import NO_HANDLE, FileCalls
from csiproxy.windows.reparse_data import ReparsePoint

OPEN = "NtCreateFile"
LIST = "GetFileInformationByHandleEx"

LOOK = nt.FILE_LIST_DIRECTORY | nt.FILE_TRAVERSE | nt.FILE_READ_ATTRIBUTES
ITSELF = nt.FILE_OPEN_REPARSE_POINT
# Short names, which some volumes make up for long ones (PROGRA~1), are second names of the same thing.
_SHORT = "~"


class OpenDirectory:
    """A directory by its handle, and the one that it was opened below.  A leaked one is closed in the end."""

    def __init__(self, calls: FileCalls, handle: int, above: "OpenDirectory | None" = None) -> None:
        self._calls = calls
        self._handle = handle
        self.above = above

    @property
    def handle(self) -> int:
        """The handle; after :meth:`close` ERROR_INVALID_HANDLE (6)."""
        if self._handle == NO_HANDLE:
            raise Win32Error(WindowsCode.INVALID_HANDLE, OPEN, "the directory was closed")
        return self._handle

    def close(self) -> None:
        """Close it; once more does nothing."""
        handle, self._handle = self._handle, NO_HANDLE
        if handle != NO_HANDLE:
            self._calls.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


def opened(directory: Directory) -> OpenDirectory:
    """The directory, which must be one of this host: else ERROR_INVALID_HANDLE (6)."""
    if not isinstance(directory, OpenDirectory):
        raise Win32Error(WindowsCode.INVALID_HANDLE, OPEN, "the directory belongs to another host")
    return directory


class Handles:
    """Opens names below open directories, and tells what is there.  Nothing is followed unless it says so."""

    def __init__(self, calls: FileCalls) -> None:
        self._calls = calls

    def follow(self, path: str) -> OpenDirectory:
        """Open a directory by its path; links on the way and at the end are followed."""
        handle = self._calls.open(
            NO_HANDLE, reparse_data.to_nt(path), LOOK, nt.SHARE_ALL, nt.FILE_OPEN, nt.FILE_DIRECTORY_FILE
        )
        return OpenDirectory(self._calls, handle)

    def child(self, parent: OpenDirectory, name: str) -> OpenDirectory:
        """Open a directory below another.  A reparse point is 4395, a file 267."""
        directory = OpenDirectory(self._calls, self._named(parent.handle, name, LOOK), parent)
        try:
            kind = self.kind(directory.handle).kind
            if kind is EntryKind.FILE:
                raise Win32Error(WindowsCode.DIRECTORY, OPEN, "the name is a file")
            if kind is not EntryKind.DIRECTORY:
                raise Win32Error(WindowsCode.REPARSE_POINT_ENCOUNTERED, OPEN, f"the name is a {kind.value}")
        except BaseException:
            directory.close()
            raise
        return directory

    @contextmanager
    def named(self, parent: OpenDirectory, name: str, access: int) -> Iterator[int]:
        """Have a name itself open, whatever it is.

        A name that Windows cannot have, and a short name, is 123: a second name would be a way around what
        is decided by names.
        """
        handle = self._named(parent.handle, name, access)
        try:
            yield handle
        finally:
            self._calls.close(handle)

    @contextmanager
    def again(self, directory: OpenDirectory, share: int = nt.SHARE_ALL) -> Iterator[int]:
        """Have an open directory open once more."""
        handle = self._calls.open(
            directory.handle, "", LOOK, share, nt.FILE_OPEN, nt.FILE_DIRECTORY_FILE | ITSELF
        )
        try:
            yield handle
        finally:
            self._calls.close(handle)

    def kind(self, handle: int) -> ReparsePoint:
        """What an open thing is, and what it leads to."""
        standing = self._calls.standing(handle)
        if not standing.attributes & nt.FILE_ATTRIBUTE_REPARSE_POINT:
            return ReparsePoint(_plain(standing.attributes), "")
        if standing.tag not in (nt.IO_REPARSE_TAG_SYMLINK, nt.IO_REPARSE_TAG_MOUNT_POINT):
            return ReparsePoint(EntryKind.OTHER_REPARSE_POINT, "")
        room = nt.MAXIMUM_REPARSE_DATA_BUFFER_SIZE
        return reparse_data.read(self._calls.control(handle, nt.FSCTL_GET_REPARSE_POINT, b"", room))

    def entry(self, parent: OpenDirectory, name: str) -> Entry:
        """What a name is, spelt as it is on disk."""
        with self.named(parent, name, nt.FILE_READ_ATTRIBUTES) as handle:
            found = self.kind(handle)
            return Entry(self.spelling(handle), found.kind, found.target)

    def entries(self, directory: OpenDirectory) -> list[Entry]:
        """All names in a directory."""
        found = []
        with self.again(directory) as handle:
            for listed in self._listed(handle):
                if not listed.tag:
                    found.append(Entry(listed.name, _plain(listed.attributes)))
                elif (entry := self._listed_reparse_point(handle, listed.name)) is not None:
                    found.append(entry)
        return found

    def demand_long(self, handle: int, name: str) -> None:
        """Refuse (123) a short name that led to an open thing."""
        if _SHORT in name and not same_name(self.spelling(handle), name):
            raise Win32Error(WindowsCode.INVALID_NAME, OPEN, "it is a short name; use the long one")

    def spelling(self, handle: int) -> str:
        """The name of an open thing as it is on disk."""
        return self._calls.final_path(handle, nt.VOLUME_NAME_NONE).rpartition("\\")[2]

    # --- steps

    def _named(self, parent: int, name: str, access: int) -> int:
        paths.check_name(name, OPEN)
        handle = self._calls.open(parent, name, access, nt.SHARE_ALL, nt.FILE_OPEN, ITSELF)
        try:
            self.demand_long(handle, name)
        except BaseException:
            self._calls.close(handle)
            raise
        return handle

    def _listed(self, handle: int) -> Iterator[Listed]:
        try:
            while data := self._calls.listing(handle):
                yield from directory_listing.read(data)
        except directory_listing.BrokenListing as error:
            raise Win32Error(WindowsCode.FILE_CORRUPT, LIST, str(error)) from error

    def _listed_reparse_point(self, directory: int, name: str) -> Entry | None:
        """What a name that was listed leads to; None when it has gone meanwhile."""
        try:
            handle = self._calls.open(
                directory, name, nt.FILE_READ_ATTRIBUTES, nt.SHARE_ALL, nt.FILE_OPEN, ITSELF
            )
        except Win32Error as error:
            if error.windows_code != WindowsCode.FILE_NOT_FOUND:
                raise
            return None
        try:
            found = self.kind(handle)
        finally:
            self._calls.close(handle)
        return Entry(name, found.kind, found.target)


def _plain(attributes: int) -> EntryKind:
    return EntryKind.DIRECTORY if attributes & nt.FILE_ATTRIBUTE_DIRECTORY else EntryKind.FILE
