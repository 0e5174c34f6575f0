"""Links are whole or not there, on file systems of either kind."""

import os

import pytest
from tests.emulator.conftest import ground  # noqa: F401
from tests.windows.fake_calls import FakeCalls, FakeMarks

from csiproxy.errors import Win32Error
from csiproxy.host.win32 import EntryKind
from csiproxy.windows import nt
from csiproxy.windows.win32 import WindowsWin32


@pytest.fixture
def calls(ground):  # noqa: F811
    return FakeCalls(ground.win32)


@pytest.fixture
def win32(ground, calls):  # noqa: F811
    return WindowsWin32(calls, ground.win32.mutex, FakeMarks())


def code_of(call, *arguments, **named) -> int:
    with pytest.raises(Win32Error) as caught:
        call(*arguments, **named)
    return caught.value.windows_code


@pytest.mark.parametrize("code", nt.NO_SUCH_CALL)
def test_a_file_system_that_cannot_keep_what_was_to_go_has_links_too(ground, win32, calls, code):  # noqa: F811
    calls.failing["keep"] = [code]
    with win32.open_root("C:\\") as root:
        win32.set_link(root, "link", r"C:\t", replace=False)
        assert win32.entry(root, "link").kind is EntryKind.SYMBOLIC_LINK
    assert calls.opened == 0


@pytest.mark.parametrize("codes", [[5], [87, 5], [1314], [50, 50]])
def test_what_is_refused_leaves_nothing(ground, win32, calls, codes):  # noqa: F811
    calls.failing["control"] = list(codes)
    with win32.open_root("C:\\") as root:
        assert code_of(win32.set_link, root, "link", r"C:\t", replace=False) == codes[-1]
    assert os.listdir(ground.drive) == []
    assert calls.opened == 0


def test_what_somebody_has_open_is_busy_and_stays(ground, win32, calls):  # noqa: F811
    with win32.open_root("C:\\") as root:
        win32.create_directory(root, "stage")
        calls.failing["open"] = [183, 32]
        assert code_of(win32.set_link, root, "stage", r"C:\t", replace=True) == 32
    assert os.listdir(ground.drive) == ["stage"]


def test_a_driver_that_makes_no_sense_has_failed(ground, calls):  # noqa: F811
    from tests.emulator.plain_volumes import PHYSICAL_DRIVE

    class Mad(FakeCalls):
        def control(self, handle, code, data, room):
            return (
                b"\xff" * room
                if code == nt.IOCTL_STORAGE_QUERY_PROPERTY
                else super().control(handle, code, data, room)
            )

    mad = Mad(ground.win32)
    win32 = WindowsWin32(mad, ground.win32.mutex, FakeMarks())
    assert code_of(win32.storage_device, PHYSICAL_DRIVE) == 31
    assert mad.opened == 0
