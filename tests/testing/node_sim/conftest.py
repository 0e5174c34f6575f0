"""A running cluster that the tests of a module share."""

import pytest

from csiproxy.testing.node import temporary_directory
from csiproxy.testing.node_sim.cluster import Cluster
from csiproxy.testing.node_sim.manifests import Claim, Mount, Pod, StorageClass
from csiproxy.testing.node_sim.retrying import Backoff

MIB = 1 << 20
DRIVER = "d.example"
STORAGE = StorageClass("fast", DRIVER, {"type": "disk"}, (), expansion=True)
CLAIM = Claim("data", "default", "fast", "ReadWriteOnce", 64 * MIB)
POD = Pod("pod", "default", (Mount("container", "data", r"C:\data", read_only=False),))


@pytest.fixture(scope="module")
def cluster():
    with temporary_directory() as directory, Cluster(str(directory), DRIVER, Backoff(pace=0.02)) as running:
        for node in running.nodes.values():
            registered(node)
        yield running


def registered(node):
    from tests.running import until

    until(lambda: node.kubelet.registered(DRIVER))


@pytest.fixture
def bound(cluster):
    """A claim with its volume; afterwards it is on no node and deleted."""
    made, _ = cluster.provision(CLAIM, STORAGE)
    yield made
    for node in cluster.nodes.values():
        cluster.control_plane.detach(made.volume, node.name)
    cluster.control_plane.delete(made.volume)
