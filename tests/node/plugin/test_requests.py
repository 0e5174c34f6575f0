import pytest

from csiproxy.errors import InvalidArgument
from csiproxy.node.plugin import requests
from csiproxy.node.plugin.capability import Kind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/var/lib/x", r"c:\var\lib\x"),
        (r"\var\lib\x", r"c:\var\lib\x"),
        ("C:\\a\\mount/target", r"C:\a\mount\target"),
        (r"\\server\share", r"\\server\share"),
    ],
)
def test_paths_are_spelt_as_windows_spells_them(text, expected):
    assert requests.path(text, "path") == expected


def test_spellings_of_a_path_are_the_same_path():
    assert requests.same_path("C:\\a\\b\\", r"c:\A\B")
    assert not requests.same_path(r"C:\a", r"C:\ab")


def test_what_a_context_says_is_read_or_refused():
    assert requests.kind({}) is Kind.DISK
    assert requests.kind({"type": "smb"}) is Kind.SMB
    assert requests.attached_read_only({"readOnly": "true"})
    assert not requests.attached_read_only({"readOnly": "yes"})
    assert requests.demand({"a": "b"}, "a", Kind.SMB) == "b"
    for bad in (lambda: requests.kind({"type": "x"}), lambda: requests.demand({}, "a", Kind.SMB)):
        with pytest.raises(InvalidArgument):
            bad()


@pytest.mark.parametrize("text", ["", "x" * 129, "ä" * 65])
def test_an_id_is_there_and_not_too_long(text):
    with pytest.raises(InvalidArgument):
        requests.volume_id(text)
    assert requests.volume_id("x" * 128)
