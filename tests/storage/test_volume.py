"""Single steps on volumes, against the emulated node's CIM server."""

import os

import pytest
from tests.emulated import MIB, NO_VOLUME

from csiproxy.errors import CsiProxyError, FailedPrecondition, NotFound
from csiproxy.host.cim import Instance
from csiproxy.storage.volume import FileSystem, Volumes


@pytest.fixture
def volumes(node) -> Volumes:
    return node.storage.volumes


def test_a_volume_is_found_by_its_id_in_any_case(node, volumes):
    staged = node.volume()
    assert volumes.get(staged.id).id == staged.id
    found = volumes.find(staged.id.upper())
    assert found is not None
    assert found.id == staged.id


def test_a_volume_that_is_not_there_is_not_found(node, volumes):
    assert volumes.find(NO_VOLUME) is None
    with pytest.raises(NotFound) as caught:
        volumes.get(NO_VOLUME)
    assert caught.value.windows_code == 1168


def test_the_volume_of_an_offline_disk_is_gone_until_it_is_back(node, volumes):
    staged = node.volume()
    node.storage.disks.take_offline(node.storage.disks.get(staged.disk))
    assert volumes.find(staged.id) is None
    node.storage.disks.bring_online(node.storage.disks.get(staged.disk))
    assert volumes.find(staged.id) is not None


def test_the_volume_of_the_system_drive_is_found_by_its_letter(volumes):
    for letter in "Cc":
        assert volumes.of_drive(letter).is_formatted
    with pytest.raises(NotFound):
        volumes.of_drive("Q")


def test_a_raw_volume_has_no_file_system_and_no_size(node, volumes):
    volume = volumes.get(node.volume(formatted=False).id)
    assert (volume.is_formatted, volume.file_system, volume.size) == (False, "", 0)


@pytest.mark.parametrize(
    ("properties", "formatted"),
    [
        ({"FileSystem": "NTFS", "FileSystemType": 14}, True),
        ({"FileSystem": "exFAT", "FileSystemType": 0}, True),  # Windows has no number for it
        ({"FileSystem": "", "FileSystemType": 15}, True),
        ({"FileSystem": "", "FileSystemType": 0}, False),
        ({"FileSystem": None, "FileSystemType": None}, False),
        ({"FileSystem": "RAW", "FileSystemType": 0}, False),
    ],
)
def test_a_volume_with_any_file_system_that_windows_can_name_is_formatted(properties, formatted):
    class OneVolume:
        def instances(self, class_name: str, /, **where: object) -> list[Instance]:
            return [Instance(class_name, "k", properties)]

    assert Volumes(OneVolume()).get("x").is_formatted is formatted  # type: ignore[arg-type]


@pytest.mark.parametrize("file_system", FileSystem)
def test_a_volume_is_formatted_with_what_is_asked_for(node, volumes, file_system):
    staged = node.volume(formatted=False)
    volumes.format(volumes.get(staged.id), file_system)
    volume = volumes.get(staged.id)
    assert (volume.is_formatted, volume.file_system) == (True, file_system.value)
    assert 0 < volume.size_remaining < volume.size <= 64 * MIB
    assert os.listdir(staged.files) == []


def test_partitions_and_volumes_know_each_other(node, volumes):
    staged = node.volume()
    partition = volumes.partition(volumes.get(staged.id))
    assert (partition.disk_number, partition.is_reserved) == (staged.disk, False)
    assert [volume.id for volume in volumes.on_partition(partition)] == [staged.id]


def test_the_reserved_partition_has_no_volume(node, volumes):
    staged = node.volume()
    [reserved] = [p for p in node.storage.disks.partitions(staged.disk) if p.is_reserved]
    assert volumes.on_partition(reserved) == []


def test_a_volume_is_flushed(node, volumes):
    staged = node.volume()
    staged.put("file")
    volumes.flush(volumes.get(staged.id))
    with pytest.raises(CsiProxyError):
        volumes.flush(volumes.get(node.volume(formatted=False).id))


def test_a_volume_that_has_gone_since_it_was_read_is_not_found(node, volumes):
    staged = node.volume()
    volume = volumes.get(staged.id)
    staged.detach()
    for call in (volumes.flush, volumes.partition, lambda it: volumes.format(it, FileSystem.NTFS)):
        with pytest.raises(NotFound) as caught:
            call(volume)
        assert caught.value.windows_code == 1168


def test_the_system_volume_cannot_be_formatted(volumes):
    with pytest.raises(FailedPrecondition) as caught:
        volumes.format(volumes.of_drive("C"), FileSystem.NTFS)
    assert caught.value.windows_code == 50
