"""A proxy as a process."""

import json
import signal

import pytest

from csiproxy.client import connect
from csiproxy.testing.proxy import Proxy


@pytest.fixture
def place(csi_proxy_node, request):
    """The node, and room for a second proxy on it."""
    return str(csi_proxy_node.directory / "node"), str(csi_proxy_node.directory / "e")


def test_a_proxy_answers_once_it_is_made_and_its_records_can_be_read(place):
    with Proxy(*place, serve=("disk/v1",)) as proxy:
        with connect(place[1]) as client:
            client.disk.rescan()
        assert any(json.loads(line).get("rpc") == "/v1.Disk/Rescan" for line in proxy.errors)
        assert proxy.stop() == 0


def test_a_proxy_that_is_killed_has_ended_by_that(place):
    with Proxy(*place, serve=("disk/v1",)) as proxy:
        assert proxy.pid > 0
        proxy.close()
        assert proxy.wait() == -signal.SIGKILL


def test_where_it_writes_to_a_file_there_is_no_pipe_to_read(place, tmp_path):
    with open(tmp_path / "log", "wb") as log, Proxy(*place, serve=("disk/v1",), errors=log) as proxy:
        with pytest.raises(ValueError, match="writes to a file"):
            _ = proxy.errors


def test_why_it_did_not_start_is_said(place):
    with pytest.raises(RuntimeError, match="names no API version"):
        Proxy(*place, serve=("no/such",))
