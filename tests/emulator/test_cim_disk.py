"""MSFT_Disk: what its methods do, and each refusal with Windows' own code."""

import os

import pytest
from tests.emulator.disk_states import (
    data_disk,
    full,
    gone,
    initialized,
    mbr,
    offline,
    raw,
    read_only,
    small,
    system,
)
from tests.emulator.documented_codes import check

from csiproxy.emulator.image import Image
from csiproxy.errors import Win32Error


def test_an_offline_disk_keeps_its_partitions_and_loses_its_volumes(storage):
    number = data_disk(storage)
    storage.formatted(number)
    volume = storage.volume(number)
    storage.ok(storage.disk(number), "Offline")
    assert storage.disk(number).number("OfflineReason") == 1
    assert [part.flag("IsOffline") for part in storage.partitions(number)] == [True, True]
    assert storage.volumes(number) == []
    assert storage.session.instances("MSFT_Volume", UniqueId=volume.text("UniqueId")) == []
    storage.ok(storage.disk(number), "Online")
    assert storage.volume(number) == volume


@pytest.mark.parametrize("style", [1, 2])
def test_a_cleared_disk_is_raw_and_its_volume_does_not_come_back(storage, style):
    number = data_disk(storage)
    directory = storage.formatted(number, style=style)
    with open(os.path.join(directory, "file"), "w") as file:
        file.write("x")
    storage.ok(storage.disk(number), "Clear", RemoveData=True)
    assert storage.disk(number).number("PartitionStyle") == 0
    assert not os.path.exists(directory)
    storage.partitioned(number, style)
    assert storage.volume(number).number("FileSystemType") == 0


DISK_CODES = [
    (raw, "Initialize", {"PartitionStyle": 3}, 5),
    (full, "Initialize", {}, 41001),
    (mbr, "Initialize", {"PartitionStyle": 2}, 41001),
    (offline, "Initialize", {}, 41003),
    (read_only, "Initialize", {}, 41002),
    (small, "Initialize", {"PartitionStyle": 2}, 41014),
    (small, "Initialize", {"PartitionStyle": 1}, 0),
    (system, "Initialize", {}, 41009),
    (gone, "Initialize", {}, 8),
    (raw, "Refresh", {}, 41000),
    (offline, "Refresh", {}, 41003),
    (full, "Refresh", {}, 0),
    (gone, "Refresh", {}, 8),
    (raw, "Online", {}, 0),
    (offline, "Online", {}, 0),
    (gone, "Online", {}, 8),
    (raw, "Offline", {}, 0),
    (offline, "Offline", {}, 0),
    (system, "Offline", {}, 41009),
    (raw, "SetAttributes", {}, 5),
    (raw, "SetAttributes", {"IsReadOnly": True}, 0),
    (offline, "SetAttributes", {"IsReadOnly": False}, 41003),
    (read_only, "SetAttributes", {"IsReadOnly": False}, 41002),
    (system, "SetAttributes", {"IsReadOnly": True}, 41009),
    (raw, "SetAttributes", {"Signature": 1}, 41000),
    (mbr, "SetAttributes", {"Signature": 1}, 0),
    (mbr, "SetAttributes", {"Guid": "{11111111-2222-4333-8444-555555555555}"}, 41006),
    (full, "SetAttributes", {"Guid": "{11111111-2222-4333-8444-555555555555}"}, 0),
    (full, "SetAttributes", {"Guid": "nonsense"}, 5),
    (full, "SetAttributes", {"Signature": 1}, 41006),
    (raw, "Clear", {"RemoveData": True}, 41000),
    (full, "Clear", {}, 41008),
    (initialized, "Clear", {}, 0),
    (offline, "Clear", {"RemoveData": True}, 41003),
    (system, "Clear", {"RemoveData": True, "RemoveOEM": True}, 41009),
    (full, "Clear", {"RemoveData": True, "RunAsJob": True}, 1),
]


@pytest.mark.parametrize(("make", "method", "parameters", "code"), DISK_CODES)
def test_a_disk_method_returns_windows_code(storage, make, method, parameters, code):
    check(storage, make(storage), method, parameters, code)


class Lost(Image):
    """A medium that takes what is written, and then cannot be reached."""

    lost = False

    def check_length(self) -> None:
        if self.lost:
            raise Win32Error(1117, "ReadFile", "the connection is lost")


def test_a_disk_that_is_lost_once_its_table_is_written_is_an_input_output_error_until_it_is_back(storage):
    number = data_disk(storage)
    storage.ok(storage.disk(number), "Initialize", PartitionStyle=2)
    disk = storage.disks.find(storage.disk(number).text("Path"))
    disk.image.close()
    medium = disk.image = Lost(storage.path(number))
    medium.lost = True
    for _ in range(2):
        created = storage.session.invoke(storage.disk(number), "CreatePartition", UseMaximumSize=True)
        assert created.return_value == 40004
    assert storage.session.invoke(storage.disk(number), "Refresh").return_value == 40004
    medium.lost = False
    storage.ok(storage.disk(number), "Refresh")
    assert [partition.number("Size") > 0 for partition in storage.partitions(number)] == [True, True]
