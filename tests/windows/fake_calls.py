"""Windows' file calls on an emulated node's namespace: what the adapter is made of, without Windows.

:mod:`tests.windows.call_promises` holds it against the real calls.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.windows import answers

from csiproxy.errors import Win32Error
from csiproxy.host.win32 import Directory, Entry, EntryKind, StorageDevice, Win32
from csiproxy.windows import nt, reparse_data
from csiproxy.windows.directory_listing import Listed
from csiproxy.windows.file_calls import NO_HANDLE, Standing

ATTRIBUTES = {
    EntryKind.FILE: 0x20,
    EntryKind.DIRECTORY: nt.FILE_ATTRIBUTE_DIRECTORY,
    EntryKind.SYMBOLIC_LINK: nt.FILE_ATTRIBUTE_DIRECTORY | nt.FILE_ATTRIBUTE_REPARSE_POINT,
    EntryKind.JUNCTION: nt.FILE_ATTRIBUTE_DIRECTORY | nt.FILE_ATTRIBUTE_REPARSE_POINT,
    EntryKind.MOUNT_POINT: nt.FILE_ATTRIBUTE_DIRECTORY | nt.FILE_ATTRIBUTE_REPARSE_POINT,
    EntryKind.OTHER_REPARSE_POINT: nt.FILE_ATTRIBUTE_REPARSE_POINT,
}
TAGS = {
    EntryKind.SYMBOLIC_LINK: nt.IO_REPARSE_TAG_SYMLINK,
    EntryKind.JUNCTION: nt.IO_REPARSE_TAG_MOUNT_POINT,
    EntryKind.MOUNT_POINT: nt.IO_REPARSE_TAG_MOUNT_POINT,
    EntryKind.OTHER_REPARSE_POINT: 0xA000_001D,  # what WSL makes
}


@dataclass
class Open:
    """What a handle stands for: an entry of an open directory, or an open directory alone."""

    entry: Entry
    access: int
    share: int
    parent: Directory | None = None
    directory: Directory | None = None
    device: StorageDevice | None = None
    goes_on_close: bool = False
    listed: bool = False


class FakeCalls:
    """:class:`csiproxy.windows.file_calls.FileCalls` on the port of an emulated node.

    ``failing`` maps a call's name to the codes of its next failures; ``opened`` counts what is open.
    """

    def __init__(self, win32: Win32) -> None:
        self._win32 = win32
        self._lock = threading.RLock()
        self._open: dict[int, Open] = {}
        self._next = 4
        self.failing: dict[str, list[int]] = {}

    @property
    def opened(self) -> int:
        return len(self._open)

    # --- FileCalls

    def open(self, parent: int, name: str, access: int, share: int, disposition: int, options: int) -> int:
        self._fail("open")
        if parent == NO_HANDLE:
            return self._opened(self._open_path(name, access, share, disposition, options))
        above = self._at(parent).directory
        if above is None:
            raise Win32Error(267, "NtCreateFile", "not a directory")
        if not name:
            entry = self._at(parent).entry
            return self._opened(Open(entry, access, share, None, above))
        made = self._make(above, name, disposition, options)
        entry = self._win32.entry(above, name)
        directory = self._win32.open_child(above, name) if entry.kind is EntryKind.DIRECTORY else None
        if directory is None and options & nt.FILE_DIRECTORY_FILE and not entry.kind.is_reparse_point:
            raise Win32Error(267, "NtCreateFile", "it is a file")
        goes = made and bool(options & nt.FILE_DELETE_ON_CLOSE)
        return self._opened(Open(entry, access, share, above, directory, goes_on_close=goes))

    def close(self, handle: int) -> None:
        with self._lock:
            found = self._open.pop(handle, None)
            if found is None:
                raise Win32Error(6, "CloseHandle")
            others = any(other.directory is found.directory for other in self._open.values())
            if found.directory is not None and not others:
                found.directory.close()
        if found.goes_on_close and found.parent is not None:
            self._win32.remove(found.parent, found.entry.name, found.entry.kind)

    def standing(self, handle: int) -> Standing:
        found = self._at(handle)
        kind = found.entry.kind
        removed = False
        if found.directory is not None:
            try:
                self._win32.final_path(found.directory)
            except Win32Error as error:
                removed = error.windows_code == 2
        return Standing(ATTRIBUTES[kind], TAGS.get(kind, 0), removed)

    def listing(self, handle: int) -> bytes:
        found = self._at(handle)
        assert found.directory is not None
        if found.listed:
            return b""
        found.listed = True
        own = [Listed(name, nt.FILE_ATTRIBUTE_DIRECTORY, 0) for name in (".", "..")]
        return answers.listing(
            own
            + [
                Listed(entry.name, ATTRIBUTES[entry.kind], TAGS.get(entry.kind, 0))
                for entry in self._win32.entries(found.directory)
            ]
        )

    def control(self, handle: int, code: int, data: bytes, room: int) -> bytes:
        self._fail("control")
        found = self._at(handle)
        if code == nt.FSCTL_GET_REPARSE_POINT:
            return self._reparse_data(found.entry)[:room]
        if code == nt.FSCTL_SET_REPARSE_POINT:
            self._set_reparse_point(found, data)
            return b""
        if code == nt.FSCTL_DELETE_REPARSE_POINT:
            assert found.parent is not None
            self._win32.delete_mount_point(found.parent, found.entry.name, found.entry.target)
            return b""
        assert found.device is not None
        if code == nt.IOCTL_STORAGE_GET_DEVICE_NUMBER:
            return answers.device_number(found.device.number)[:room]
        return answers.device_identifiers(found.device.identifiers)[:room]

    def delete(self, handle: int) -> None:
        found = self._at(handle)
        assert found.parent is not None
        assert found.access & nt.DELETE
        self._win32.remove(found.parent, found.entry.name, found.entry.kind)

    def keep(self, handle: int) -> None:
        self._fail("keep")
        self._at(handle).goes_on_close = False

    def final_path(self, handle: int, form: int) -> str:
        found = self._at(handle)
        if found.directory is not None:
            path = self._win32.final_path(found.directory)
        else:
            assert found.parent is not None
            path = f"{self._win32.final_path(found.parent)}\\{found.entry.name}"
        if path.startswith("\\\\?\\Volume{"):
            root, _, rest = path[4:].partition("\\")
            return self._form(form, "", rest, "\\\\?\\" + root)
        return self._form(form, path[:2], path[3:], r"\\?\Volume{00000000-0000-4000-8000-0000000000c0}")

    def set_mount_point(self, directory: str, volume: str) -> None:
        self._fail("set_mount_point")
        with self._parent(directory) as (parent, name):
            self._refuse_if_exclusive(name)
            self._win32.set_mount_point(parent, name, volume)

    def delete_mount_point(self, directory: str) -> None:
        self._fail("delete_mount_point")
        with self._parent(directory) as (parent, name):
            entry = self._win32.entry(parent, name)
            self._win32.delete_mount_point(parent, name, entry.target)

    def volume_paths(self, volume: str) -> list[str]:
        self._fail("volume_paths")
        places = self._win32.mount_points(volume)
        if not places:
            raise Win32Error(2, "GetVolumePathNamesForVolumeNameW", "no such volume")
        return [path + "\\" for path in places]

    def open_device(self, path: str) -> int:
        device = self._win32.storage_device(path)
        return self._opened(Open(Entry(path, EntryKind.FILE), 0, nt.SHARE_ALL, device=device))

    # --- steps

    def _fail(self, call: str) -> None:
        codes = self.failing.get(call)
        if codes:
            code = codes.pop(0)
            if code:
                raise Win32Error(code, call, "as the test says")

    def _opened(self, found: Open) -> int:
        with self._lock:
            self._next += 4
            self._open[self._next] = found
            return self._next

    def _at(self, handle: int) -> Open:
        with self._lock:
            if handle not in self._open:
                raise Win32Error(6, "NtCreateFile", "no such handle")
            return self._open[handle]

    def _refuse_if_exclusive(self, name: str) -> None:
        with self._lock:
            if any(
                found.share == nt.SHARE_NOTHING and found.entry.name == name for found in self._open.values()
            ):
                raise Win32Error(32, "SetVolumeMountPointW", "somebody has it open")

    def _make(self, above: Directory, name: str, disposition: int, options: int) -> bool:
        if disposition != nt.FILE_CREATE:
            return False
        assert options & nt.FILE_DIRECTORY_FILE
        self._win32.create_directory(above, name)
        return True

    def _open_path(self, name: str, access: int, share: int, disposition: int, options: int) -> Open:
        """What a path of the object manager names; links on the way are followed."""
        assert name.startswith("\\??\\")
        assert disposition == nt.FILE_OPEN
        path = name[4:]
        if path.startswith("Volume{"):
            directory = self._open_volume_path(path)
        else:
            directory = self._win32.open_root(path)
        return Open(Entry("", EntryKind.DIRECTORY), access, share, None, directory)

    def _open_volume_path(self, path: str) -> Directory:
        r"""``Volume{guid}\a\b``: through any of the volume's mount points."""
        root, _, rest = path.partition("\\")
        volume = f"\\\\?\\{root}\\"
        places = self._win32.mount_points(volume)
        if not places:
            raise Win32Error(2, "NtCreateFile", "no such volume")
        above, _, leaf = places[0].rpartition("\\")
        with self._open_any(above) as parent:
            current = self._win32.open_mounted(parent, leaf)
        for part in filter(None, rest.split("\\")):
            with current:
                current = self._win32.open_child(current, part)
        return current

    def _open_any(self, path: str) -> Directory:
        if path.startswith("\\\\?\\"):
            return self._open_volume_path(path[4:])
        return self._win32.open_root(path if path[2:] else path + "\\")

    @contextmanager
    def _parent(self, directory: str) -> Iterator[tuple[Directory, str]]:
        """The directory that a path's last name is in."""
        assert directory.endswith("\\")
        above, _, name = directory[:-1].rpartition("\\")
        with self._open_any(above) as parent:
            yield parent, name

    @staticmethod
    def _reparse_data(entry: Entry) -> bytes:
        if entry.kind is EntryKind.SYMBOLIC_LINK:
            return reparse_data.symbolic_link(entry.target)
        if entry.kind in (EntryKind.MOUNT_POINT, EntryKind.JUNCTION):
            return reparse_data.mount_point(entry.target)
        if entry.kind.is_reparse_point:
            return reparse_data.without_data(TAGS[entry.kind])
        raise Win32Error(4390, "DeviceIoControl", "no reparse point")

    def _set_reparse_point(self, found: Open, data: bytes) -> None:
        assert found.parent is not None
        assert found.access & nt.FILE_WRITE_ATTRIBUTES
        made = reparse_data.read(data)
        assert made.kind is EntryKind.SYMBOLIC_LINK
        self._win32.set_link(found.parent, found.entry.name, made.target, replace=True)
        found.entry = Entry(found.entry.name, made.kind, made.target)

    @staticmethod
    def _form(form: int, drive: str, below: str, volume: str) -> str:
        if form == nt.VOLUME_NAME_NONE:
            return "\\" + below
        if form == nt.VOLUME_NAME_GUID:
            return f"{volume}\\{below}"
        if not drive:
            raise Win32Error(3, "GetFinalPathNameByHandleW", "no drive")
        return f"\\\\?\\{drive}\\{below}"


class FakeMarks:
    """:class:`csiproxy.windows.mounting.Marks` in memory."""

    def __init__(self) -> None:
        self._marks: set[str] = set()

    def put(self, mark: str) -> None:
        self._marks.add(mark)

    def is_there(self, mark: str) -> bool:
        return mark in self._marks

    def take(self, mark: str) -> None:
        self._marks.discard(mark)

    def all(self) -> list[str]:
        return list(self._marks)
