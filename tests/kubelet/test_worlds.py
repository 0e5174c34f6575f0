import pytest

from csiproxy.kubelet.worlds import ActualWorld, DesiredWorld, Plugin, difference

PATH = r"c:\reg\a.sock"


@pytest.fixture
def desired():
    return DesiredWorld()


@pytest.fixture
def actual():
    return ActualWorld()


def taken(socket):
    return Plugin(socket, "CSIPlugin", "a", "/a")


def test_what_is_there_is_registered_once(desired, actual):
    desired.add(PATH)
    [socket] = difference(desired, actual).register
    assert socket.path == PATH
    actual.add(taken(socket))
    assert difference(desired, actual) == difference(DesiredWorld(), ActualWorld())


def test_a_socket_that_is_made_anew_is_let_go_of_and_taken_again(desired, actual):
    desired.add(PATH)
    [first] = difference(desired, actual).register
    actual.add(taken(first))
    desired.add(PATH)
    found = difference(desired, actual)
    assert found.unregister == (taken(first),)
    assert [socket.path for socket in found.register] == [PATH]
    assert found.register != (first,)


@pytest.mark.parametrize("spelling", [PATH, r"\reg\a.sock", "/reg/a.sock", r"C:\REG\A.SOCK"])
def test_one_that_is_removed_under_any_spelling_is_let_go_of(spelling, desired, actual):
    desired.add(PATH)
    [socket] = difference(desired, actual).register
    actual.add(taken(socket))
    assert desired.remove(spelling)
    assert difference(desired, actual).unregister == (taken(socket),)
    assert not desired.remove(spelling)


def test_a_look_makes_up_for_events_that_were_lost_and_touches_nothing_else(desired):
    desired.add(r"c:\kept")
    desired.add(r"c:\gone")
    before = desired.snapshot()
    desired.add(r"c:\during")
    assert desired.agree(before, [r"C:\Kept", r"c:\new"])
    assert {socket.path for socket in desired.snapshot().values()} == {r"c:\kept", r"c:\during", r"c:\new"}
    assert desired.snapshot()[r"c:\kept"] == before[r"c:\kept"]
    assert not desired.agree(desired.snapshot(), [r"c:\kept", r"c:\new", r"c:\during"])
