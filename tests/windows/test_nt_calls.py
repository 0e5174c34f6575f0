"""The adapter keeps every promise of the port's Win32 half on this Windows' calls, and leaks nothing."""

import ctypes
import os
import struct
import sys
from collections.abc import Iterator
from functools import partial

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

import winreg

from tests.host import win32_promises
from tests.host.win32_promises import Ground
from tests.windows import call_promises

from csiproxy.host.win32 import EntryKind
from csiproxy.windows import locks
from csiproxy.windows.nt_calls import NtCalls
from csiproxy.windows.registry_marks import RegistryMarks
from csiproxy.windows.win32 import WindowsWin32

pytestmark = pytest.mark.windows

KEY = r"SOFTWARE\csi-proxy\Tests"


@pytest.fixture
def ground(tmp_path) -> Iterator[Ground]:
    calls = NtCalls()
    place, locking = tmp_path / "base", tmp_path / "locks"
    place.mkdir()
    locking.mkdir()
    win32 = WindowsWin32(calls, partial(locks.held, calls, str(locking)), RegistryMarks(KEY))
    yield Ground(win32, str(place), str(place))
    assert list(locking.iterdir()) == []
    win32.marks("")  # makes the key
    winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, KEY)


# Wine 10 asks the host what a directory is called when it is opened, and never again.
WINE_BREAKS = ("a_directory_that_was_removed_is_nowhere", "a_directory_that_was_moved_says_where_it_is_now")


@win32_promises.every_promise(WINE_BREAKS if hasattr(ctypes.WinDLL("ntdll"), "wine_get_version") else ())
def test_this_windows_keeps_it(ground: Ground, keep) -> None:
    keep(ground)


def handles() -> int:
    """How many handles this process has.  Wine's GetProcessHandleCount does not count."""
    ntdll = ctypes.WinDLL("ntdll")
    system_extended_handle_information = 64
    size = ctypes.c_ulong(1 << 20)
    while True:
        buffer = ctypes.create_string_buffer(size.value)
        status = ntdll.NtQuerySystemInformation(system_extended_handle_information, buffer, size, None)
        if status == 0:
            break
        assert status & 0xFFFF_FFFF == 0xC000_0004, hex(status)
        size.value *= 2
    (count,) = struct.unpack_from("<Q", buffer)
    owners = (struct.unpack_from("<Q", buffer, 16 + 40 * index + 8)[0] for index in range(count))
    return sum(owner == os.getpid() for owner in owners)


def test_ten_thousand_calls_leave_no_handle(ground: Ground) -> None:
    ground.make("directory", "inner")
    ground.write("file")

    def use() -> int:
        """Calls that go well and calls that do not; give how many there were."""
        with ground.root() as root:
            with ground.win32.open_child(root, "directory") as directory:
                ground.win32.create_directory(directory, "new")
                ground.win32.entries(directory)
                ground.win32.final_path(directory)
                ground.win32.remove(directory, "new", EntryKind.DIRECTORY)
            ground.win32.entry(root, "file")
            failing = (
                lambda: ground.win32.open_child(root, "file"),
                lambda: ground.win32.open_child(root, "nothing"),
                lambda: ground.win32.entry(root, "nothing"),
                lambda: ground.win32.remove(root, "directory", EntryKind.DIRECTORY),
                lambda: ground.win32.remove(root, "directory", EntryKind.SYMBOLIC_LINK),
                lambda: ground.win32.create_directory(root, "file"),
                lambda: ground.win32.open_mounted(root, "directory"),
                lambda: ground.win32.set_link(root, "file", r"C:\t", replace=True),
            )
            for call in failing:
                assert win32_promises.code_of(call)
        with ground.win32.mutex("x", 1.0):
            pass
        return 9 + len(failing)

    use()
    before = handles()
    assert before > 0
    done = 0
    while done < 10_000:
        done += use()
    assert handles() <= before


def test_a_directory_is_closed_when_nobody_has_it_any_more(ground: Ground) -> None:
    ground.root()
    before = handles()
    for _ in range(10):
        ground.root()
    assert handles() == before


@call_promises.every_promise
def test_the_calls_do_what_the_adapter_relies_on(tmp_path, keep) -> None:
    before = handles()
    keep(NtCalls(), rf"\??\{tmp_path}")
    assert handles() <= before
