"""Ground for self-tests: an emulated node in this process, through its own port and through the adapter."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.emulated import EmulatedNode
from tests.windows.adapted import adapted

from csiproxy.doctor.ground import Ground
from csiproxy.host import Host
from csiproxy.host.cim import Result, Session


class NodesDisks:
    """Images, attached to a node in this process."""

    def __init__(self, node: EmulatedNode) -> None:
        self._node = node
        self.attached: list[int] = []

    @contextmanager
    def attach(self, size: int, *, held_back: bool = False) -> Iterator["NodesDisk"]:
        disk = NodesDisk(self._node, self._node.attach(size, policy_read_only=held_back))
        self.attached.append(disk.number)
        try:
            yield disk
        finally:
            disk.detach()
            self.attached.remove(disk.number)


class NodesDisk:
    def __init__(self, node: EmulatedNode, number: int) -> None:
        self._node = node
        self.number = number
        self._attached = True

    def grow(self, size: int) -> None:
        self._node.machine.disks.grow(self.number, size)

    def detach(self) -> None:
        if self._attached:
            self._attached = False
            self._node.machine.disks.detach(self.number)


class Bent:
    """A CIM session whose answers some functions bend, by class and method or by association."""

    def __init__(self, session: Session, **bends) -> None:
        self._session = session
        self._bends = bends

    def instances(self, class_name, /, **where):
        found = self._session.instances(class_name, **where)
        return self._bends.get(class_name, lambda found: found)(found)

    def associated(self, instance, association, result_class, result_role=""):
        found = self._session.associated(instance, association, result_class, result_role)
        return self._bends.get(association, lambda found: found)(found)

    def invoke(self, target, method, /, **parameters):
        result = self._session.invoke(target, method, **parameters)
        bend = self._bends.get(method)
        return result if bend is None else Result(bend(result.return_value), result.out)


class Clock:
    """A clock that only pauses move."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def node(tmp_path) -> Iterator[EmulatedNode]:
    node = EmulatedNode(tmp_path)
    yield node
    node.close()


@pytest.fixture
def bent(node):
    """Make a ground whose CIM answers are bent."""

    def make(**bends) -> Ground:
        clock = Clock()
        host = Host(Bent(node.host.cim, **bends), node.host.win32)
        return Ground(host, NodesDisks(node), False, clock.sleep, clock)

    return make


@pytest.fixture(params=["the node's own port", "the adapter for Windows"])
def ground(node, request) -> Iterator[Ground]:
    win32 = node.host.win32 if "own" in request.param else adapted(node.host.win32)
    disks = NodesDisks(node)
    before = node.names("C:\\")
    yield Ground(Host(node.host.cim, win32), disks, False)
    assert disks.attached == []
    assert node.names("C:\\") == before
