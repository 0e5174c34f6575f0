from tests.cli.conftest import CommandLine


def test_the_flags_are_the_drivers_own(csi_proxy: CommandLine) -> None:
    shown = csi_proxy("testing", "csi-driver", "--help")
    assert shown.code == 0
    assert "--images" in shown.out
    assert "usage: csi-proxy testing csi-driver" in shown.out
