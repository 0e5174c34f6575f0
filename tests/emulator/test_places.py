"""Host paths are named as Windows would, each name checked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.emulator import places
from csiproxy.emulator.places import Places
from csiproxy.errors import Win32Error
from csiproxy.host import paths

ROOTS = {"/node/c": "C:", "/node/c/mnt": "D:"}
NAMES = st.text("abcXYZ019 -äß", min_size=1, max_size=8).filter(lambda name: name[-1] != " ")


def test_the_longest_root_names_a_host_path():
    assert places.windows_path("/node/c/var", ROOTS, "Call") == r"C:\var"
    assert places.windows_path("/node/c/mnt/x", ROOTS, "Call") == r"D:\x"
    assert places.windows_path("/node/c/mnt", ROOTS, "Call") == "D:"


def test_a_neighbour_of_a_root_is_not_under_it():
    assert places.windows_path("/node/cx/var", ROOTS, "Call") is None


def test_a_host_name_that_windows_cannot_have_is_refused():
    with pytest.raises(Win32Error):
        places.windows_path("/node/c/a:b", ROOTS, "Call")


@given(parts=st.lists(NAMES, max_size=5))
def test_there_and_back_is_the_same_path(parts):
    host = places.host_path("/node/c", parts)
    windows = places.windows_path(host, {"/node/c": "C:"}, "Call")
    assert windows == places.join("C:", parts)
    assert paths.split(windows, "Call") == ("C", parts)


def test_drives_are_roots():
    assert Places({"C": "/node/c"}, "/node/locks").roots == {"/node/c": "C:"}
