"""The Win32 half of the port on a real Windows: by handle, one name at a time, through no reparse point."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host import paths
from csiproxy.host.win32 import Directory, Entry, EntryKind, StorageDevice
from csiproxy.windows import device_queries, nt, reparse_data
from csiproxy.windows.file_calls import FileCalls
from csiproxy.windows.handles import ITSELF, OPEN, Handles, OpenDirectory, opened
from csiproxy.windows.mounting import Marks, MountPoints

FINAL_PATH = "GetFinalPathNameByHandleW"
REMOVE = "SetFileInformationByHandle"
SET_LINK = "FSCTL_SET_REPARSE_POINT"
DEVICE = "DeviceIoControl"

_LONG_PATH = "\\\\?\\"
# What the marks of callers begin with; those of mount points begin with a volume's name.
_CALLERS = "mark|"

Mutex = Callable[[str, float], AbstractContextManager[None]]


class WindowsWin32:
    """:class:`csiproxy.host.win32.Win32` on Windows' file calls.  Safe to use from several threads.

    ``mutex`` is what the proxies of this node exclude each other with, ``marks`` what they leave for each
    other.
    """

    def __init__(self, calls: FileCalls, mutex: Mutex, marks: Marks) -> None:
        self._calls = calls
        self._handles = Handles(calls)
        self._marks = marks
        self._mounts = MountPoints(calls, self._handles, marks, self.final_path)
        self._mutex = mutex

    # --- opening

    def open_root(self, path: str) -> Directory:
        """Open a configured prefix; links in it are followed.  Without it 2, without a parent or drive 3."""
        drive, names = paths.split(path, OPEN)
        return self._handles.follow("\\".join([f"{drive}:", *(names or [""])]))

    def open_child(self, parent: Directory, name: str) -> Directory:
        """Open a directory below another.  A reparse point is 4395, a file 267, a short name 123."""
        return self._handles.child(opened(parent), name)

    def open_mounted(self, parent: Directory, name: str) -> Directory:
        """Open the root of the volume mounted at ``name``.  Not a mount point: 4390; no such volume: 1168."""
        return self._mounts.open(opened(parent), name)

    # --- questions

    def entry(self, parent: Directory, name: str) -> Entry:
        """What ``name`` is, spelt as it is on disk."""
        return self._handles.entry(opened(parent), name)

    def entries(self, directory: Directory) -> list[Entry]:
        """All names in a directory, sorted."""
        return sorted(self._handles.entries(opened(directory)), key=lambda entry: entry.name)

    def final_path(self, directory: Directory) -> str:
        r"""Where an open directory is now: on a drive ``C:\…``, on another volume ``\\?\Volume{guid}\…``.

        Removed: 2.  On neither, as on a share: 5.
        """
        handle = opened(directory).handle
        if self._calls.standing(handle).removed:
            raise Win32Error(WindowsCode.FILE_NOT_FOUND, FINAL_PATH, "the directory was removed meanwhile")
        below = self._calls.final_path(handle, nt.VOLUME_NAME_NONE)
        # The volume manager may name a volume by a directory where it is mounted, which is more than a drive.
        with suppress(Win32Error):
            path = self._calls.final_path(handle, nt.VOLUME_NAME_DOS).removeprefix(_LONG_PATH)
            if path[1:2] == ":" and path[2:] == below:
                return path.removesuffix("\\")
        try:
            return self._calls.final_path(handle, nt.VOLUME_NAME_GUID).removesuffix("\\")
        except Win32Error as error:
            raise Win32Error(
                WindowsCode.ACCESS_DENIED, FINAL_PATH, "the directory is on no volume of this machine"
            ) from error

    def mount_points(self, volume: str) -> list[str]:
        """The directories where a volume is mounted, and where it was mounted from here and still is."""
        return self._mounts.of(volume)

    def storage_device(self, path: str) -> StorageDevice:
        """Ask the driver of the disk whose MSFT_Disk.Path this is."""
        device = self._calls.open_device(path)
        try:
            number = self._calls.control(
                device, nt.IOCTL_STORAGE_GET_DEVICE_NUMBER, b"", device_queries.NUMBER_SIZE
            )
            identifiers = self._identification_page(device)
            return StorageDevice(
                device_queries.read_number(number), device_queries.read_identifiers(identifiers)
            )
        except device_queries.BrokenAnswer as error:
            raise Win32Error(WindowsCode.GEN_FAILURE, DEVICE, str(error)) from error
        finally:
            self._calls.close(device)

    # --- changes

    def create_directory(self, parent: Directory, name: str) -> None:
        """Make one empty directory, with the access control list that its parent hands down."""
        paths.check_name(name, OPEN)
        directory = opened(parent).handle
        try:
            made = self._calls.open(
                directory,
                name,
                nt.FILE_READ_ATTRIBUTES,
                nt.SHARE_ALL,
                nt.FILE_CREATE,
                nt.FILE_DIRECTORY_FILE | ITSELF,
            )
        except Win32Error as error:
            if error.windows_code != WindowsCode.FILE_NOT_FOUND:
                raise
            raise Win32Error(WindowsCode.PATH_NOT_FOUND, OPEN, "the parent was removed meanwhile") from error
        self._calls.close(made)

    def remove(self, parent: Directory, name: str, kind: EntryKind) -> None:
        """Remove a name that still is of ``kind``, never what it leads to."""
        with self._handles.named(opened(parent), name, nt.DELETE | nt.FILE_READ_ATTRIBUTES) as handle:
            now = self._handles.kind(handle).kind
            if now is not kind:
                raise _of_another_kind(now, kind)
            self._calls.delete(handle)

    def set_link(self, parent: Directory, name: str, target: str, *, replace: bool) -> None:
        """Make a symbolic link; with ``replace`` of an empty directory (145 when it is not empty)."""
        paths.check_name(name, SET_LINK)
        if paths.split_share(target, SET_LINK) is None:
            paths.split(target, SET_LINK)
        data = reparse_data.symbolic_link(target)
        directory = opened(parent)
        try:
            try:
                self._make_link(directory, name, data)
            except Win32Error as error:
                if error.windows_code not in nt.NO_SUCH_CALL:
                    raise
                self._make_link_late(directory, name, data)
        except Win32Error as error:
            if not replace or error.windows_code != WindowsCode.ALREADY_EXISTS:
                raise
            self._turn_into_link(directory, name, data)

    def set_mount_point(self, parent: Directory, name: str, volume: str) -> None:
        """Mount a volume at an empty directory."""
        self._mounts.set(opened(parent), name, volume)

    def delete_mount_point(self, parent: Directory, name: str, volume: str) -> None:
        """Unmount at ``name``, which stays as an empty directory."""
        self._mounts.delete(opened(parent), name, volume)

    def mutex(self, name: str, seconds: float) -> AbstractContextManager[None]:
        """Hold a lock that all proxies of this node share."""
        return self._mutex(name, seconds)

    def remember(self, mark: str) -> None:
        """Leave a mark that outlives every proxy of this node."""
        self._marks.put(_CALLERS + mark)

    def remembers(self, mark: str) -> bool:
        """Whether a proxy of this node left that mark."""
        return self._marks.is_there(_CALLERS + mark)

    def forget(self, mark: str) -> None:
        """Take a mark away."""
        self._marks.take(_CALLERS + mark)

    def marks(self, beginning: str) -> list[str]:
        """Every mark that begins with a text."""
        wanted = _CALLERS + beginning
        return [mark.removeprefix(_CALLERS) for mark in self._marks.all() if mark.startswith(wanted)]

    # --- steps

    def _make_link(self, parent: OpenDirectory, name: str, data: bytes) -> None:
        """Make a link where nothing is.

        Until it is whole it is a directory that vanishes with its handle, as when this process is killed.
        """
        handle = self._new_directory(parent, name, nt.FILE_DELETE_ON_CLOSE)
        try:
            self._calls.control(handle, nt.FSCTL_SET_REPARSE_POINT, data, 0)
            self._calls.keep(handle)
        finally:
            self._calls.close(handle)

    def _make_link_late(self, parent: OpenDirectory, name: str, data: bytes) -> None:
        """The same on a file system that cannot keep what was to vanish: a kill may leave the directory."""
        handle = self._new_directory(parent, name, 0)
        try:
            self._calls.control(handle, nt.FSCTL_SET_REPARSE_POINT, data, 0)
        except BaseException:
            self._calls.delete(handle)
            raise
        finally:
            self._calls.close(handle)

    def _new_directory(self, parent: OpenDirectory, name: str, options: int) -> int:
        """Make a directory that nobody else can open while its handle is open."""
        return self._calls.open(
            parent.handle,
            name,
            nt.DELETE | nt.FILE_READ_ATTRIBUTES | nt.FILE_WRITE_ATTRIBUTES,
            nt.SHARE_NOTHING,
            nt.FILE_CREATE,
            nt.FILE_DIRECTORY_FILE | ITSELF | options,
        )

    def _turn_into_link(self, parent: OpenDirectory, name: str, data: bytes) -> None:
        """Make a link of a directory, which Windows does in one step, and for an empty one only."""
        handle = self._calls.open(
            parent.handle,
            name,
            nt.FILE_LIST_DIRECTORY | nt.FILE_READ_ATTRIBUTES | nt.FILE_WRITE_ATTRIBUTES,
            nt.SHARE_NOTHING,
            nt.FILE_OPEN,
            ITSELF,
        )
        try:
            self._handles.demand_long(handle, name)
            if self._handles.kind(handle).kind is not EntryKind.DIRECTORY:
                raise Win32Error(WindowsCode.ALREADY_EXISTS, SET_LINK, "the name exists already")
            self._calls.control(handle, nt.FSCTL_SET_REPARSE_POINT, data, 0)
        finally:
            self._calls.close(handle)

    def _identification_page(self, device: int) -> bytes:
        """STORAGE_DEVICE_ID_DESCRIPTOR, all of it."""
        query, code = device_queries.IDENTIFIERS_QUERY, nt.IOCTL_STORAGE_QUERY_PROPERTY
        head = self._calls.control(device, code, query, device_queries.DESCRIPTOR_SIZE)
        return self._calls.control(device, code, query, device_queries.whole_size(head))


def _of_another_kind(now: EntryKind, expected: EntryKind) -> Win32Error:
    """Why a name is not removed as what it was."""
    text = f"the name is a {now.value} by now"
    if expected.is_reparse_point:
        code = nt.ERROR_REPARSE_TAG_MISMATCH if now.is_reparse_point else WindowsCode.NOT_A_REPARSE_POINT
    elif now.is_reparse_point:
        code = WindowsCode.REPARSE_POINT_ENCOUNTERED
    else:
        code = WindowsCode.DIRECTORY if now is EntryKind.FILE else WindowsCode.ACCESS_DENIED
    return Win32Error(code, REMOVE, text)
