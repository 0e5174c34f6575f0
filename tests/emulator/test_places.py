"""Windows paths are taken apart and host paths are named, each name checked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.emulator import places
from csiproxy.emulator.places import Places
from csiproxy.errors import Win32Error

ROOTS = {"/node/c": "C:", "/node/c/mnt": "D:"}
NAMES = st.text("abcXYZ019 -äß", min_size=1, max_size=8).filter(lambda name: name[-1] != " ")


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("c:", ("C", [])),
        ("C:\\", ("C", [])),
        (r"c:\var\lib", ("C", ["var", "lib"])),
        ("C:\\a\\", ("C", ["a"])),
    ],
)
def test_a_path_is_its_drive_and_its_names(path, parts):
    assert places.split(path, "Call") == parts


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("", 161), (r"\var", 161), (r"\\server\share", 161), ("C:var", 161), ("/var", 161),
        (r"C:\a\\b", 123), (r"C:\..\x", 123), (r"C:\nul", 123), ("C:\\a\n", 123),
    ],
)  # fmt: skip
def test_another_form_is_161_and_an_illegal_name_123(path, code):
    with pytest.raises(Win32Error) as caught:
        places.split(path, "Call")
    assert caught.value.windows_code == code


@pytest.mark.parametrize("tail", ["", "\\"])
def test_a_volumes_name_has_one_spelling(tail):
    name = r"\\?\volume{ABCDEF00-0000-4000-8000-00000000000A}"
    canonical = r"\\?\Volume{abcdef00-0000-4000-8000-00000000000a}" + "\\"
    assert places.canonical_volume(name + tail, "Call") == canonical


def test_what_is_no_volumes_name_is_87():
    with pytest.raises(Win32Error) as caught:
        places.canonical_volume(r"\\?\Volume{abc}" + "\\", "Call")
    assert caught.value.windows_code == 87


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
    assert places.split(windows, "Call") == ("C", parts)


def test_drives_are_roots():
    assert Places({"C": "/node/c"}, "/node/locks").roots == {"/node/c": "C:"}
