import pytest

from csiproxy.node.registrar.settings import HttpAddress, parse

REQUIRED = "--kubelet-registration-path=C:\\var\\lib\\kubelet\\plugins\\x\\csi.sock"


def refused(capsys, *argv):
    with pytest.raises(SystemExit) as ended:
        parse(argv)
    assert ended.value.code == 1
    return capsys.readouterr().err


def test_the_defaults_are_those_of_the_sidecar():
    settings = parse([REQUIRED])
    assert settings.csi_socket == "/run/csi/socket"
    assert settings.registration_directory == "/registration"
    assert settings.timeout == 1.0
    assert settings.http is None
    assert not settings.probe


def test_the_flags_of_real_manifests_are_taken():
    settings = parse(
        [
            r"--csi-address=unix://C:\\csi\\csi.sock", REQUIRED, "--v=2", "-v=5", "--timeout=30s",
            r"--plugin-registration-path=C:\\registration", "--http-endpoint=:9809",
            "--connection-timeout=5s",
        ]
    )  # fmt: skip
    assert settings.csi_socket == r"C:\\csi\\csi.sock"
    assert settings.http == HttpAddress("", 9809)
    assert settings.timeout == 30.0


def test_the_path_for_kubelet_is_required(capsys):
    assert "--kubelet-registration-path" in refused(capsys)


def test_two_places_for_the_health_endpoint_exclude_each_other(capsys):
    assert "exclude" in refused(capsys, REQUIRED, "--http-endpoint=:1", "--health-port=2")
    assert parse([REQUIRED, "--health-port=2"]).http == HttpAddress("", 2)


def test_the_probe_mode_needs_nothing():
    assert parse(["--mode=kubelet-registration-probe"]).probe


@pytest.mark.parametrize("flag", ["--http-endpoint=9809", "--http-endpoint=:0", "--http-endpoint=example:1",
                                  "--health-port=70000", "--csi-address=tcp://x:1", "--timeout=1",
                                  "--enable-pprof"])  # fmt: skip
def test_a_flag_that_means_nothing_is_refused_by_name(flag, capsys):
    assert flag.partition("=")[0] in refused(capsys, REQUIRED, flag)
