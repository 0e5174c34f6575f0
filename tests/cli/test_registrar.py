from tests.cli.conftest import CommandLine


def test_the_flags_are_the_sidecars_own(csi_proxy: CommandLine) -> None:
    shown = csi_proxy("registrar", "--help")
    assert shown.code == 0
    assert "--kubelet-registration-path" in shown.out


def test_what_is_wrong_with_a_flag_is_one_line_and_exit_code_one(csi_proxy: CommandLine) -> None:
    shown = csi_proxy("registrar")
    assert shown.code == 1
    assert shown.err.count("\n") == 1
