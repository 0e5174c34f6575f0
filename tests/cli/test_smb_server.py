"""What the commands for servers of shares offer without a node."""

import pytest
from tests.cli.conftest import CommandLine


@pytest.mark.parametrize("place", ["files", "files=host", "files=host:0", "=host:1", "files=host:99999"])
def test_what_is_no_place_is_a_wrong_command_line(csi_proxy: CommandLine, place: str) -> None:
    for command in (("smb-server", "set", "--state", "/nonexistent", place), ("run", "--smb-server", place)):
        shown = csi_proxy("emulator", *command)
        assert shown.code == 2
        assert "NAME=HOST:PORT" in shown.err


def test_without_a_node_it_says_how_to_start_one(csi_proxy: CommandLine) -> None:
    shown = csi_proxy("emulator", "smb-server", "list", "--state", "/nonexistent")
    assert shown.code == 1
    assert "emulator run" in shown.err
