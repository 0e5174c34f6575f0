"""A node for this folder's tests, as our server says failures, and as the Go csi-proxy does."""

import itertools
from collections.abc import Iterator

import pytest
from tests.client.plain import plain_client

from csiproxy.client import Client
from csiproxy.mounter import Mounter
from csiproxy.testing import Disk, Node

KUBELET = r"C:\var\lib\kubelet"
_COUNT = itertools.count(1)


@pytest.fixture(scope="package")
def node() -> Iterator[Node]:
    with Node.temporary() as made:
        yield made


@pytest.fixture(params=["ours", "plain"])
def client(node, request) -> Iterator[Client]:
    with node.client() if request.param == "ours" else plain_client(node) as made:
        yield made


@pytest.fixture
def mounter(client) -> Mounter:
    return Mounter(client)


@pytest.fixture
def staging() -> str:
    """A place to stage at, spelt as kubelet does; nothing is there."""
    return rf"\var\lib\kubelet\plugins\kubernetes.io\csi\pv{next(_COUNT)}\globalmount"


@pytest.fixture
def published() -> str:
    """A place to publish at, spelt as Go programs do; nothing is there."""
    return f"/var/lib/kubelet/pods/uid{next(_COUNT)}/volumes/pv/mount"


@pytest.fixture
def disk(node) -> Disk:
    """A raw disk."""
    return node.attach(f"m{next(_COUNT)}.img")


@pytest.fixture
def volume(client, disk) -> str:
    """A formatted volume."""
    client.disk.partition_disk(disk.number)
    [found] = client.volume.list_volumes_on_disk(disk.number)
    client.volume.format_volume(found)
    return found
