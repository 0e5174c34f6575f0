"""The command on a system without COM; tests/wine has it where it works."""

from tests.cli.conftest import CommandLine


def test_it_says_where_it_belongs(csi_proxy: CommandLine) -> None:
    shown = csi_proxy("emulator", "com-server", "--node", "/tmp/token")
    assert (shown.code, shown.out) == (1, "")
    assert "Windows Python under Wine" in shown.err


def test_it_wants_a_node(csi_proxy: CommandLine) -> None:
    assert csi_proxy("emulator", "com-server").code == 2
