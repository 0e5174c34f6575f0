"""Every RPC of every contract on an emulated node of this process: what an input chooses from."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from csiproxy import operations
from csiproxy.api import versions
from csiproxy.api.versions import Contract
from csiproxy.emulator import image
from csiproxy.emulator.machine import Machine
from csiproxy.host import Host
from csiproxy.operations import Operations
from csiproxy.operations.configuration import Configuration
from csiproxy.operations.context import Context
from csiproxy.server import route
from csiproxy.server.route import Route

KUBELET = r"C:\var\lib\kubelet"
PLUGINS, PODS = KUBELET + r"\plugins\kubernetes.io\csi", KUBELET + r"\pods"
CONFIGURATION = Configuration(KUBELET, (), PLUGINS, PODS, allow_reformat=False)
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One RPC: the path that a client calls, and the way that the server found for it."""

    path: str
    route: Route

    @property
    def contract(self) -> Contract:
        """The contract that it belongs to."""
        return self.route.contract


def scratch() -> str:
    """A directory of this process, which goes with it.

    An engine ends without a farewell, so its parent names a directory (TMPDIR) and removes that.
    """
    directory = tempfile.mkdtemp(prefix="csi-proxy-fuzz-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory


@cache
def machine() -> Machine:
    """A node with two raw disks."""
    directory = scratch()
    node = Machine(os.path.join(directory, "node"))
    atexit.register(node.close)
    node.seed("fuzz")
    for number in (1, 2):
        path = os.path.join(directory, f"{number}.img")
        image.create(path, 64 * _MIB)
        node.disks.attach(path)
    return node


@cache
def groups() -> Operations:
    """The operations on that node, whose second disk has a formatted volume by now."""
    node = machine()
    built = operations.build(Host(node.session, node.win32), CONFIGURATION)
    built.disk.partition_disk(Context(), disk_number=2)
    for volume in built.volume.list_volumes_on_disk(Context(), disk_number=2, partition_number=0).volume_ids:
        built.volume.format_volume(Context(), volume_id=volume)
    return built


@cache
def endpoints() -> tuple[Endpoint, ...]:
    """All RPCs, in the order of the version table."""
    return tuple(_endpoints())


def _endpoints() -> Iterator[Endpoint]:
    for contract in versions.CONTRACTS:
        for path in contract.methods():
            found = route.find(contract, path, groups())
            assert found is not None
            yield Endpoint(path, found)


def chosen(number: int) -> Endpoint:
    """The RPC that a number of an input means."""
    known = endpoints()
    return known[number % len(known)]
