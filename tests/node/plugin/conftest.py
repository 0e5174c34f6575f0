"""A node with its proxy for each test module, and a plugin on it for each test."""

import pytest
from tests.node.plugin.ground import in_process

import csiproxy.testing


@pytest.fixture(scope="module")
def node():
    with csiproxy.testing.Node.temporary() as running:
        yield running


@pytest.fixture
def plugin(node, short_directory):
    with in_process(node, short_directory) as running:
        yield running
    node.control.reset()
