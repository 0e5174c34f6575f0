import pytest

from csiproxy.errors import FailedPrecondition, NotFound, Unavailable
from csiproxy.mounter.answers import is_refusal
from csiproxy.mounter.links import is_live_link, remove_link

HOME = r"C:\var\lib\kubelet"


@pytest.fixture
def client(node):
    with node.client() as opened:
        opened.filesystem.mkdir(HOME)
        yield opened


def test_a_no_is_told_from_silence():
    assert is_refusal(NotFound("x"))
    assert not is_refusal(Unavailable("x"))


def test_links_and_empty_directories_are_removed_and_others_are_not(node, client):
    for name in ("full", "empty"):
        client.filesystem.mkdir(rf"{HOME}\{name}")
    (node.path(HOME) / "full" / "file").write_text("x")
    client.filesystem.create_symlink(source_path=rf"{HOME}\full", target_path=rf"{HOME}\link")
    assert is_live_link(client, rf"{HOME}\link")
    assert not is_live_link(client, rf"{HOME}\full")
    assert not is_live_link(client, rf"{HOME}\none")
    for name in ("link", "empty", "none", "link"):
        remove_link(client, rf"{HOME}\{name}")
    with pytest.raises(FailedPrecondition):
        remove_link(client, rf"{HOME}\full")
    assert (node.path(HOME) / "full" / "file").read_text() == "x"
