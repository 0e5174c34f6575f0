"""The picture of a pod whose volume is on no disk; that of a running pod is in test_cluster.py."""

from tests.testing.node_sim.conftest import POD

from csiproxy.testing.node_sim.cluster import Attached, Running
from csiproxy.testing.node_sim.picture import draw


def test_a_volume_that_is_on_no_disk_is_shown_so(cluster, bound):
    running = Running(POD, "uid", cluster.nodes["node-1"], {"data": Attached(bound, {})}, {})
    leaf = draw(cluster, running)
    while leaf.children:
        [leaf] = leaf.children
    assert str(leaf.label) == "no disk of the node"
