from pathlib import Path

import click
import pytest

from csiproxy.cli.failure import Failure
from csiproxy.cli.places import endpoints_directory, node_directory, open_channel, open_node, read_host
from csiproxy.errors import Code
from csiproxy.rpc.status import RpcError


def test_a_host_is_named_as_for_serve() -> None:
    assert read_host("emulator:/tmp/node") == "/tmp/node"


@pytest.mark.parametrize("text", ["", "/tmp/node", "emulator:", "windows:", "Emulator:/x"])
def test_another_host_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(click.UsageError, match="write emulator:DIR"):
        read_host(text)


def test_state_goes_before_host() -> None:
    assert node_directory("/a", "emulator:/b") == "/a"
    assert node_directory(None, "emulator:/b") == "/b"


def test_a_node_that_is_not_named_is_asked_for() -> None:
    with pytest.raises(click.UsageError, match="--state DIR"):
        node_directory(None, None)


def test_endpoints_are_where_serve_puts_them() -> None:
    assert endpoints_directory("/e", "emulator:/b") == "/e"
    assert endpoints_directory(None, "emulator:/b") == "/b/endpoints"
    with pytest.raises(click.UsageError, match="--endpoints DIR"):
        endpoints_directory(None, None)


def test_a_node_that_does_not_run_is_not_started_but_the_command_is_said(tmp_path: Path) -> None:
    with pytest.raises(Failure) as failed:
        open_node(str(tmp_path))
    assert failed.value.problem.next_step == f"start it: csi-proxy emulator run --state {tmp_path}"
    assert list(tmp_path.iterdir()) == []


def test_a_channel_to_nobody_is_unavailable(tmp_path: Path) -> None:
    with open_channel(str(tmp_path), "csi-proxy-disk-v1") as channel, pytest.raises(RpcError) as failed:
        channel.call("/v1.Disk/Rescan", b"")
    assert failed.value.code is Code.UNAVAILABLE
