import pytest

from csiproxy.node.plugin.settings import DRIVER, parse

GIVEN = ("--endpoint=unix:///csi/csi.sock", "--node-id=n")


def refused(capsys, *argv):
    with pytest.raises(SystemExit) as ended:
        parse(argv)
    assert ended.value.code == 1
    return capsys.readouterr().err


def test_two_flags_are_enough():
    settings = parse(GIVEN)
    assert (settings.socket, settings.state, settings.driver) == ("/csi/csi.sock", "/csi/state", DRIVER)
    assert settings.info.node_id == "n"
    assert settings.proxy is None


def test_everything_may_be_said():
    settings = parse(
        [
            *GIVEN, "--driver-name=a.b", "--proxy-endpoints=/p", "--state-dir=/s", "--drive-c=/c", "--v=5",
            "--topology=zone=z1", "--topology=topology.example/rack=r", "--max-volumes=16",
        ]
    )  # fmt: skip
    assert (settings.driver, settings.proxy, settings.state, settings.drive_c) == ("a.b", "/p", "/s", "/c")
    assert settings.info.topology == {"zone": "z1", "topology.example/rack": "r"}
    assert settings.info.max_volumes == 16


def test_endpoint_and_node_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("CSI_ENDPOINT", "unix:///csi/csi.sock")
    monkeypatch.setenv("KUBE_NODE_NAME", "n")
    assert parse([]).socket == "/csi/csi.sock"
    assert parse([]).info.node_id == "n"


@pytest.mark.parametrize(
    "flag",
    ["--endpoint=tcp://x:1", "--node-id=", "--driver-name=a/b", "--topology=zone", "--max-volumes=-1"],
)
def test_a_flag_that_means_nothing_is_refused_by_name(flag, capsys):
    assert flag.partition("=")[0] in refused(capsys, *GIVEN, flag)


def test_what_is_missing_is_named(capsys, monkeypatch):
    monkeypatch.delenv("CSI_ENDPOINT", raising=False)
    monkeypatch.delenv("KUBE_NODE_NAME", raising=False)
    said = refused(capsys)
    assert "--endpoint" in said
    assert "--node-id" in said
