import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.emulator import names
from csiproxy.errors import Win32Error
from csiproxy.host.names import fault


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "a\\b", "a:b", "a*", "a?", 'a"', "<a", "a>", "a|b", "a\0", "a\n", "a.", "a ",
     "...", "CON", "con", "nul.txt", "NUL .txt", "Com1", "lpt9.x", "COM¹", "LPT³.y", "CONIN$", "conout$.log",
     "aux.", "\udcff", "a\ud800b", "x" * 256, "𐐨" * 128],
)  # fmt: skip
def test_names_that_windows_cannot_have_are_refused_as_invalid(name):
    with pytest.raises(Win32Error) as refusal:
        names.check(name, "NtCreateFile")
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
    names.check(name, "NtCreateFile")


@given(st.text(max_size=300))
def test_a_name_that_passes_can_be_one_component_of_a_host_path(name):
    if not fault(name):
        assert name not in ("", ".", "..")
        assert "/" not in name
        assert "\0" not in name
        name.encode("utf-8")
