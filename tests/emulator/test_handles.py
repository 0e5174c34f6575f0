"""Numbers for what a connection has open."""

from contextlib import ExitStack

import pytest
from tests.emulated import EmulatedNode

from csiproxy.emulator.handles import MOST_HANDLES, Handles
from csiproxy.errors import Win32Error


class Opened:
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1

    def __enter__(self):
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def test_a_number_is_good_until_it_is_closed_and_is_never_given_again():
    handles = Handles()
    first = handles.keep(one := Opened())
    assert handles.directory(first) is one
    handles.close(first)
    handles.close(first)
    assert one.closed == 1
    with pytest.raises(Win32Error) as failure:
        handles.directory(first)
    assert failure.value.windows_code == 6
    assert handles.keep(Opened()) != first


def test_a_lock_is_no_directory():
    handles = Handles()
    with pytest.raises(Win32Error) as failure:
        handles.directory(handles.keep(ExitStack()))
    assert failure.value.windows_code == 6


def test_what_is_one_too_many_is_closed_at_once():
    handles = Handles()
    kept = [Opened() for _ in range(MOST_HANDLES)]
    for one in kept:
        handles.keep(one)
    with pytest.raises(Win32Error) as failure:
        handles.keep(last := Opened())
    assert (failure.value.windows_code, last.closed) == (4, 1)
    handles.close_all()
    assert {one.closed for one in kept} == {1}


def test_a_lock_goes_with_the_rest(tmp_path):
    node = EmulatedNode(tmp_path)
    handles = Handles()
    held = ExitStack()
    held.enter_context(node.host.win32.mutex("m", 0.0))
    handles.keep(held)
    handles.close_all()
    with node.host.win32.mutex("m", 0.0):
        pass
    node.close()
