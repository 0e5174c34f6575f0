"""Handles: each is given back whatever happens, and no short name leads anywhere."""

import pytest
from tests.emulator.conftest import ground  # noqa: F401
from tests.windows.fake_calls import FakeCalls

from csiproxy.errors import Win32Error
from csiproxy.host.win32 import Entry, EntryKind
from csiproxy.windows import nt
from csiproxy.windows.directory_listing import Listed
from csiproxy.windows.handles import Handles


class ShortNames(FakeCalls):
    """Calls of a volume that makes up short names: PODSDI~1 is podsdirectory."""

    def open(self, parent, name, access, share, disposition, options):
        name = {"PODSDI~1": "podsdirectory"}.get(name.upper(), name)
        return super().open(parent, name, access, share, disposition, options)


@pytest.fixture
def calls(ground):  # noqa: F811
    return ShortNames(ground.win32)


@pytest.fixture
def root(calls):
    with Handles(calls).follow("C:\\") as root:
        yield root


def code_of(call, *arguments) -> int:
    with pytest.raises(Win32Error) as caught:
        call(*arguments)
    return caught.value.windows_code


def test_a_short_name_is_refused_and_a_long_one_with_the_same_sign_is_not(ground, calls, root):  # noqa: F811
    handles = Handles(calls)
    ground.win32.create_directory(ground.root(), "podsdirectory")
    ground.win32.create_directory(ground.root(), "backup~1")
    before = calls.opened
    assert code_of(handles.child, root, "PODSDI~1") == 123
    assert code_of(handles.entry, root, "podsdi~1") == 123
    assert calls.opened == before
    assert handles.entry(root, "BACKUP~1") == Entry("backup~1", EntryKind.DIRECTORY)
    handles.child(root, "backup~1").close()


@pytest.mark.parametrize("failing", ["standing", "control", "final_path"])
def test_nothing_stays_open_when_a_question_fails(ground, root, calls, failing):  # noqa: F811
    ground.win32.create_directory(ground.root(), "x~")
    ground.win32.set_link(ground.root(), "link~", r"C:\x", replace=False)

    class Failing(ShortNames):
        def standing(self, handle):
            return self._now("standing", super().standing, handle)

        def control(self, handle, code, data, room):
            return self._now("control", super().control, handle, code, data, room)

        def final_path(self, handle, form):
            return self._now("final_path", super().final_path, handle, form)

        def _now(self, name, call, *arguments):
            if name == failing and armed:
                raise Win32Error(1117, name, "as the test says")
            return call(*arguments)

    broken, armed = Failing(ground.win32), False
    handles = Handles(broken)
    with handles.follow("C:\\") as here:
        armed = True
        failures = 0
        for call in (
            lambda: handles.child(here, "x~"),
            lambda: handles.entry(here, "x~"),
            lambda: handles.entry(here, "link~"),
            lambda: handles.entries(here),
        ):
            try:
                call()
            except Win32Error as error:
                assert error.windows_code == 1117
                failures += 1
            assert broken.opened == 1
        assert failures


def test_a_name_that_goes_while_it_is_listed_is_left_out(ground, root, calls):  # noqa: F811
    class Gone(FakeCalls):
        def listing(self, handle):
            data = super().listing(handle)
            if data:
                from tests.windows import answers

                attributes = nt.FILE_ATTRIBUTE_REPARSE_POINT
                data = answers.listing([Listed("gone", attributes, nt.IO_REPARSE_TAG_SYMLINK)])
            return data

    handles = Handles(Gone(ground.win32))
    with handles.follow("C:\\") as here:
        assert handles.entries(here) == []


def test_a_listing_that_makes_no_sense_is_damage(ground, root, calls):  # noqa: F811
    class Broken(FakeCalls):
        def listing(self, handle):
            return b"\1" * 80

    handles = Handles(Broken(ground.win32))
    with handles.follow("C:\\") as here:
        assert code_of(handles.entries, here) == 1392
