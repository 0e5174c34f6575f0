"""MSFT_Partition: what its methods do, and each refusal with Windows' own code."""

import os

import pytest
from tests.emulator.disk_states import data_disk
from tests.emulator.documented_codes import check
from tests.emulator.storage_ground import GIB, MIB, StorageGround, message
from tests.operations.disk_images import Slice, with_extended

from csiproxy.host.cim import Instance


def test_an_offline_partition_loses_its_volume_until_it_is_online_even_after_a_restart(storage):
    number = data_disk(storage)
    storage.formatted(number)
    storage.ok(storage.data_partition(number), "Offline")
    assert storage.volumes(number) == []
    again = storage.restart()
    assert again.volumes(number) == []
    again.ok(again.data_partition(number), "Online")
    assert len(again.volumes(number)) == 1
    again.close()


def test_mount_points_are_access_paths(storage):
    number = data_disk(storage)
    storage.formatted(number)
    name = storage.volume(number).text("UniqueId")
    storage.mounts[name] = ["C:\\one", "C:\\two"]
    assert storage.data_partition(number).texts("AccessPaths") == ("C:\\one\\", "C:\\two\\", name)
    paths = storage.ok(storage.data_partition(number), "GetAccessPaths").out["AccessPaths"]
    assert paths == ("C:\\one\\", "C:\\two\\", name)
    assert storage.partitions(number)[0].texts("AccessPaths") == ()


def test_a_size_is_whole_mebibytes_and_the_largest_a_little_more(storage):
    number = data_disk(storage, size=GIB)
    storage.formatted(number)
    partition = storage.data_partition(number)
    limits = storage.ok(partition, "GetSupportedSize")
    assert partition.number("Size") == GIB - 17 * MIB
    assert limits.number("SizeMax") == GIB - 16 * MIB - 33 * 512
    refused = storage.session.invoke(partition, "Resize", Size=limits.number("SizeMax"))
    assert (refused.return_value, "minimum of 1MB" in message(refused)) == (4097, True)


def test_a_partition_shrinks_to_what_its_files_need(storage):
    number = data_disk(storage)
    directory = storage.formatted(number)
    with open(os.path.join(directory, "file"), "wb") as file:
        file.truncate(20 * MIB)
    least = storage.ok(storage.data_partition(number), "GetSupportedSize").number("SizeMin")
    assert 20 * MIB < least < 24 * MIB
    assert (
        storage.session.invoke(storage.data_partition(number), "Resize", Size=least - MIB).return_value
        == 4097
    )
    storage.ok(storage.data_partition(number), "Resize", Size=least)
    assert storage.volume(number).number("SizeRemaining") < MIB


def test_a_fat32_volume_keeps_its_size(storage):
    number = data_disk(storage)
    storage.formatted(number, "FAT32")
    assert storage.volume(number).number("FileSystemType") == 6
    limits = storage.ok(storage.data_partition(number), "GetSupportedSize")
    assert (
        limits.number("SizeMin") == limits.number("SizeMax") == storage.data_partition(number).number("Size")
    )


def test_a_deleted_partition_is_gone_with_its_files(storage):
    number = data_disk(storage)
    directory = storage.formatted(number)
    partition = storage.data_partition(number)
    storage.ok(partition, "DeleteObject")
    assert len(storage.partitions(number)) == 1
    assert not os.path.exists(directory)
    assert storage.session.invoke(partition, "Online").return_value == 8


def partition_of(storage: StorageGround, kind: str) -> Instance:
    if kind in ("boot", "esp"):
        return storage.partitions(0)[2 if kind == "boot" else 0]
    if kind in ("extended", "logical"):
        return extended(storage, Slice(2 * MIB, 8 * MIB))[kind == "logical"]
    number = data_disk(storage)
    storage.formatted(number)
    found = storage.partitions(number)[0 if kind == "msr" else 1]
    if kind == "offline":
        storage.ok(storage.disk(number), "Offline")
    elif kind == "read-only":
        storage.ok(storage.disk(number), "SetAttributes", IsReadOnly=True)
    elif kind == "gone":
        storage.disks.detach(number)
    elif kind == "damaged":
        os.rename(storage.path(number) + ".d", storage.path(number) + ".away")
    return found


def extended(storage: StorageGround, *logical: Slice) -> list[Instance]:
    """The partitions of a disk with an extended one at 1 MiB, and these in it."""
    path = with_extended(
        str(storage.directory / "disk.img"), 64 * MIB, *logical, container=Slice(MIB, 40 * MIB)
    )
    return storage.partitions(storage.disks.attach(path))


def test_an_extended_partition_is_listed_before_what_is_in_it_and_has_no_volume(storage):
    container, logical = extended(storage, Slice(2 * MIB, 8 * MIB))
    assert [one.number("MbrType") for one in (container, logical)] == [15, 7]
    assert [one.number("PartitionNumber") for one in (container, logical)] == [0, 1]
    assert [one.number("Size") for one in (container, logical)] == [40 * MIB, 8 * MIB]
    assert container.texts("AccessPaths") == ()
    assert len(storage.volumes(1)) == 1


def test_a_logical_partition_grows_up_to_the_record_of_the_next_one(storage):
    _, first, second = extended(storage, Slice(2 * MIB, 8 * MIB), Slice(20 * MIB, 8 * MIB))
    assert storage.ok(first, "GetSupportedSize").number("SizeMax") == 17 * MIB
    assert storage.ok(second, "GetSupportedSize").number("SizeMax") == 21 * MIB
    storage.ok(first, "Resize", Size=17 * MIB)
    storage.ok(second, "Resize", Size=21 * MIB)
    assert [one.number("Size") for one in storage.partitions(1)] == [40 * MIB, 17 * MIB, 21 * MIB]
    again = storage.restart()
    assert [one.number("Size") for one in again.partitions(1)] == [40 * MIB, 17 * MIB, 21 * MIB]
    again.close()


def test_an_empty_extended_partition_can_be_deleted(storage):
    [container] = extended(storage)
    storage.ok(container, "DeleteObject")
    assert storage.partitions(1) == []


PARTITION_CODES = [
    ("data", "Resize", {"Size": 40 * MIB}, 0),
    ("data", "Resize", {"Size": 1}, 4097),
    ("data", "Resize", {"Size": GIB}, 4097),
    ("data", "Resize", {"Size": 47 * MIB}, 4097),
    ("data", "Resize", {"Size": 47 * MIB - 1000}, 4097),
    ("msr", "Resize", {"Size": 8 * MIB}, 4097),
    ("offline", "Resize", {"Size": 40 * MIB}, 41003),
    ("read-only", "Resize", {"Size": 40 * MIB}, 41002),
    ("damaged", "Resize", {"Size": 40 * MIB}, 42008),
    ("gone", "Resize", {"Size": 40 * MIB}, 8),
    ("msr", "GetSupportedSize", {}, 0),
    ("boot", "GetSupportedSize", {}, 0),
    ("offline", "GetSupportedSize", {}, 41003),
    ("damaged", "GetSupportedSize", {}, 42008),
    ("gone", "GetSupportedSize", {}, 8),
    ("data", "Online", {}, 0),
    ("msr", "Online", {}, 42011),
    ("gone", "Online", {}, 8),
    ("data", "Offline", {}, 0),
    ("esp", "Offline", {}, 42011),
    ("boot", "Offline", {}, 42010),
    ("boot", "DeleteObject", {}, 42010),
    ("offline", "DeleteObject", {}, 41003),
    ("gone", "DeleteObject", {}, 8),
    ("extended", "GetSupportedSize", {}, 0),
    ("extended", "Resize", {"Size": 50 * MIB}, 4097),
    ("extended", "Online", {}, 42011),
    ("extended", "Offline", {}, 42011),
    ("extended", "DeleteObject", {}, 42001),
    ("logical", "Online", {}, 0),
    ("logical", "Offline", {}, 0),
    ("logical", "DeleteObject", {}, 4),
]


@pytest.mark.parametrize(("kind", "method", "parameters", "code"), PARTITION_CODES)
def test_a_partition_method_returns_windows_code(storage, kind, method, parameters, code):
    check(storage, partition_of(storage, kind), method, parameters, code)
