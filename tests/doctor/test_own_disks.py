"""Disks for self-tests of a node in a process of its own: made, grown, and gone with their images."""

import os

import pytest
from tests.emulator.nodes import NodeDirectory

from csiproxy.doctor.own_disks import EmulatedDisks

MIB = 1 << 20


@pytest.fixture
def node(tmp_path):
    node = NodeDirectory(os.path.realpath(tmp_path / "node"))
    yield node
    node.stop()


def test_a_disk_comes_grows_and_goes(node):
    host = node.connect()
    with EmulatedDisks(node.path).attach(64 * MIB) as disk:
        [found] = host.cim.instances("MSFT_Disk", Number=disk.number)
        assert found.number("Size") == 64 * MIB
        disk.grow(128 * MIB)
        disk.detach()
        assert len(host.cim.instances("MSFT_Disk")) == 1
    assert len(host.cim.instances("MSFT_Disk")) == 1


def test_a_disk_can_be_held_back(node):
    host = node.connect()
    with EmulatedDisks(node.path).attach(64 * MIB, held_back=True) as disk:
        [found] = host.cim.instances("MSFT_Disk", Number=disk.number)
        assert (found.flag("IsOffline"), found.number("OfflineReason")) == (True, 1)
