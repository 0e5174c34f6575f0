import pytest

from csiproxy.errors import FailedPrecondition
from csiproxy.node.plugin.publishing import publish, unpublish

HOME = r"C:\var\lib\kubelet"


def test_a_target_is_a_link_to_what_is_mounted_and_goes_alone(node):
    with node.client() as client:
        for name in ("real", "pod"):
            client.filesystem.mkdir(rf"{HOME}\{name}")
        (node.path(HOME) / "real" / "file").write_text("x")
        with pytest.raises(FailedPrecondition, match="stage it first"):
            publish(client, rf"{HOME}\real", rf"{HOME}\pod\mount")
        client.filesystem.create_symlink(source_path=rf"{HOME}\real", target_path=rf"{HOME}\staged")
        for _ in range(2):
            publish(client, rf"{HOME}\staged", rf"{HOME}\pod\mount")
        assert (node.path(HOME) / "pod" / "mount" / "file").read_text() == "x"
        for _ in range(2):
            unpublish(client, rf"{HOME}\pod\mount")
        assert (node.path(HOME) / "real" / "file").read_text() == "x"
