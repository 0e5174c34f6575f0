"""Windows paths are taken apart, and names that Windows cannot have are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.errors import Win32Error
from csiproxy.host import paths
from csiproxy.host.names import fault


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
    assert paths.split(path, "Call") == parts


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("", 161), (r"\var", 161), (r"\\server\share", 161), ("C:var", 161), ("/var", 161),
        (r"C:\a\\b", 123), (r"C:\..\x", 123), (r"C:\nul", 123), ("C:\\a\n", 123),
    ],
)  # fmt: skip
def test_another_form_is_161_and_an_illegal_name_123(path, code):
    with pytest.raises(Win32Error) as caught:
        paths.split(path, "Call")
    assert caught.value.windows_code == code


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        (r"\\server\share", ["server", "share"]),
        ("\\\\server\\share\\", ["server", "share"]),
        (r"\\server\share\a\b", ["server", "share", "a", "b"]),
        (r"\\server", None),
        (r"C:\share", None),
        (r"\\?\C:\x", None),
        (r"\\.\pipe\x", None),
        ("", None),
    ],
)
def test_a_path_on_a_share_is_its_names(path, parts):
    assert paths.split_share(path, "Call") == parts


def test_a_share_has_names_that_windows_can_have():
    with pytest.raises(Win32Error) as caught:
        paths.split_share(r"\\server\..\x", "Call")
    assert caught.value.windows_code == 123


@pytest.mark.parametrize("tail", ["", "\\"])
def test_a_volumes_name_has_one_spelling(tail):
    name = r"\\?\volume{ABCDEF00-0000-4000-8000-00000000000A}"
    canonical = r"\\?\Volume{abcdef00-0000-4000-8000-00000000000a}" + "\\"
    assert paths.canonical_volume(name + tail, "Call") == canonical


def test_what_is_no_volumes_name_is_87():
    with pytest.raises(Win32Error) as caught:
        paths.canonical_volume(r"\\?\Volume{abc}" + "\\", "Call")
    assert caught.value.windows_code == 87


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "a\\b", "a:b", "a*", "a?", 'a"', "<a", "a>", "a|b", "a\0", "a\n", "a.", "a ",
     "...", "CON", "con", "nul.txt", "NUL .txt", "Com1", "lpt9.x", "COM¹", "LPT³.y", "CONIN$", "conout$.log",
     "aux.", "\udcff", "a\ud800b", "x" * 256, "𐐨" * 128],
)  # fmt: skip
def test_names_that_windows_cannot_have_are_refused_as_invalid(name):
    with pytest.raises(Win32Error) as refusal:
        paths.check_name(name, "NtCreateFile")
    assert refusal.value.windows_code == 123


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "a..b",
        "..a",
        ".a",
        " a",
        "CONSOLE",
        "COM",
        "COM10",
        "nulx",
        "x.NUL",
        "x" * 255,
        "ß",
        "𐐨" * 127,
        "a b",
    ],
)
def test_unusual_names_that_windows_can_have_pass(name):
    paths.check_name(name, "NtCreateFile")


@given(st.text(max_size=300))
def test_a_name_that_passes_can_be_one_component_of_a_host_path(name):
    if not fault(name):
        assert name not in ("", ".", "..")
        assert "/" not in name
        assert "\0" not in name
        name.encode("utf-8")
