"""Which host is opened."""

import sys

import pytest

from csiproxy.emulator.control import Control
from csiproxy.errors import Unavailable, Unimplemented
from csiproxy.hosts import open_host


def test_a_node_that_does_not_run_is_started(short_directory):
    node = str(short_directory / "node")
    host = open_host(node)
    assert [disk.number("Number") for disk in host.cim.instances("MSFT_Disk")] == [0]
    with Control(node) as control:
        control.stop()


def test_a_file_that_opens_no_entrance_is_unavailable(tmp_path):
    token = tmp_path / "token"
    token.write_text("no token")
    with pytest.raises(Unavailable, match="cannot be reached or started"):
        open_host(str(token))


@pytest.mark.skipif(sys.platform == "win32", reason="this machine is a Windows")
def test_only_a_windows_manages_its_own_storage():
    with pytest.raises(Unimplemented, match="name an emulated node"):
        open_host()
