"""The Win32 half of the port for a connection that no descriptor can cross: directories are numbers there.

A number means something on its own connection only, and everything that is open closes with that connection.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial

from csiproxy.emulator.calls import Arguments, Call
from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.win32 import Directory, EntryKind, Win32

MOST_HANDLES = 1024
TOO_MANY_OPEN_FILES = 4


class Handles:
    """What one connection has open: directories, and locks that it holds."""

    def __init__(self) -> None:
        self._open: dict[int, Directory | ExitStack] = {}
        self._last = 0

    def keep(self, opened: Directory | ExitStack) -> int:
        """Give what was opened a number; with too many open it is closed again."""
        if len(self._open) >= MOST_HANDLES:
            opened.close()
            raise Win32Error(TOO_MANY_OPEN_FILES, "NtCreateFile", "the connection has too much open")
        self._last += 1
        self._open[self._last] = opened
        return self._last

    def directory(self, number: int) -> Directory:
        """The directory of that number; ERROR_INVALID_HANDLE (6) when it is none."""
        found = self._open.get(number)
        if found is None or isinstance(found, ExitStack):
            raise Win32Error(WindowsCode.INVALID_HANDLE, "NtCreateFile", "the directory was closed")
        return found

    def close(self, number: int) -> None:
        """Close what has that number; once more does nothing."""
        found = self._open.pop(number, None)
        if found is not None:
            found.close()

    def close_all(self) -> None:
        """The connection ends."""
        for number in list(self._open):
            self.close(number)


def win32_calls(win32: Win32, handles: Handles) -> Mapping[str, Call]:
    """All of the Win32 half, for one connection."""

    def directory(call: Arguments) -> Directory:
        return handles.directory(call.take(int))

    def hold(name: str, seconds: float) -> int:
        held = ExitStack()
        held.enter_context(win32.mutex(name, seconds))
        return handles.keep(held)

    def open_root(path: str) -> int:
        return handles.keep(win32.open_root(path))

    def open_child(parent: Directory, name: str) -> int:
        return handles.keep(win32.open_child(parent, name))

    def open_mounted(parent: Directory, name: str) -> int:
        return handles.keep(win32.open_mounted(parent, name))

    return {
        "win32.open_root": lambda call: partial(open_root, call.take(str)),
        "win32.open_child": lambda call: partial(open_child, directory(call), call.take(str)),
        "win32.open_mounted": lambda call: partial(open_mounted, directory(call), call.take(str)),
        "win32.close": lambda call: partial(handles.close, call.take(int)),
        "win32.entry": lambda call: partial(win32.entry, directory(call), call.take(str)),
        "win32.entries": lambda call: partial(win32.entries, directory(call)),
        "win32.create_directory": lambda call: partial(
            win32.create_directory, directory(call), call.take(str)
        ),
        "win32.remove": lambda call: partial(
            win32.remove, directory(call), call.take(str), call.take(EntryKind)
        ),
        "win32.set_link": lambda call: partial(
            win32.set_link, directory(call), call.take(str), call.take(str), replace=call.take(bool)
        ),
        "win32.set_mount_point": lambda call: partial(
            win32.set_mount_point, directory(call), call.take(str), call.take(str)
        ),
        "win32.delete_mount_point": lambda call: partial(
            win32.delete_mount_point, directory(call), call.take(str), call.take(str)
        ),
        "win32.mount_points": lambda call: partial(win32.mount_points, call.take(str)),
        "win32.final_path": lambda call: partial(win32.final_path, directory(call)),
        "win32.storage_device": lambda call: partial(win32.storage_device, call.take(str)),
        "win32.hold": lambda call: partial(hold, call.take(str), call.take(float)),
        "win32.remember": lambda call: partial(win32.remember, call.take(str)),
        "win32.remembers": lambda call: partial(win32.remembers, call.take(str)),
        "win32.forget": lambda call: partial(win32.forget, call.take(str)),
        "win32.marks": lambda call: partial(win32.marks, call.take(str)),
    }
