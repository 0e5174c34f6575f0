"""Two nodes and a driver for each module; each test has names, volumes and nodes of its own."""

import shutil

import pytest
from tests.csi_conformance.bed import Bed
from tests.testing.csi_driver.ground import Driver

import csiproxy.testing
from csiproxy.testing.node import temporary_directory


@pytest.fixture(scope="module")
def nodes():
    with csiproxy.testing.NodePair.temporary() as pair:
        yield (pair.first, pair.second)


@pytest.fixture(scope="module")
def driver(nodes):
    with temporary_directory() as directory:
        running = Driver(directory, nodes)
        yield running
        running.close()


@pytest.fixture
def bed(nodes, driver):
    bed = Bed(driver)
    yield bed
    bed.close()
    for node in nodes:
        node.control.reset()
    for image in driver.images.iterdir():
        shutil.rmtree(image) if image.is_dir() else image.unlink()


@pytest.fixture
def csi(bed):
    return bed.csi
