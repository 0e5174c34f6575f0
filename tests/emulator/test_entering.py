"""The way into a node through its entrance."""

import pytest
from tests.emulator.entered import entered

from csiproxy.emulator.entering import enter
from csiproxy.emulator.machine import Machine
from csiproxy.errors import HostUnreachable


def test_both_halves_of_the_port_are_the_nodes(tmp_path):
    with Machine(str(tmp_path / "node")) as machine, entered(machine, str(tmp_path / "token")) as found:
        host = enter(found.token_file)
        assert [disk.text("Path") for disk in host.cim.instances("MSFT_Disk")] == [
            disk.text("Path") for disk in machine.session.instances("MSFT_Disk")
        ]
        with host.win32.open_root("C:\\") as drive:
            assert "var" in [entry.name for entry in host.win32.entries(drive)]


def test_where_nobody_listens_the_node_is_unreachable(tmp_path):
    with pytest.raises(HostUnreachable):
        enter(str(tmp_path / "none"))
