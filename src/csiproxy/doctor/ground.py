"""What self-tests work on: a node, disks that are made for them, and a directory of their own."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from csiproxy.doctor.outcome import Differs
from csiproxy.host import Host
from csiproxy.host.cim import Instance, Value
from csiproxy.host.win32 import Directory
from csiproxy.storage import Storage
from csiproxy.storage.disk import MEBIBYTE, Disk, Partition, PartitionStyle
from csiproxy.storage.namespace import ConfinedPath
from csiproxy.storage.volume import FileSystem, Volume

DRIVE = "C:\\"
SMALL = 256 * MEBIBYTE
_POLL_SECONDS = 0.1


class OwnDisk(Protocol):
    """A disk that was made for a self-test; nothing is on it that anybody needs."""

    @property
    def number(self) -> int:
        """Its number."""
        ...

    def grow(self, size: int) -> None:
        """Make it larger.  Raise NotTried where that cannot be done while it is attached."""
        ...

    def detach(self) -> None:
        """Take it away; once more does nothing."""
        ...


class DiskMaker(Protocol):
    """Makes disks for self-tests."""

    def attach(self, size: int, *, held_back: bool = False) -> AbstractContextManager[OwnDisk]:
        """A new, empty disk of ``size`` bytes, which has gone afterwards.

        ``held_back``: as SAN policy brings new shared disks.  Raise NotTried where it cannot be made.
        """
        ...


@dataclass(frozen=True, slots=True)
class Ground:
    """A node, and the means to try things on it that harm nobody.

    ``is_windows`` says whether the node is the machine that this runs on, a Windows.
    """

    host: Host
    disks: DiskMaker
    is_windows: bool
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    @property
    def storage(self) -> Storage:
        """The node's storage."""
        return Storage(self.host)

    # --- disks

    @contextmanager
    def raw_disk(self, size: int = SMALL) -> Iterator[tuple[OwnDisk, Disk]]:
        """A new disk without a partition table, online."""
        with self.disks.attach(size) as own:
            disk = self._arrived(own.number)
            if disk.is_offline:
                self.storage.disks.bring_online(disk)
                disk = self.storage.disks.get(own.number)
            yield own, disk

    @contextmanager
    def volume(self, size: int = SMALL, file_system: FileSystem | None = FileSystem.NTFS) -> "Iterator[Own]":
        """A new disk with one volume; None: not formatted."""
        with self.raw_disk(size) as (own, disk):
            disk = self.initialize(disk)
            self.storage.disks.create_partition(disk)
            partition = self.data_partition(disk)
            volume, waited = self.volume_on(partition)
            if file_system is not None:
                self.storage.volumes.format(volume, file_system)
                volume = self.storage.volumes.get(volume.id)
            yield Own(own, self.storage.disks.get(own.number), partition, volume, waited)

    def initialize(self, disk: Disk) -> Disk:
        """Give a raw disk a partition table."""
        self.storage.disks.initialize(disk, PartitionStyle.GPT)
        return self.storage.disks.get(disk.number)

    def data_partition(self, disk: Disk) -> Partition:
        """The one partition with data of a disk."""
        found = [one for one in self.storage.disks.partitions(disk.number) if one.is_data]
        if len(found) != 1:
            raise Differs(f"the disk has {len(found)} data partitions after one was made")
        return found[0]

    def volume_on(self, partition: Partition, seconds: float = 30.0) -> tuple[Volume, float]:
        """The volume on a new partition, and how many seconds it took to come."""
        begun = self.clock()
        while True:
            found = self.storage.volumes.on_partition(partition)
            waited = self.clock() - begun
            if found:
                return found[0], waited
            if waited > seconds:
                raise Differs(f"no volume came within {seconds:g} seconds")
            self.sleep(_POLL_SECONDS)

    def returned(self, instance: Instance, method: str, **parameters: Value) -> int:
        """What a method of an object returns."""
        return self.host.cim.invoke(instance, method, **parameters).return_value

    def _arrived(self, number: int, seconds: float = 30.0) -> Disk:
        """A disk that was just attached, as soon as the storage classes know it."""
        begun = self.clock()
        while True:
            self.storage.disks.rescan()
            for disk in self.storage.disks.all():
                if disk.number == number:
                    return disk
            if self.clock() - begun > seconds:
                raise Differs(f"disk {number} was attached, and MSFT_Disk does not show it")
            self.sleep(_POLL_SECONDS)

    # --- directories

    @contextmanager
    def scratch(self) -> "Iterator[Scratch]":
        """An empty directory on the system's drive, which is removed with all that is in it."""
        name = f"csi-proxy-self-test-{secrets.token_hex(4)}"
        win32, namespace = self.host.win32, self.storage.namespace
        with win32.open_root(DRIVE) as root:
            win32.create_directory(root, name)
        try:
            with win32.open_root(DRIVE + name) as directory:
                yield Scratch(directory, DRIVE + name)
        finally:
            namespace.remove_tree(ConfinedPath(DRIVE, (name,)))


@dataclass(frozen=True, slots=True)
class Own:
    """A disk of a self-test with one volume, which came after ``waited`` seconds."""

    disk: OwnDisk
    shown: Disk
    partition: Partition
    volume: Volume
    waited: float


@dataclass(frozen=True, slots=True)
class Scratch:
    """A directory of a self-test, open, and its path."""

    directory: Directory
    path: str


def expect(seen: object, expected: object, what: str) -> None:
    """Raise Differs unless what was seen is what was expected."""
    if seen != expected:
        raise Differs(f"{what}: {seen}, not {expected}")
