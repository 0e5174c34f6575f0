"""Mount points through paths: what others do meanwhile harms nobody, and what was made is known later."""

import pytest
from tests.emulator.conftest import ground  # noqa: F401
from tests.emulator.plain_volumes import FIRST, SECOND
from tests.windows.fake_calls import FakeCalls, FakeMarks

from csiproxy.errors import Win32Error
from csiproxy.host.win32 import EntryKind
from csiproxy.windows import nt
from csiproxy.windows.win32 import WindowsWin32


@pytest.fixture
def marks():
    return FakeMarks()


@pytest.fixture
def calls(ground):  # noqa: F811
    return FakeCalls(ground.win32)


@pytest.fixture
def win32(ground, calls, marks):  # noqa: F811
    return WindowsWin32(calls, ground.win32.mutex, marks)


@pytest.fixture
def root(win32):
    with win32.open_root("C:\\") as root:
        win32.create_directory(root, "stage")
        yield root


def code_of(call, *arguments) -> int:
    with pytest.raises(Win32Error) as caught:
        call(*arguments)
    return caught.value.windows_code


def test_every_directory_down_to_the_parent_is_held_while_a_path_is_used(ground, root, win32, marks):  # noqa: F811
    seen = []

    class Watched(FakeCalls):
        def set_mount_point(self, directory, volume):
            seen.append([one.share for one in self._open.values() if one.access & nt.FILE_LIST_DIRECTORY])
            super().set_mount_point(directory, volume)

    watched = WindowsWin32(Watched(ground.win32), ground.win32.mutex, marks)
    with watched.open_root("C:\\") as top:
        watched.create_directory(top, "a")
        with watched.open_child(top, "a") as a:
            watched.create_directory(a, "b")
            with watched.open_child(a, "b") as b:
                watched.create_directory(b, "leaf")
                watched.set_mount_point(b, "leaf", FIRST)
    [shares] = seen
    assert shares.count(nt.SHARE_READ | nt.SHARE_WRITE) == 3
    assert win32.mount_points(FIRST) == [r"C:\a\b\leaf"]


def test_a_mount_point_that_came_to_be_elsewhere_is_taken_back(ground, root, marks):  # noqa: F811
    class Swapped(FakeCalls):
        """Somebody swaps the directory between the question and the call, as far as Windows lets them."""

        def set_mount_point(self, directory, volume):
            super().set_mount_point("C:\\elsewhere\\", volume)

        def delete_mount_point(self, directory):
            super().delete_mount_point("C:\\elsewhere\\")

    swapped = WindowsWin32(Swapped(ground.win32), ground.win32.mutex, marks)
    with swapped.open_root("C:\\") as top:
        swapped.create_directory(top, "elsewhere")
        assert code_of(swapped.set_mount_point, top, "stage", FIRST) == 4395
        assert {entry.kind for entry in swapped.entries(top)} == {EntryKind.DIRECTORY}
    assert marks.all() == []


def test_what_windows_refuses_leaves_no_mark(root, win32, marks, calls):
    calls.failing["set_mount_point"] = [87]
    assert code_of(win32.set_mount_point, root, "stage", FIRST) == 87
    assert marks.all() == []


def test_the_mount_points_of_a_volume_that_windows_has_forgotten_are_known_while_they_are_there(
    root, win32, calls, marks
):
    win32.create_directory(root, "other")
    for name in ("stage", "other"):
        win32.set_mount_point(root, name, FIRST)
    calls.failing["volume_paths"] = [2]
    assert win32.mount_points(FIRST) == [r"C:\other", r"C:\stage"]
    win32.remove(root, "other", EntryKind.MOUNT_POINT)  # by whoever did not know what it was
    calls.failing["volume_paths"] = [2]
    assert win32.mount_points(FIRST) == [r"C:\stage"]
    assert len(marks.all()) == 1
    win32.delete_mount_point(root, "stage", FIRST)
    assert marks.all() == []


def test_a_mark_of_another_volumes_mount_point_says_nothing(root, win32, calls):
    win32.set_mount_point(root, "stage", FIRST)
    win32.remove(root, "stage", EntryKind.MOUNT_POINT)
    win32.create_directory(root, "stage")
    win32.set_mount_point(root, "stage", SECOND)
    calls.failing["volume_paths"] = [2]
    assert win32.mount_points(FIRST) == []


def test_other_failures_of_the_question_are_told(win32, calls):
    calls.failing["volume_paths"] = [5]
    assert code_of(win32.mount_points, FIRST) == 5


def test_a_mount_point_that_the_volume_manager_does_not_know_is_cleared_by_hand(root, win32, calls):
    win32.set_mount_point(root, "stage", FIRST)
    calls.failing["delete_mount_point"] = [1168]
    win32.delete_mount_point(root, "stage", FIRST)
    assert win32.entry(root, "stage").kind is EntryKind.DIRECTORY


def test_marks_of_mount_points_are_no_marks_of_callers(root, win32):
    win32.set_mount_point(root, "stage", FIRST)
    assert win32.marks("") == []
    assert not win32.remembers(FIRST + r"|C:\stage")
