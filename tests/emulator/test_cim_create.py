"""MSFT_Disk.CreatePartition: where a partition goes, and each refusal with Windows' own code."""

import pytest
from tests.emulator.disk_states import full, full_of_slots, gone, initialized, mbr, offline, raw, read_only
from tests.emulator.documented_codes import check
from tests.emulator.storage_ground import BASIC_DATA, GIB, MIB

MAXIMUM = {"UseMaximumSize": True}
CREATE_CODES = [
    (raw, "CreatePartition", MAXIMUM, 41000),
    (offline, "CreatePartition", MAXIMUM, 41003),
    (read_only, "CreatePartition", MAXIMUM, 41002),
    (initialized, "CreatePartition", {}, 40005),
    (initialized, "CreatePartition", {"Size": MIB, "UseMaximumSize": True}, 40005),
    (initialized, "CreatePartition", {"Size": MIB, "UseMaximumSize": False}, 0),
    (initialized, "CreatePartition", {"Size": MIB - 1}, 4097),
    (initialized, "CreatePartition", {"Size": GIB}, 40000),
    (full, "CreatePartition", MAXIMUM, 40000),
    (full_of_slots, "CreatePartition", MAXIMUM, 41004),
    (initialized, "CreatePartition", {**MAXIMUM, "Offset": 16 * MIB + 1}, 41012),
    (initialized, "CreatePartition", {**MAXIMUM, "Offset": 2 * MIB}, 41012),
    (initialized, "CreatePartition", {**MAXIMUM, "Offset": 20 * MIB}, 0),
    (initialized, "CreatePartition", {**MAXIMUM, "Alignment": 100}, 41005),
    (initialized, "CreatePartition", {**MAXIMUM, "Alignment": 0}, 41005),
    (initialized, "CreatePartition", {**MAXIMUM, "Alignment": 4 * MIB}, 0),
    (initialized, "CreatePartition", {**MAXIMUM, "MbrType": 7}, 41006),
    (initialized, "CreatePartition", {**MAXIMUM, "IsActive": True}, 41006),
    (initialized, "CreatePartition", {**MAXIMUM, "IsActive": False, "IsHidden": False}, 0),
    (initialized, "CreatePartition", {**MAXIMUM, "GptType": "nonsense"}, 41010),
    (initialized, "CreatePartition", {**MAXIMUM, "GptType": "{00000000-0000-0000-0000-000000000000}"}, 41010),
    (initialized, "CreatePartition", {**MAXIMUM, "AssignDriveLetter": True}, 1),
    (initialized, "CreatePartition", {**MAXIMUM, "AssignDriveLetter": False}, 0),
    (initialized, "CreatePartition", {**MAXIMUM, "DriveLetter": ord("E")}, 1),
    (mbr, "CreatePartition", {**MAXIMUM, "GptType": BASIC_DATA}, 41006),
    (mbr, "CreatePartition", {**MAXIMUM, "MbrType": 5}, 41010),
    (mbr, "CreatePartition", {**MAXIMUM, "MbrType": 7, "IsActive": True}, 0),
    (gone, "CreatePartition", MAXIMUM, 8),
]


@pytest.mark.parametrize(("make", "method", "parameters", "code"), CREATE_CODES)
def test_creating_a_partition_returns_windows_code(storage, make, method, parameters, code):
    check(storage, make(storage), method, parameters, code)


@pytest.mark.parametrize(
    ("parameters", "offset", "size"),
    [
        ({"UseMaximumSize": True}, 16 * MIB, 47 * MIB),
        ({"Size": 5 * MIB}, 16 * MIB, 5 * MIB),
        ({"Size": 5 * MIB + 1}, 16 * MIB, 5 * MIB + 512),
        ({"Size": MIB, "Offset": 20 * MIB + 512}, 20 * MIB + 512, MIB),
        ({"UseMaximumSize": True, "Offset": 20 * MIB}, 20 * MIB, 43 * MIB),
        ({"UseMaximumSize": True, "Alignment": 32 * MIB}, 32 * MIB, 31 * MIB),
    ],
)
def test_a_partition_gets_the_bytes_asked_for(storage, parameters, offset, size):
    disk = initialized(storage)
    created = storage.ok(disk, "CreatePartition", **parameters).instance("CreatedPartition")
    assert (created.number("Offset"), created.number("Size")) == (offset, size)
    assert storage.data_partition(disk.number("Number")) == created


def test_the_largest_gap_is_taken(storage):
    disk = initialized(storage)
    storage.ok(disk, "CreatePartition", Size=MIB, Offset=20 * MIB)
    created = storage.ok(disk, "CreatePartition", UseMaximumSize=True).instance("CreatedPartition")
    assert (created.number("Offset"), created.number("Size")) == (21 * MIB, 42 * MIB)


def test_a_hidden_partition_has_no_volume(storage):
    disk = initialized(storage)
    storage.ok(disk, "CreatePartition", UseMaximumSize=True, IsHidden=True)
    assert storage.data_partition(disk.number("Number")).flag("IsHidden")
    assert storage.volumes(disk.number("Number")) == []


def test_an_mbr_partition_has_the_type_asked_for(storage):
    disk = mbr(storage)
    storage.ok(disk, "CreatePartition", Size=MIB)
    storage.ok(disk, "CreatePartition", UseMaximumSize=True, MbrType=7, IsActive=True)
    first, second = storage.partitions(disk.number("Number"))
    assert (first.number("MbrType"), first.flag("IsActive")) == (6, False)
    assert (second.number("MbrType"), second.flag("IsActive")) == (7, True)
    assert first.properties["GptType"] is None
