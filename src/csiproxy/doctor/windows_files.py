"""Self-tests of directories that ask Windows itself, past the port."""

import ctypes
import os
import sys

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

from csiproxy.doctor.files import code_of
from csiproxy.doctor.ground import Ground, expect
from csiproxy.doctor.outcome import Differs, NotTried
from csiproxy.errors import WindowsCode
from csiproxy.windows import nt
from csiproxy.windows.handles import Handles
from csiproxy.windows.nt_calls import NtCalls

_LONG_NAME = "a long name of a directory"


def moved_directory(ground: Ground) -> str:
    """Renames a directory that is open, and asks where it is."""
    win32 = ground.host.win32
    with ground.scratch() as scratch:
        win32.create_directory(scratch.directory, "first")
        with win32.open_child(scratch.directory, "first") as first:
            os.rename(rf"{scratch.path}\first", rf"{scratch.path}\second")
            expect(win32.final_path(first), rf"{scratch.path}\second", "it says that it is")
        return "it says its new name"


def held_directory(ground: Ground) -> str:
    """Renames a directory, and one above it, while it is held without sharing of deletion."""
    handles = Handles(NtCalls())
    with ground.scratch() as scratch:
        os.makedirs(rf"{scratch.path}\above\held")
        with (
            handles.follow(rf"{scratch.path}\above\held") as held,
            handles.again(held, nt.SHARE_READ | nt.SHARE_WRITE),
        ):
            for name in (r"above\held", "above"):
                try:
                    os.rename(rf"{scratch.path}\{name}", rf"{scratch.path}\moved")
                except OSError:
                    continue
                raise Differs(f"{name} was renamed")
        return "neither could be renamed"


def short_name(ground: Ground) -> str:
    """Opens a directory by the short name that the volume made up for it."""
    win32 = ground.host.win32
    with ground.scratch() as scratch:
        win32.create_directory(scratch.directory, _LONG_NAME)
        buffer = ctypes.create_unicode_buffer(1024)
        ctypes.windll.kernel32.GetShortPathNameW(rf"{scratch.path}\{_LONG_NAME}", buffer, len(buffer))
        short = buffer.value.rpartition("\\")[2]
        if "~" not in short:
            raise NotTried("this volume makes no short names up")
        code = code_of(lambda: win32.open_child(scratch.directory, short).close())
        expect(code, WindowsCode.INVALID_NAME, f"{short} gave")
        return f"{short} was refused with 123"
