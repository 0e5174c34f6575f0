"""One node for this folder's tests, with clients that see all of its versions or one of each group."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import leaks

from csiproxy.api.endpoints import socket_path
from csiproxy.api.versions import CONTRACTS
from csiproxy.client import NO_RETRY, Client, connect
from csiproxy.testing import Node

MIB = 1 << 20
PLUGINS = r"C:\var\lib\kubelet\plugins\kubernetes.io\csi"
PODS = r"C:\var\lib\kubelet\pods"
_COUNT = itertools.count(1)


@pytest.fixture
def tmp_path(short_directory: Path) -> Iterator[Path]:
    """Sockets are what the tests of this folder keep in theirs."""
    yield short_directory
    leaks.search(short_directory)


@pytest.fixture(scope="package")
def node() -> Iterator[Node]:
    with Node.temporary() as made:
        yield made


@pytest.fixture
def client(node) -> Iterator[Client]:
    with node.client() as made:
        yield made


def only(node: Node, directory: Path, *names: str) -> Client:
    """A client of a node that serves these versions alone."""
    for contract in CONTRACTS:
        if contract.name in names:
            os.symlink(
                socket_path(str(node.endpoints), contract.endpoint),
                socket_path(str(directory), contract.endpoint),
            )
    return connect(directory, retry=NO_RETRY)


def names(group: str) -> list[str]:
    return [contract.name for contract in CONTRACTS if contract.group == group]


@pytest.fixture
def disk(node) -> int:
    """A raw disk."""
    number = next(_COUNT)
    return node.attach(f"{number}.img", serial=f"SERIAL{number}", lun=number).number


@pytest.fixture
def place(client) -> str:
    """An empty directory of the node under the plugins directory."""
    path = rf"{PLUGINS}\t{next(_COUNT)}"
    client.filesystem.mkdir(path)
    return path


@pytest.fixture
def volume(client, disk) -> str:
    """A formatted volume."""
    client.disk.partition_disk(disk)
    [found] = client.volume.list_volumes_on_disk(disk)
    client.volume.format_volume(found)
    return found
