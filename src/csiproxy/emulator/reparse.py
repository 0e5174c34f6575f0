r"""The node's half of the namespace: links and mount points, which lead elsewhere.

They are relative symbolic links of the host, so that any process can read and write through them; what they
are to Windows stands in :class:`~csiproxy.emulator.links.LinkTable`.  Every change goes through a temporary
name that was noted beforehand, and the table knows a link before it has its final name: a kill at any
instant leaves neither a link that nobody knows nor a name that nobody clears away.
"""

import errno
import os
import secrets
import stat
import threading
from collections.abc import Sequence

from csiproxy.emulator import hostdir, places
from csiproxy.emulator.exchange import Exchange, Identity
from csiproxy.emulator.hostdir import REPARSE_TAG_MISMATCH, windows_errors
from csiproxy.emulator.hostmap import (
    HostMap,
    ShareDirectories,
    VolumeDirectories,
    Where,
    destination,
)
from csiproxy.emulator.links import Change, Link, LinkTable
from csiproxy.emulator.namespace import MountedDirectory
from csiproxy.emulator.places import Places
from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host import paths
from csiproxy.host.win32 import Entry, EntryKind, StorageDevice

SET_LINK = "CreateSymbolicLinkW"
SET_MOUNT_POINT = "SetVolumeMountPointW"
DELETE_MOUNT_POINT = "DeleteVolumeMountPointW"
MOUNT_POINTS = "GetVolumePathNamesForVolumeNameW"
FINAL_PATH = "GetFinalPathNameByHandleW"
REMOVE = "RemoveDirectoryW"
OPEN = "CreateFileW"

# The name, or a directory on the way to it, is not there or is something else by now.
_NO_WAY_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


class Namespace:
    """The namespace of one node, in its own process.  Safe to use from several threads."""

    def __init__(
        self,
        table: LinkTable,
        volumes: VolumeDirectories,
        where: Places,
        exchange: Exchange | None = None,
        shares: ShareDirectories | None = None,
    ) -> None:
        self._table = table
        self._volumes = volumes
        self._places = where
        self._map = HostMap(where, volumes, shares)
        self._exchange = exchange or Exchange()
        # Changes of links come one at a time.  The lock is held around calls to the disks, so no code of
        # theirs may call a changing method from within a lock of their own; mount_points takes none.
        self._lock = threading.RLock()

    # --- questions

    def places(self) -> Places:
        """Where drives and locks are."""
        return self._places

    def storage_device(self, path: str) -> StorageDevice:
        """The disk whose MSFT_Disk.Path this is."""
        return self._volumes.storage_device(path)

    def describe(self, directory: int, names: Sequence[str]) -> list[Entry]:
        """What host names are; names that are not there are left out."""
        where = self._locate_if_placed(directory)
        found = []
        for name in names:
            try:
                kind, link = self._look(directory, name, where)
            except Win32Error as error:
                if error.windows_code != WindowsCode.FILE_NOT_FOUND:
                    raise
            else:
                found.append(Entry(name, kind, link.target if link is not None else ""))
        return found

    def mounted(self, directory: int, name: str) -> MountedDirectory:
        """Where the files of the volume mounted at ``name`` are; not a mount point is 4390."""
        where = self._map.locate(directory, OPEN)
        kind, link = self._look(directory, name, where)
        if link is None or kind is not EntryKind.MOUNT_POINT:
            raise Win32Error(WindowsCode.NOT_A_REPARSE_POINT, OPEN, "the name is not a mount point")
        path = os.path.realpath(self._volumes.volume_directory(link.target))
        if destination(where.host, link.text) != path:
            raise Win32Error(
                WindowsCode.FILE_NOT_FOUND,
                OPEN,
                "the mount point leads to where the volume's image was before: unmount it and mount it again",
            )
        with windows_errors(OPEN):
            return MountedDirectory(path, *hostdir.identity(os.stat(path, follow_symlinks=False)))

    def mount_points(self, volume: str) -> list[str]:
        """The directories where a volume is mounted, whether or not it still exists."""
        volume = paths.canonical_volume(volume, MOUNT_POINTS)
        return [link.place for link in self._table.mounted(volume) if self._is_in_place(link)]

    def final_path(self, directory: int) -> str:
        r"""Where an open directory is, as ``C:\…`` or ``\\?\Volume{guid}\…``; elsewhere is 5."""
        return self._map.locate(directory, FINAL_PATH).windows

    # --- changes

    def set_link(
        self,
        directory: int,
        name: str,
        target: str,
        replace: bool,
        kind: EntryKind = EntryKind.SYMBOLIC_LINK,
    ) -> None:
        """Make a symbolic link, or a junction, in one step."""
        with self._lock:
            where = self._map.locate(directory, SET_LINK)
            text = self._map.link_text(where.host, target, SET_LINK)
            existing = hostdir.find(directory, name, SET_LINK)
            if existing is not None:
                if not replace or self._look(directory, existing, where)[0] is not EntryKind.DIRECTORY:
                    raise Win32Error(WindowsCode.ALREADY_EXISTS, SET_LINK, "the name exists already")
                _require_empty(directory, existing, SET_LINK)
            self._make(
                directory, where, existing or name, (kind, target, text), existing is not None, SET_LINK
            )

    def set_mount_point(self, directory: int, name: str, volume: str) -> None:
        """Turn an empty directory into a mount point of a volume."""
        call = SET_MOUNT_POINT
        volume = paths.canonical_volume(volume, call)
        with self._lock:
            root = os.path.realpath(self._volumes.volume_directory(volume))
            where = self._map.locate(directory, call)
            existing = hostdir.spelling(directory, name, call)
            kind, _ = self._look(directory, existing, where)
            if kind is EntryKind.MOUNT_POINT:
                raise Win32Error(WindowsCode.DIR_NOT_EMPTY, call, "a volume is mounted there already")
            if kind is not EntryKind.DIRECTORY:
                raise hostdir.not_a_directory(directory, existing, call)
            _require_empty(directory, existing, call)
            text = os.path.relpath(root, where.host)
            self._make(directory, where, existing, (EntryKind.MOUNT_POINT, volume, text), True, call)

    def delete_mount_point(self, directory: int, name: str, volume: str) -> None:
        """Turn a mount point of a volume back into an empty directory."""
        call = DELETE_MOUNT_POINT
        volume = paths.canonical_volume(volume, call)
        with self._lock:
            where = self._map.locate(directory, call)
            existing = hostdir.spelling(directory, name, call)
            kind, link = self._look(directory, existing, where)
            if link is None or kind is not EntryKind.MOUNT_POINT or link.target != volume:
                raise Win32Error(
                    WindowsCode.NOT_A_REPARSE_POINT, call, "the name is not a mount point of that volume"
                )
            change = Change(_temporary_name(), where.windows, existing, makes_link=False)
            self._table.begin(change)
            with windows_errors(call):
                os.mkdir(change.temporary, 0o755, dir_fd=directory)
                try:
                    self._exchange.link_to_directory(directory, change.temporary, existing, link.file)
                finally:
                    self._exchange.recover(directory, change.temporary, existing, makes_link=False)
            self._table.over(change.temporary)
            self._table.forget(link.file)

    def remove_link(self, directory: int, name: str, kind: EntryKind) -> None:
        """Remove a link or mount point that still is of ``kind``; what it leads to is not touched."""
        with self._lock:
            now, link = self._look(directory, name, self._locate_if_placed(directory))
            if now is not kind:
                code = REPARSE_TAG_MISMATCH if now.is_reparse_point else WindowsCode.NOT_A_REPARSE_POINT
                raise Win32Error(code, REMOVE, f"the name is a {now.value} by now")
            with windows_errors(REMOVE):
                os.unlink(name, dir_fd=directory)
            if link is not None:
                self._table.forget(link.file)

    # --- the node's own life

    def recover(self) -> None:
        """Make table and host agree after a start: end interrupted changes, drop rows of links that are gone.

        A link that has kept its place and text but not its file number is known again: the state was
        copied, or the host numbers its disks anew.
        """
        for change in self._table.interrupted():
            self._end(change)
        gone: list[Identity] = []
        renumbered: list[tuple[Link, Identity]] = []
        for link in self._table.all():
            try:
                with self._map.parent_of(link.place) as found:
                    if found is None:
                        continue  # on a volume that is not here now
                    directory, name = found
                    file = hostdir.identity(hostdir.status(directory, name))
                    text = os.readlink(name, dir_fd=directory)
            except OSError:
                gone.append(link.file)
                continue
            if text != link.text:
                gone.append(link.file)
            elif file != link.file:
                renumbered.append((link, file))
        # First what is gone: its number may be another link's by now.
        if gone:
            self._table.forget(*gone)
        if renumbered:
            self._table.renumber(renumbered)

    def forget_links(self) -> None:
        """Remove every link and mount point that is where it was made, and all knowledge of links."""
        with self._lock:
            known = self._table.all()
            for link in known:
                self._take_away(link)
            self._table.forget(*(link.file for link in known))

    # --- steps

    def _make(
        self,
        directory: int,
        where: Where,
        name: str,
        what: tuple[EntryKind, str, str],
        replace: bool,
        call: str,
    ) -> None:
        """Make a link (its kind, target and text) under a temporary name, record it, then name it."""
        kind, target, text = what
        self._table.look_through(self._is_gone)
        change = Change(_temporary_name(), where.windows, name, makes_link=True)
        self._table.begin(change)
        with windows_errors(call):
            os.symlink(text, change.temporary, dir_fd=directory)
            file = hostdir.identity(hostdir.status(directory, change.temporary))
            try:
                self._table.remember(Link(file, text, kind, target, places.join(where.windows, [name])))
                if replace:
                    self._exchange.directory_to_link(directory, change.temporary, name, file)
                else:
                    self._exchange.place_link(directory, change.temporary, name)
            except BaseException:
                self._exchange.recover(directory, change.temporary, name, makes_link=True)
                self._table.forget(file)
                raise
        self._table.over(change.temporary)

    def _end(self, change: Change) -> None:
        """End a change that an earlier process was killed in; one whose directory is gone waits."""
        path = self._map.host_path(change.directory)
        if path is None:
            return
        try:
            directory = os.open(path, hostdir.OPEN_IF_NO_LINK)
        except OSError:
            return
        try:
            done = self._exchange.recover(
                directory, change.temporary, change.name, makes_link=change.makes_link
            )
        finally:
            os.close(directory)
        if done:
            self._table.over(change.temporary)

    def _look(self, directory: int, name: str, where: Where | None) -> tuple[EntryKind, Link | None]:
        """What a host name is; for a link that the table knows, which.  A missing name is error 2."""
        with windows_errors(OPEN):
            found = hostdir.status(directory, name)
            kind = hostdir.kind_of(found.st_mode)
            if where is None or not stat.S_ISLNK(found.st_mode):
                return kind, None
            link = self._table.find(hostdir.identity(found), os.readlink(name, dir_fd=directory))
        if link is None:
            return kind, None
        place = places.join(where.windows, [name])
        if place != link.place:
            # The link was moved, or a planted one with its text got its file number.  It is what the table
            # says only if it still leads to the same place of the host.
            was = self._map.host_path(link.place)
            if was is None or destination(os.path.dirname(was), link.text) != destination(
                where.host, link.text
            ):
                return kind, None
            self._table.moved(link, place)
        return link.kind, link

    def _locate_if_placed(self, directory: int) -> Where | None:
        """Where a directory is; None when Windows has no path for it, so that no link in it is known."""
        try:
            return self._map.locate(directory, OPEN)
        except Win32Error as error:
            if error.windows_code in (WindowsCode.ACCESS_DENIED, WindowsCode.INVALID_NAME):
                return None
            raise

    def _is_in_place(self, link: Link) -> bool:
        try:
            with self._map.parent_of(link.place) as found:
                return found is not None and hostdir.identity(hostdir.status(*found)) == link.file
        except OSError:
            return False

    def _is_gone(self, link: Link) -> bool:
        """Whether a link is not where it was made, as far as that can be seen: its volume is here."""
        try:
            with self._map.parent_of(link.place) as found:
                return found is not None and hostdir.identity(hostdir.status(*found)) != link.file
        except OSError as error:
            return error.errno in _NO_WAY_THERE

    def _take_away(self, link: Link) -> None:
        """Remove a link if it is where it was made."""
        if not self._is_in_place(link):
            return
        with windows_errors(REMOVE), self._map.parent_of(link.place) as found:
            if found is not None:
                directory, name = found
                os.unlink(name, dir_fd=directory)


def _require_empty(directory: int, name: str, call: str) -> None:
    """A quick answer for the usual case; the exchange decides."""
    with windows_errors(call):
        inside = hostdir.open_below(directory, name)
        try:
            filled = os.listdir(inside)
        finally:
            os.close(inside)
    if filled:
        raise Win32Error(WindowsCode.DIR_NOT_EMPTY, call, "the directory is not empty")


def _temporary_name() -> str:
    return f".csi-proxy-{secrets.token_hex(8)}"
