from tests.cli.conftest import CommandLine


def test_what_there_is_is_listed(csi_proxy: CommandLine) -> None:
    shown = csi_proxy("testing", "--help")
    assert shown.code == 0
    assert "csi-driver" in shown.out
