r"""The Win32 half of the port on a directory of the host.

Directories are file descriptors of this process, so a question about a path costs no round trip; only what
a link is and where a volume's files are is asked of the node.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Self

from csiproxy.emulator import hostdir, locks, marks, names, places
from csiproxy.emulator.hostdir import INVALID_DRIVE, windows_errors
from csiproxy.emulator.namespace import NodeNamespace
from csiproxy.emulator.prefixes import Prefixes
from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host import paths
from csiproxy.host.win32 import Directory, Entry, EntryKind, StorageDevice

OPEN = "CreateFileW"
OPEN_CHILD = "NtCreateFile"
CREATE = "CreateDirectoryW"
LIST = "FindFirstFileW"
REMOVE_DIRECTORY = "RemoveDirectoryW"
REMOVE_FILE = "DeleteFileW"
FINAL_PATH = "GetFinalPathNameByHandleW"

# How many links are asked of the node at once.
LINKS_AT_ONCE = 256


class OpenDirectory:
    """A directory of the host, held open by descriptor.  A leaked one is closed when it is collected.

    ``volume`` is the host directory of the mounted volume that it was reached through; "" on a drive.
    """

    def __init__(self, descriptor: int, volume: str = "") -> None:
        self._descriptor = descriptor
        self.volume = volume

    @property
    def descriptor(self) -> int:
        """The descriptor; after :meth:`close` ERROR_INVALID_HANDLE (6)."""
        if self._descriptor < 0:
            raise Win32Error(WindowsCode.INVALID_HANDLE, OPEN_CHILD, "the directory was closed")
        return self._descriptor

    def close(self) -> None:
        """Close it; once more does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


class EmulatedWin32:
    """:class:`csiproxy.host.win32.Win32` on an emulated node.  Safe to use from several threads."""

    def __init__(self, node: NodeNamespace) -> None:
        self._node = node
        self._prefixes = Prefixes()

    # --- opening

    def open_root(self, path: str) -> Directory:
        """Open a configured prefix; links in it are followed.

        Without it error 2, without a parent or the drive 3, and 15 for the root of a drive that is not there.
        """
        drive, parts = paths.split(path, OPEN)
        root = self._node.places().drives.get(drive)
        if root is None:
            raise Win32Error(
                WindowsCode.PATH_NOT_FOUND if parts else INVALID_DRIVE,
                OPEN,
                f"the node has no drive {drive}:",
            )
        return OpenDirectory(self._prefixes.open(root, parts, OPEN))

    def open_child(self, parent: Directory, name: str) -> Directory:
        """Open a directory below another.  A reparse point is 4395, a file 267."""
        directory = _descriptor(parent)
        found = hostdir.spelling(directory, name, OPEN_CHILD)
        try:
            return OpenDirectory(hostdir.open_below(directory, found), _volume_of(parent))
        except OSError as error:
            if hostdir.is_not_a_directory(error):
                raise hostdir.not_a_directory(directory, found, OPEN_CHILD) from error
            raise hostdir.failure(error, OPEN_CHILD) from error

    def open_mounted(self, parent: Directory, name: str) -> Directory:
        """Open the root of the volume mounted at ``name``.

        4390 when it is no mount point; 1168, 21, 1005 as the volume is gone, offline or not formatted; 2 when
        its image was moved.
        """
        directory = _descriptor(parent)
        mounted = self._node.mounted(directory, hostdir.spelling(directory, name, OPEN))
        with windows_errors(OPEN):
            root = OpenDirectory(os.open(mounted.directory, hostdir.OPEN_IF_NO_LINK), mounted.directory)
            if hostdir.identity(os.fstat(root.descriptor)) != (mounted.device, mounted.inode):
                root.close()
                raise Win32Error(WindowsCode.FILE_NOT_FOUND, OPEN, "the volume's files were moved meanwhile")
        return root

    # --- questions

    def entry(self, parent: Directory, name: str) -> Entry:
        """What ``name`` is.  Pipes, sockets, devices and planted links are other reparse points."""
        directory = _descriptor(parent)
        found = hostdir.spelling(directory, name, OPEN)
        try:
            mode = hostdir.status(directory, found).st_mode
        except OSError as error:
            raise hostdir.failure(error, OPEN) from error
        if not stat.S_ISLNK(mode):
            return Entry(found, hostdir.kind_of(mode))
        entries = self._node.describe(directory, (found,))
        if not entries:
            raise Win32Error(WindowsCode.FILE_NOT_FOUND, OPEN, "the name does not exist")
        return entries[0]

    def entries(self, directory: Directory) -> list[Entry]:
        """All names in a directory, sorted.  A name that is not Unicode text is ERROR_INVALID_NAME (123)."""
        descriptor = _descriptor(directory)
        found: list[Entry] = []
        links: list[str] = []
        with windows_errors(LIST):
            for name in hostdir.listing(descriptor):
                if not names.is_text(name):
                    raise Win32Error(
                        WindowsCode.INVALID_NAME,
                        LIST,
                        f"the host's directory holds {name!a}, which is not UTF-8",
                    )
                try:
                    mode = hostdir.status(descriptor, name).st_mode
                except FileNotFoundError:
                    continue
                if stat.S_ISLNK(mode):
                    links.append(name)
                else:
                    found.append(Entry(name, hostdir.kind_of(mode)))
        for start in range(0, len(links), LINKS_AT_ONCE):
            found += self._node.describe(descriptor, links[start : start + LINKS_AT_ONCE])
        return sorted(found, key=lambda entry: entry.name)

    def final_path(self, directory: Directory) -> str:
        r"""Where an open directory is now.  On no drive and no volume: 5; removed: 2; volume gone: 21."""
        descriptor = _descriptor(directory)
        host = hostdir.location(descriptor, FINAL_PATH)
        path = places.windows_path(host, self._node.places().roots, FINAL_PATH)
        if path is not None:
            return path
        try:
            return self._node.final_path(descriptor)
        except Win32Error as error:
            volume = _volume_of(directory)
            moved = not volume or (host != volume and not host.startswith(volume + "/"))
            if error.windows_code != WindowsCode.ACCESS_DENIED or moved:
                raise
            # NTFS: STATUS_VOLUME_DISMOUNTED for whoever has something on it open.
            raise Win32Error(WindowsCode.NOT_READY, FINAL_PATH, "the volume has gone meanwhile") from error

    def mount_points(self, volume: str) -> list[str]:
        """The directories where a volume is mounted, as far as they still are where they were made."""
        return self._node.mount_points(volume)

    def storage_device(self, path: str) -> StorageDevice:
        """Ask the driver of the disk whose MSFT_Disk.Path this is."""
        return self._node.storage_device(path)

    # --- changes

    def create_directory(self, parent: Directory, name: str) -> None:
        """Make one empty directory.  A name that NTFS would hold equal to one that exists is 183 too."""
        directory = _descriptor(parent)
        exists = Win32Error(WindowsCode.ALREADY_EXISTS, CREATE, "the name exists already")
        if hostdir.find(directory, name, CREATE) is not None:
            raise exists
        with _parent_may_be_gone(CREATE):
            os.mkdir(name, 0o755, dir_fd=directory)
        try:
            hostdir.find(directory, name, CREATE)
        except Win32Error as error:
            if error.windows_code != WindowsCode.FILE_CORRUPT:
                raise
            # Somebody made an equal name at the same time.  Both cannot stay; ours, if empty still, goes.
            with windows_errors(CREATE):
                os.rmdir(name, dir_fd=directory)
            raise exists from None

    def remove(self, parent: Directory, name: str, kind: EntryKind) -> None:
        """Remove a name that still is of ``kind``, never what it leads to."""
        directory = _descriptor(parent)
        if kind is EntryKind.DIRECTORY:
            self._remove_directory(directory, hostdir.spelling(directory, name, REMOVE_DIRECTORY))
        elif kind is EntryKind.FILE:
            self._remove_file(directory, hostdir.spelling(directory, name, REMOVE_FILE))
        else:
            self._node.remove_link(directory, hostdir.spelling(directory, name, REMOVE_DIRECTORY), kind)

    def set_link(self, parent: Directory, name: str, target: str, *, replace: bool) -> None:
        """Make a symbolic link; with ``replace`` of an empty directory (145 when it is not empty)."""
        self._node.set_link(_descriptor(parent), name, target, replace)

    def set_mount_point(self, parent: Directory, name: str, volume: str) -> None:
        """Mount a volume at an empty directory."""
        self._node.set_mount_point(_descriptor(parent), name, volume)

    def delete_mount_point(self, parent: Directory, name: str, volume: str) -> None:
        """Unmount at ``name``, which stays as an empty directory."""
        self._node.delete_mount_point(_descriptor(parent), name, volume)

    def mutex(self, name: str, seconds: float) -> AbstractContextManager[None]:
        """Hold a lock that all proxies of this node share."""
        return locks.held(self._node.places().locks, name, seconds)

    def remember(self, mark: str) -> None:
        """Leave a mark that outlives every proxy of this node."""
        with windows_errors("remember"):
            marks.put(self._node.places().locks, mark)

    def remembers(self, mark: str) -> bool:
        """Whether a proxy of this node left that mark."""
        return marks.is_there(self._node.places().locks, mark)

    def forget(self, mark: str) -> None:
        """Take a mark away."""
        with windows_errors("forget"):
            marks.take(self._node.places().locks, mark)

    def marks(self, beginning: str) -> list[str]:
        """Every mark that begins with a text."""
        with windows_errors("marks"):
            return [mark for mark in marks.all_of(self._node.places().locks) if mark.startswith(beginning)]

    # --- steps

    @staticmethod
    def _remove_directory(directory: int, name: str) -> None:
        try:
            os.rmdir(name, dir_fd=directory)  # the host's rmdir removes nothing but an empty directory
        except OSError as error:
            if hostdir.is_not_a_directory(error):
                raise hostdir.not_a_directory(directory, name, REMOVE_DIRECTORY) from error
            raise hostdir.failure(error, REMOVE_DIRECTORY) from error

    @staticmethod
    def _remove_file(directory: int, name: str) -> None:
        with windows_errors(REMOVE_FILE):
            mode = hostdir.status(directory, name).st_mode
            if stat.S_ISDIR(mode):
                raise Win32Error(WindowsCode.ACCESS_DENIED, REMOVE_FILE, "the name is a directory by now")
            if not stat.S_ISREG(mode):
                raise Win32Error(
                    WindowsCode.REPARSE_POINT_ENCOUNTERED, REMOVE_FILE, "the name is a reparse point by now"
                )
            # Whoever puts a link here after the check loses that link: unlink follows nothing.
            os.unlink(name, dir_fd=directory)


def _volume_of(directory: Directory) -> str:
    return directory.volume if isinstance(directory, OpenDirectory) else ""


def _descriptor(directory: Directory) -> int:
    if not isinstance(directory, OpenDirectory):
        raise Win32Error(WindowsCode.INVALID_HANDLE, OPEN_CHILD, "the directory belongs to another host")
    return directory.descriptor


@contextmanager
def _parent_may_be_gone(call: str) -> Iterator[None]:
    """An open parent that was removed meanwhile is ERROR_PATH_NOT_FOUND (3), not a missing name."""
    try:
        with windows_errors(call):
            yield
    except Win32Error as error:
        if error.windows_code == WindowsCode.FILE_NOT_FOUND:
            raise Win32Error(WindowsCode.PATH_NOT_FOUND, call, "the parent was removed meanwhile") from error
        raise
