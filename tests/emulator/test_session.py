"""The CIM server: the way of a driver through the classes, and what WMI itself refuses."""

import threading

import pytest
from tests.emulator.disk_states import data_disk, gone
from tests.emulator.storage_ground import BASIC_DATA, MIB

from csiproxy.errors import CimError
from csiproxy.host import schema
from csiproxy.host.schema import INTEGERS

# --- the way a driver goes ---------------------------------------------------------------------------------


def test_a_new_shared_disk_becomes_a_formatted_volume(storage):
    number = data_disk(storage, policy_read_only=True)
    disk = storage.disk(number)
    assert (disk.flag("IsOffline"), disk.number("OfflineReason"), disk.flag("IsReadOnly")) == (True, 1, True)
    storage.ok(disk, "Online")
    storage.ok(disk, "SetAttributes", IsReadOnly=False)
    storage.ok(disk, "Initialize", PartitionStyle=2)
    made = storage.ok(disk, "CreatePartition", UseMaximumSize=True, GptType=BASIC_DATA)
    created = made.instance("CreatedPartition")
    assert (created.number("PartitionNumber"), created.number("Offset")) == (2, 16 * MIB)
    assert [part.text("GptType") for part in storage.partitions(number)][1] == BASIC_DATA
    volume = storage.volume(number)
    assert (volume.number("FileSystemType"), volume.number("Size")) == (0, 0)
    assert volume.text("UniqueId") == f"\\\\?\\Volume{created.text('Guid')}\\"
    formatted = storage.ok(volume, "Format", FileSystem="ntfs", FileSystemLabel="data", Force=True)
    volume = storage.volume(number)
    assert formatted.instance("FormattedVolume") == volume
    assert (volume.text("FileSystem"), volume.text("FileSystemLabel")) == ("NTFS", "data")
    assert 0 < volume.number("SizeRemaining") < volume.number("Size") < created.number("Size")
    storage.ok(volume, "Flush")
    storage.ok(volume, "SetFileSystemLabel", FileSystemLabel="other")
    assert storage.volume(number).text("FileSystemLabel") == "other"


def test_disks_partitions_and_volumes_lead_to_each_other(storage):
    number = data_disk(storage)
    storage.formatted(number)
    disk, partition, volume = storage.disk(number), storage.data_partition(number), storage.volume(number)
    associated = storage.session.associated
    assert associated(disk, "MSFT_DiskToPartition", "MSFT_Partition") == storage.partitions(number)
    assert associated(partition, "MSFT_DiskToPartition", "MSFT_Disk") == [disk]
    assert associated(partition, "MSFT_PartitionToVolume", "MSFT_Volume") == [volume]
    assert associated(volume, "MSFT_PartitionToVolume", "MSFT_Partition") == [partition]
    assert associated(disk, "MSFT_PartitionToVolume", "MSFT_Volume") == []
    assert associated(volume, "MSFT_PartitionToVolume", "MSFT_Partition", "partition") == [partition]
    assert associated(volume, "MSFT_PartitionToVolume", "MSFT_Partition", "Volume") == []


def test_reads_while_disks_come_and_go_are_whole(storage):
    data_disk(storage)
    stop = threading.Event()
    failures = []

    def look() -> None:
        try:
            while not stop.is_set():
                for name in ("MSFT_Disk", "MSFT_Partition", "MSFT_Volume"):
                    storage.session.instances(name)
        except Exception as error:  # noqa: BLE001 - the test's very question
            failures.append(error)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for n in range(10):
        number = storage.attach(f"{n}.img")
        storage.formatted(number)
        storage.disks.detach(number)
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []


# --- what WMI itself refuses -------------------------------------------------------------------------------


CIM_ERRORS = {
    "unknown class": (lambda s: s.session.instances("MSFT_Nothing"), 0x80041010),
    "unknown class of a method": (lambda s: s.session.invoke("MSFT_Nothing", "Do"), 0x80041010),
    "unknown association": (lambda s: s.session.associated(s.disk(0), "MSFT_X", "MSFT_Disk"), 0x80041010),
    "unknown result class": (
        lambda s: s.session.associated(s.disk(0), "MSFT_DiskToPartition", "X"),
        0x80041010,
    ),
    "unknown property": (lambda s: s.session.instances("MSFT_Disk", Nothing=1), 0x80041017),
    "text for a number": (lambda s: s.session.instances("MSFT_Disk", Number="0"), 0x80041017),
    "number for a truth value": (lambda s: s.session.instances("MSFT_Disk", IsOffline=0), 0x80041017),
    "an array": (lambda s: s.session.instances("MSFT_Disk", OperationalStatus=53264), 0x80041017),
    "two characters": (lambda s: s.session.instances("MSFT_Partition", DriveLetter="CD"), 0x80041017),
    "unknown method": (lambda s: s.session.invoke(s.disk(0), "Explode"), 0x80041055),
    "method not emulated": (
        lambda s: s.session.invoke(s.disk(0), "ConvertStyle", PartitionStyle=1),
        0x80041055,
    ),
    "unknown parameter": (lambda s: s.session.invoke(s.disk(0), "Online", Now=True), 0x8004102F),
    "mistyped parameter": (
        lambda s: s.session.invoke(s.disk(0), "Initialize", PartitionStyle="2"),
        0x8004102F,
    ),
    "truth value for a number": (
        lambda s: s.session.invoke(s.disk(0), "Initialize", PartitionStyle=True),
        0x8004102F,
    ),
    "number too large": (
        lambda s: s.session.invoke(s.disk(0), "Initialize", PartitionStyle=65536),
        0x8004102F,
    ),
    "number below zero": (lambda s: s.session.invoke(s.disk(0), "CreatePartition", Size=-1), 0x8004102F),
    "missing parameter": (lambda s: s.session.invoke(s.partitions(0)[0], "Resize"), 0x8004102F),
    "NULL for a required one": (
        lambda s: s.session.invoke(s.partitions(0)[0], "Resize", Size=None),
        0x8004102F,
    ),
    "instance method of a class": (lambda s: s.session.invoke("MSFT_Disk", "Online"), 0x8004102E),
}


@pytest.mark.parametrize("case", CIM_ERRORS)
def test_a_call_that_does_not_fit_the_schema_fails_as_in_wmi(storage, case):
    call, hresult = CIM_ERRORS[case]
    with pytest.raises(CimError) as caught:
        call(storage)
    assert caught.value.hresult == hresult


def test_class_names_and_texts_are_compared_without_case(storage):
    disk = storage.disk(0)
    assert storage.session.instances("msft_DISK", Path=disk.text("Path").upper()) == [disk]
    assert storage.session.instances("MSFT_Partition", DriveLetter="c") == [storage.partitions(0)[2]]


@pytest.mark.parametrize("name", ["MSFT_Disk", "MSFT_Partition", "MSFT_Volume"])
def test_what_a_class_looks_up_is_what_looking_through_all_of_it_finds(storage, name):
    for style in (1, 2):
        storage.formatted(storage.attach(f"{style}.img"), style=style)
    offline = storage.attach("offline.img")
    storage.formatted(offline)
    storage.ok(storage.disk(offline), "Offline")
    everything = storage.session.instances(name)
    for instance in everything:
        for key in ("ObjectId", "UniqueId", "Number", "DiskNumber", "DriveLetter"):
            value = instance.properties.get(key)
            if value is None:
                continue
            same = [other for other in everything if other.properties[key] == value]
            assert storage.session.instances(name, **{key: value}) == same, key
            if isinstance(value, str):
                assert storage.session.instances(name, **{key: value.upper()}) == same, key
                assert storage.session.instances(name, **{key: value[:-1]}) == [], key
    for key in ("", "{1}", everything[0].key.replace("ObjectId", "Object"), 'VO:"', everything[0].key + '"'):
        assert storage.session.instances(name, ObjectId=key) == []


def test_a_null_property_equals_nothing(storage):
    number = data_disk(storage)
    storage.partitioned(number, style=1)
    assert storage.session.instances("MSFT_Partition", DiskNumber=number, GptType=BASIC_DATA) == []


def test_an_instance_whose_object_has_gone_is_joined_to_nothing(storage):
    disk = gone(storage)
    assert storage.session.associated(disk, "MSFT_DiskToPartition", "MSFT_Partition") == []


@pytest.mark.parametrize("name", ["MSFT_Disk", "MSFT_Partition", "MSFT_Volume"])
def test_every_instance_has_exactly_the_schemas_properties_and_types(storage, name):
    for style in (1, 2):
        storage.formatted(storage.attach(f"{style}.img"), style=style)
    data_disk(storage, offline=True)
    known = {found.name: found for found in (schema.MSFT_DISK, schema.MSFT_PARTITION, schema.MSFT_VOLUME)}[
        name
    ]
    found = storage.session.instances(name)
    assert len(found) > 2
    assert len({instance.key for instance in found}) == len(found)
    for instance in found:
        assert set(instance.properties) == set(known.properties)
        assert instance.properties[known.key] == instance.key
        for key, kind in known.properties.items():
            assert fits(instance.properties[key], kind), key


def fits(value, kind: str) -> bool:
    if value is None:
        return True
    if kind.endswith("[]"):
        return isinstance(value, tuple) and all(fits(item, kind[:-2]) for item in value)
    if kind in INTEGERS:
        return type(value) is int and INTEGERS[kind][0] <= value <= INTEGERS[kind][1]
    return type(value) is {"boolean": bool, "string": str}[kind]


def test_a_static_method_may_be_called_on_the_class(storage):
    assert storage.session.invoke("MSFT_StorageSetting", "UpdateHostStorageCache").return_value == 0
    assert storage.session.instances("MSFT_StorageSetting") == []
