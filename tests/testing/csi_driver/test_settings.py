import pytest

from csiproxy.testing.csi_driver.settings import GIB, parse

GIVEN = ("--endpoint=/s", "--node-id=n", "--images=/i")


def test_nodes_are_named_with_their_directories():
    settings = parse([*GIVEN, "--node=a=/a", "--node=b=/b=c", "--capacity=2"])
    assert settings.nodes == {"a": "/a", "b": "/b=c"}
    assert settings.capacity == 2 * GIB
    assert settings.plugin.proxy is None


@pytest.mark.parametrize("flag", ["--node=a", "--node==x", "--capacity=-1", "--capacity=x"])
def test_a_flag_that_means_nothing_is_refused_by_name(flag, capsys):
    with pytest.raises(SystemExit) as ended:
        parse([*GIVEN, flag])
    assert ended.value.code == 1
    assert flag.partition("=")[0] in capsys.readouterr().err
