"""What the service commands offer without a node."""

from tests.cli.conftest import CommandLine


def test_a_start_mode_that_windows_does_not_know_is_a_wrong_command_line(csi_proxy: CommandLine) -> None:
    shown = csi_proxy("emulator", "service", "set", "--state", "/nonexistent", "MSiSCSI", "Sometimes")
    assert shown.code == 2


def test_without_a_node_it_says_how_to_start_one(csi_proxy: CommandLine) -> None:
    shown = csi_proxy("emulator", "service", "list", "--state", "/nonexistent")
    assert shown.code == 1
    assert "emulator run" in shown.err
