"""Self-tests of directories and links, in a directory of their own."""

import os
from collections.abc import Callable

from csiproxy.doctor.ground import Ground, expect
from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.win32 import EntryKind


def link(ground: Ground) -> str:
    """Makes a link where nothing is, and looks whether it stays."""
    win32 = ground.host.win32
    with ground.scratch() as scratch:
        target = rf"{scratch.path}\target"
        win32.create_directory(scratch.directory, "target")
        win32.set_link(scratch.directory, "link", target, replace=False)
        entry = win32.entry(scratch.directory, "link")
        expect((entry.kind, entry.target), (EntryKind.SYMBOLIC_LINK, target), "the link is")
        if ground.is_windows:
            expect(os.listdir(rf"{scratch.path}\link"), [], "through the link one sees")
        return f"{entry.kind.value} to {entry.target}"


def link_of_a_directory(ground: Ground) -> str:
    """Turns an empty directory into a link, after one with content was refused."""
    win32 = ground.host.win32
    with ground.scratch() as scratch:
        win32.create_directory(scratch.directory, "full")
        with win32.open_child(scratch.directory, "full") as full:
            win32.create_directory(full, "inner")
        refused = code_of(lambda: win32.set_link(scratch.directory, "full", "C:\\", replace=True))
        expect(refused, WindowsCode.DIR_NOT_EMPTY, "a directory with content gave")
        win32.create_directory(scratch.directory, "empty")
        win32.set_link(scratch.directory, "empty", rf"{scratch.path}\full", replace=True)
        expect(win32.entry(scratch.directory, "empty").kind, EntryKind.SYMBOLIC_LINK, "it became")
        return "145 with content; a link without"


def walk_meets_link(ground: Ground) -> str:
    """Opens a link as a directory, and removes it as one."""
    win32 = ground.host.win32
    with ground.scratch() as scratch:
        win32.set_link(scratch.directory, "link", "C:\\", replace=False)
        for what, call in (
            ("open", lambda: win32.open_child(scratch.directory, "link").close()),
            ("remove", lambda: win32.remove(scratch.directory, "link", EntryKind.DIRECTORY)),
        ):
            expect(code_of(call), WindowsCode.REPARSE_POINT_ENCOUNTERED, f"{what} gave")
        return "4395"


def removal_of_what_is_open(ground: Ground) -> str:
    """Removes a directory that is open, and makes another of its name."""
    win32 = ground.host.win32
    with ground.scratch() as scratch:
        win32.create_directory(scratch.directory, "busy")
        with win32.open_child(scratch.directory, "busy") as busy:
            win32.remove(scratch.directory, "busy", EntryKind.DIRECTORY)
            made = code_of(lambda: win32.create_directory(scratch.directory, "busy"))
            expect(made, 0, "making its name again gave")
            inside = code_of(lambda: win32.create_directory(busy, "x"))
            expect(inside, WindowsCode.PATH_NOT_FOUND, "making something in it gave")
            where = code_of(lambda: win32.final_path(busy))
            expect(where, WindowsCode.FILE_NOT_FOUND, "asking where it is gave")
        return "its name was free at once"


def code_of(call: Callable[[], object]) -> int:
    """The Windows code that a call fails with; 0 when it does not."""
    try:
        call()
    except Win32Error as error:
        return error.windows_code
    return 0
