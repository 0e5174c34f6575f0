"""Where an emulated Windows puts its memory: page files, and the file that a crash is dumped into.

The files are names that Windows' classes show; nothing of them is on the disks.
https://learn.microsoft.com/windows/win32/cimwin32prov/win32-pagefileusage
https://learn.microsoft.com/windows/win32/cimwin32prov/win32-osrecoveryconfiguration
"""

import re
from collections.abc import Mapping, Sequence

from csiproxy.emulator.cim_provider import Arguments
from csiproxy.emulator.fidelity import Fidelity, Point
from csiproxy.emulator.state import State
from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.cim import Instance, Result, Value
from csiproxy.host.schema import (
    OS_RECOVERY_CONFIGURATION,
    PAGE_FILE_USAGE,
    WIN32_OS_RECOVERY_CONFIGURATION,
    WIN32_PAGE_FILE_USAGE,
)

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS memory_files (
         kind TEXT NOT NULL,      -- page or dump
         path TEXT NOT NULL COLLATE NOCASE,
         PRIMARY KEY (kind, path)
       )""",
)
PAGE_FILE, DUMP_FILE = r"C:\pagefile.sys", r"C:\Windows\MEMORY.DMP"
_PATH = re.compile(r"[A-Za-z]:(\\[^\\/:*?\"<>|\x00-\x1f]+)+")
_PAGE_FILE_MEGABYTES = 2048
_KERNEL_DUMP = 2
_CONFIGURATION = r"Emulated Windows|C:\Windows|\Device\Harddisk0\Partition3"


class MemoryFiles:
    """The paths.  As on a fresh Windows, one page file and the dump are on drive C:."""

    def __init__(self, state: State) -> None:
        self._state = state
        with state.transaction() as db:
            if not db.execute("SELECT count(*) FROM memory_files").fetchone()[0]:
                self.reset()

    def reset(self) -> None:
        """Put them where a fresh Windows has them."""
        with self._state.transaction() as db:
            db.execute("DELETE FROM memory_files")
            db.execute("INSERT INTO memory_files VALUES ('page', ?), ('dump', ?)", (PAGE_FILE, DUMP_FILE))

    def put_page_files(self, paths: Sequence[str]) -> None:
        """Let these be the page files; none is legal.  87 for what is no path."""
        self._put("page", paths)

    def put_dump(self, path: str) -> None:
        """Let crashes be dumped into this file; 87 for what is no path."""
        self._put("dump", (path,))

    def _put(self, kind: str, paths: Sequence[str]) -> None:
        for path in paths:
            if not _PATH.fullmatch(path):
                text = rf"{path} is no path of a file: write D:\pagefile.sys"
                raise Win32Error(WindowsCode.INVALID_PARAMETER, "memory-file", text)
        with self._state.transaction() as db:
            db.execute("DELETE FROM memory_files WHERE kind = ?", (kind,))
            db.executemany("INSERT OR IGNORE INTO memory_files VALUES (?, ?)", [(kind, p) for p in paths])

    @property
    def page_files(self) -> list[str]:
        """The page files."""
        return self._of("page")

    @property
    def dump(self) -> str:
        """The file that a crash is dumped into."""
        return self._of("dump")[0]

    def _of(self, kind: str) -> list[str]:
        with self._state.transaction() as db:
            rows = db.execute("SELECT path FROM memory_files WHERE kind = ? ORDER BY path", (kind,))
            return [str(row[0]) for row in rows]


class PageFileUsageClass:
    """Provider of Win32_PageFileUsage."""

    schema = WIN32_PAGE_FILE_USAGE
    fidelity = Fidelity(
        page="https://learn.microsoft.com/windows/win32/cimwin32prov/win32-pagefileusage",
        like=(
            Point(
                "there is an instance for each page file, named by its path",
                "emulator/test_memory_files.py",
                "test_there_is_an_instance_for_each_page_file",
            ),
        ),
        unlike=(
            Point(
                "a page file is a name: nothing of it is on the disk",
                "emulator/test_memory_files.py",
                "test_a_page_file_is_a_name_alone",
            ),
        ),
    )

    def __init__(self, files: MemoryFiles) -> None:
        self._files = files

    def instances(self, where: Mapping[str, Value]) -> list[Instance]:  # noqa: ARG002 - they are few
        """Every page file."""
        return [
            Instance(
                PAGE_FILE_USAGE,
                path,
                {"Name": path, "AllocatedBaseSize": _PAGE_FILE_MEGABYTES, "TempPageFile": False},
            )
            for path in self._files.page_files
        ]

    def invoke(self, key: str | None, method: str, arguments: Arguments) -> Result:  # noqa: ARG002
        """It has no methods, so the session never calls this."""
        raise AssertionError(method)


class RecoveryConfigurationClass:
    """Provider of Win32_OSRecoveryConfiguration."""

    schema = WIN32_OS_RECOVERY_CONFIGURATION
    fidelity = Fidelity(
        page="https://learn.microsoft.com/windows/win32/cimwin32prov/win32-osrecoveryconfiguration",
        like=(
            Point(
                "one instance says where a crash is dumped",
                "emulator/test_memory_files.py",
                "test_one_instance_says_where_a_crash_is_dumped",
            ),
        ),
    )

    def __init__(self, files: MemoryFiles) -> None:
        self._files = files

    def instances(self, where: Mapping[str, Value]) -> list[Instance]:  # noqa: ARG002 - there is one
        """The configuration of this Windows."""
        path = self._files.dump
        properties: dict[str, Value] = {
            "Name": _CONFIGURATION,
            "DebugFilePath": path,
            "ExpandedDebugFilePath": path,
            "DebugInfoType": _KERNEL_DUMP,
        }
        return [Instance(OS_RECOVERY_CONFIGURATION, _CONFIGURATION, properties)]

    def invoke(self, key: str | None, method: str, arguments: Arguments) -> Result:  # noqa: ARG002
        """It has no methods, so the session never calls this."""
        raise AssertionError(method)
