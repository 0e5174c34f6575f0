"""Disks in every state that a method has an opinion about, by the name of the state."""

from tests.emulator.storage_ground import MIB, StorageGround

from csiproxy.host.cim import Instance


def data_disk(storage: StorageGround, **options) -> int:
    return storage.attach(size=options.pop("size", 64 * MIB), **options)


def raw(storage: StorageGround) -> Instance:
    return storage.disk(data_disk(storage))


def small(storage: StorageGround) -> Instance:
    return storage.disk(data_disk(storage, size=2 * MIB))


def offline(storage: StorageGround) -> Instance:
    return storage.disk(data_disk(storage, offline=True))


def read_only(storage: StorageGround) -> Instance:
    return storage.disk(data_disk(storage, read_only=True))


def initialized(storage: StorageGround, style: int = 2) -> Instance:
    disk = raw(storage)
    storage.ok(disk, "Initialize", PartitionStyle=style)
    return disk


def mbr(storage: StorageGround) -> Instance:
    return initialized(storage, 1)


def full(storage: StorageGround) -> Instance:
    return storage.disk(storage.partitioned(data_disk(storage)))


def full_of_slots(storage: StorageGround) -> Instance:
    disk = mbr(storage)
    for _ in range(4):
        storage.ok(disk, "CreatePartition", Size=MIB)
    return disk


def system(storage: StorageGround) -> Instance:
    return storage.disk(0)


def gone(storage: StorageGround) -> Instance:
    disk = raw(storage)
    storage.disks.detach(disk.number("Number"))
    return disk
