"""What the script asks of a contract; each contract says it in RPCs of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from csiproxy.cli.demo.client import Reply
from csiproxy.cli.demo.node import Node
from csiproxy.cli.demo.player import Player
from csiproxy.cli.places import KUBELET_PATH

VOLUME_NAME = "pvc-demo"
STAGING = rf"{KUBELET_PATH}\plugins\kubernetes.io\csi\{VOLUME_NAME}"
FOREIGN_STAGING = rf"{KUBELET_PATH}\plugins\kubernetes.io\csi\pvc-foreign"
POD = rf"{KUBELET_PATH}\pods\0b5f1d8c-demo"
PUBLISHED = rf"{POD}\{VOLUME_NAME}"


@dataclass(frozen=True, slots=True)
class Expected:
    """How a disk is recognised: what the control plane knows of it."""

    serial: str
    lun: int


@dataclass(frozen=True, slots=True)
class Staged:
    """A volume in use: its disk's number, its id, and where it is mounted."""

    disk: int
    volume: str
    path: str


class Dialect(Protocol):
    """A contract on one node.  Every method plays its calls and checks what came of them."""

    def rescan(self) -> None:
        """Let the node look for disks."""
        ...

    def find(self, expected: Expected) -> int:
        """Find a disk by its identifier and by its place; return its number."""
        ...

    def partition(self, disk: int, *, volumes: int) -> str:
        """See that a disk has a partition; return its first volume of as many as expected."""
        ...

    def format(self, volume: str) -> None:
        """Put a file system on a raw volume."""
        ...

    def stage(self, staged: Staged) -> None:
        """Make the staging directory and mount the volume there."""
        ...

    def restage(self, staged: Staged) -> None:
        """The same on another node, for a volume that must have kept its file system."""
        ...

    def publish(self, staged: Staged, link: str) -> None:
        """Make the volume visible at the pod's path."""
        ...

    def statistics(self, staged: Staged, at_least: int) -> None:
        """Ask how full the volume is, where the contract can; bytes."""
        ...

    def resize(self, staged: Staged, disk_size: int) -> None:
        """Grow the volume to what the disk has now."""
        ...

    def still_there(self, staged: Staged, link: str) -> None:
        """See that mount and link are there without having been made again."""
        ...

    def unpublish(self, link: str) -> None:
        """Take the pod's path away."""
        ...

    def unstage(self, staged: Staged) -> None:
        """Unmount, and let go of the disk, where the contract can."""
        ...


class Speaker:
    """What every dialect's class begins with: the calls that it makes on its node are shown by its player."""

    def __init__(self, player: Player, node: Node) -> None:
        self._player = player
        self._node = node

    def _call(self, contract: str, rpc: str, says: Callable[[Reply], str], **fields: object) -> Reply:
        return self._player.call(self._node.client, contract, rpc, says, **fields)


MakeDialect = Callable[[Player, Node], Dialect]
