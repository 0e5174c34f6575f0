"""Two nodes for each test module, and a driver for each test."""

import pytest
from tests.testing.csi_driver.ground import Driver

import csiproxy.testing


@pytest.fixture(scope="module")
def nodes():
    with csiproxy.testing.NodePair.temporary() as pair:
        yield (pair.first, pair.second)


@pytest.fixture
def driver(nodes, short_directory):
    running = Driver(short_directory, nodes)
    yield running
    running.close()
    for node in nodes:
        node.control.reset()
