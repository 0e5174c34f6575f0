import os

import pytest
from tests.testing.node_sim.conftest import DRIVER

from csiproxy.testing.node_sim.node import SimulatedNode
from csiproxy.testing.node_sim.retrying import Backoff


def test_a_nodes_sockets_are_on_its_drive_and_everything_ends_with_it(cluster):
    node = cluster.nodes["node-1"]
    kubelet = node.drive.on_host(r"C:\var\lib\kubelet")
    assert os.path.exists(os.path.join(kubelet, "plugins_registry", f"{DRIVER}-reg.sock"))
    assert os.path.exists(os.path.join(kubelet, "plugins", DRIVER, "csi.sock"))
    assert node.kubelet.registered(DRIVER) == "node-1"


def test_a_node_that_cannot_start_leaves_nothing_running(short_directory):
    directory = short_directory / "n"
    with pytest.raises(Exception, match="no name for a driver"):
        SimulatedNode("n", str(directory), str(short_directory / "images"), "no/driver", Backoff())
    assert not os.path.exists(directory / "node" / "node.sock")
