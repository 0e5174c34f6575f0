"""A node's namespace on directories of the test, in this process."""

import os

import pytest
from tests.emulator.ground import start
from tests.emulator.nodes import NodeDirectory
from tests.emulator.plain_volumes import FIRST, SECOND, PlainVolumes
from tests.emulator.storage_ground import StorageGround


@pytest.fixture
def ground(tmp_path):
    """The namespace of a fresh node; two volumes, a file in each, and a file outside."""
    base = os.path.realpath(tmp_path)
    directories = {}
    for name, volume in (("one", FIRST), ("two", SECOND)):
        directories[volume] = os.path.join(base, "images", f"{name}.img.d", "files")
        os.makedirs(directories[volume])
        with open(os.path.join(directories[volume], "data"), "w") as file:
            file.write(name)
    ground = start(base, PlainVolumes(directories))
    with open(os.path.join(ground.outside, "secret"), "w") as file:
        file.write("keep")
    yield ground
    ground.state.close()


@pytest.fixture
def root(ground):
    """The root directory of drive C:, open."""
    with ground.root() as directory:
        yield directory


@pytest.fixture
def storage(tmp_path):
    """The disks and the CIM server of a fresh node."""
    ground = StorageGround(tmp_path / "node")
    yield ground
    ground.close()


@pytest.fixture
def node(tmp_path):
    """The directory of a node; whatever runs there is stopped afterwards."""
    node = NodeDirectory(os.path.join(os.path.realpath(tmp_path), "node"))
    yield node
    node.stop()
