import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.errors import InvalidArgument
from csiproxy.kubelet.paths import Drive, join, key


def test_spellings_of_one_place_have_one_key():
    assert len({key(path) for path in (r"\var\x", "/var/x", r"c:\var\x", r"C:\VAR\X", "C:/var/x")}) == 1


def test_a_place_on_the_drive_is_found_on_this_machine():
    drive = Drive("/node/c")
    for path in (r"C:\var\lib", r"\var\lib", "/var/lib", "c:\\var\\\\lib\\"):
        assert drive.on_host(path) == "/node/c/var/lib"
    assert drive.windows("/node/c/var/lib/x") == r"c:\var\lib\x"
    assert drive.windows("/node/c") == "c:\\"


@pytest.mark.parametrize(
    "path", [r"D:\x", r"var\lib", r"\\.\pipe\x", r"\\server\share", r"C:\..\x", r"C:\a\..\..\b", "", "C:"]
)
def test_what_is_not_on_the_drive_is_refused(path):
    with pytest.raises(InvalidArgument):
        print(Drive("/node/c").on_host(path))


@given(st.text())
def test_no_path_leads_out_of_the_drive(path):
    try:
        found = Drive("/node/c").on_host(path)
    except InvalidArgument:
        return
    assert found.startswith("/node/c")
    assert ".." not in found.split("/")


def test_joining_takes_a_directory_with_or_without_its_last_backslash():
    assert join("C:\\", "var", "lib") == r"C:\var\lib"
    assert join(r"C:\var", "lib") == r"C:\var\lib"
