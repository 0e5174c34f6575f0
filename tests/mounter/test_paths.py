r"""Paths as Kubernetes writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.errors import InvalidArgument
from csiproxy.mounter.paths import is_share, is_volume_id, normalised, on_node, parent

VOLUME = r"\\?\Volume{760e54cf-1653-427c-a597-4db0c4850597}" + "\\"


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("/var/lib/kubelet", r"c:\var\lib\kubelet"),
        (r"\var\lib\kubelet", r"c:\var\lib\kubelet"),
        (r"C:\var\lib", r"C:\var\lib"),
        ("c:/var/lib", r"c:\var\lib"),
        ("relative/path", r"relative\path"),
        ("//server/share", r"\\server\share"),
        (VOLUME, VOLUME),
        ("", ""),
    ],
)
def test_a_path_is_normalised_as_kubernetes_does_and_shares_stay(path, normal):
    assert normalised(path) == normal


@given(st.text())
def test_to_normalise_twice_changes_nothing_more(text):
    assert normalised(normalised(text)) == normalised(text)


@pytest.mark.parametrize(
    ("path", "normal"), [("/var/lib/", r"c:\var\lib"), ("D:\\", "D:\\"), (r"C:\a\\", r"C:\a")]
)
def test_a_path_of_the_node_has_no_last_backslash(path, normal):
    assert on_node(path) == normal


@pytest.mark.parametrize("path", ["", "relative", r"C:relative", r"\\server\share", VOLUME, "C:"])
def test_what_is_on_no_drive_of_the_node_is_refused(path):
    with pytest.raises(InvalidArgument, match="no absolute path"):
        on_node(path)


def test_a_parent_is_a_windows_parent_on_every_system():
    assert parent("/var/lib/kubelet/pods") == r"c:\var\lib\kubelet"


def test_volume_ids_and_shares_are_told_from_paths():
    assert is_volume_id(VOLUME)
    assert not is_volume_id(r"C:\Volume")
    assert is_share("//server/share")
    assert is_share(r"\\server\share\below")
    assert not any(is_share(text) for text in (VOLUME, r"\\.\PhysicalDrive1", r"\var", "", "\\\\", r"\\\x"))
