"""Single steps on disks and partitions, against the emulated node's CIM server."""

import pytest
from tests.emulated import GIB, MIB
from tests.operations.disk_images import Slice, with_extended

from csiproxy.emulator.attachment import BusType
from csiproxy.errors import AlreadyExists, FailedPrecondition, NotFound, OutOfRange, ResourceExhausted
from csiproxy.host.cim import Instance
from csiproxy.storage.disk import (
    DISK_TAIL,
    MBR_LIMIT,
    Disk,
    Disks,
    Location,
    OfflineReason,
    Partition,
    PartitionStyle,
    location_of,
    partition_of_instance,
)


@pytest.fixture
def disks(node) -> Disks:
    return node.storage.disks


def data(disks: Disks, number: int) -> list[Partition]:
    return [partition for partition in disks.partitions(number) if not partition.is_reserved]


# --- reading -----------------------------------------------------------------------------------------------


def test_all_disks_come_by_number_with_the_system_first(node, disks):
    for number in (7, 3):
        node.attach(number=number)
    assert [disk.number for disk in disks.all()] == [0, 3, 7]
    assert [disk.is_system for disk in disks.all()] == [True, False, False]


def test_a_disk_is_read_as_windows_reports_it(node, disks):
    number = node.attach(100 * MIB, serial="WD-123")
    disk = disks.get(number)
    assert (disk.size, disk.style, disk.serial_number) == (100 * MIB, PartitionStyle.RAW, "WD-123")
    assert (disk.is_offline, disk.offline_reason, disk.is_read_only) == (False, OfflineReason.NONE, False)
    assert disks.device(disk).number == number


def test_a_disk_that_is_not_there_is_not_found(disks):
    with pytest.raises(NotFound) as caught:
        disks.get(9)
    assert caught.value.windows_code == 1168
    assert disks.partitions(9) == []


def test_a_disk_that_has_gone_since_it_was_read_is_not_found(node, disks):
    disk = disks.get(node.attach())
    node.machine.disks.detach(disk.number)
    for call in (disks.bring_online, disks.take_offline, disks.refresh, disks.clear_read_only):
        with pytest.raises(NotFound) as caught:
            call(disk)
        assert caught.value.windows_code == 1168
    with pytest.raises(NotFound):
        disks.device(disk)


@pytest.mark.parametrize("style", [9, -1, 3])
def test_a_style_that_nobody_knows_reads_as_raw(node, disks, style):
    class Odd:
        def instances(self, class_name: str, /, **where: object) -> list[Instance]:
            return [Instance(class_name, "k", {"Number": 1, "PartitionStyle": style})]

    assert Disks(Odd(), node.host.win32).get(1).style is PartitionStyle.RAW  # type: ignore[arg-type]


# --- locations ---------------------------------------------------------------------------------------------


def located(text: str) -> Location | None:
    return location_of(
        Disk(
            1,
            "",
            text,
            "",
            0,
            PartitionStyle.RAW,
            False,
            0,
            False,
            False,
            False,
            False,
            False,
            Instance("MSFT_Disk", "", {}),
        )
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("PCI Slot 3 : Adapter 0 : Port 0 : Target 1 : LUN 2", Location("0", "", "1", "2")),
        (
            "Integrated : Bus 4 : Device 0 : Function 1 : Adapter 2 : Port 0 : Target 0 : LUN 5",
            Location("2", "4", "0", "5"),
        ),
        ("Integrated : Adapter 0 : Port 1 : Target 0 : LUN 63", Location("0", "", "0", "63")),
        ("PCI Slot 3:Adapter 0:Port 0:Target 1:LUN 2", Location("0", "", "1", "2")),
        ("a : b : c : d : LUN 4", Location("", "", "", "4")),
        ("", None),
        (r"C:\disks\data.vhdx", None),
        ("Adapter 0 : Port 0 : Target 1 : LUN 2", None),  # too few parts to be trusted
        ("a : b : c : d : e", None),
        ("a : b : c : Adapter x : LUN", None),
    ],
)
def test_a_location_is_read_part_by_part(text, found):
    assert located(text) == found


def test_the_location_of_an_attached_disk_is_where_it_was_attached(node, disks):
    number = node.attach(adapter=2, bus_number=5, target=3, lun=17, bus=BusType.SAS)
    assert location_of(disks.get(number)) == Location("2", "5", "3", "17")


# --- online, offline, read-only ----------------------------------------------------------------------------


def test_a_disk_is_taken_offline_and_brought_back(node, disks):
    number = node.attach()
    disks.take_offline(disks.get(number))
    assert (disks.get(number).is_offline, disks.get(number).offline_reason) == (True, OfflineReason.POLICY)
    disks.bring_online(disks.get(number))
    assert not disks.get(number).is_offline


def test_the_read_only_attribute_is_cleared_but_not_what_the_hardware_says(node, disks):
    policy, hardware = node.attach(policy_read_only=True), node.attach(read_only=True)
    disk = disks.get(policy)
    assert (disk.is_offline, disk.offline_reason, disk.is_read_only) == (True, OfflineReason.POLICY, True)
    disks.bring_online(disk)
    disks.clear_read_only(disks.get(policy))
    assert not disks.get(policy).is_read_only
    with pytest.raises(FailedPrecondition) as caught:
        disks.clear_read_only(disks.get(hardware))
    assert caught.value.windows_code == 19
    assert "SetAttributes returned 41002" in caught.value.origin


def test_a_raw_disk_is_refreshed_too(node, disks):
    number = node.attach()
    node.machine.disks.grow(number, 2 * GIB)
    assert disks.get(number).size == 64 * MIB
    assert disks.refresh(disks.get(number)).size == 2 * GIB


def test_an_offline_disk_says_so_when_it_is_asked_for_more(node, disks):
    number = node.attach(offline=True)
    for call in (disks.refresh, disks.create_partition):
        with pytest.raises(FailedPrecondition) as caught:
            call(disks.get(number))
        assert caught.value.windows_code == 21


def test_a_rescan_finds_what_has_grown(node, disks):
    number = node.volume().disk
    node.machine.disks.grow(number, GIB)
    disks.rescan()
    assert disks.get(number).size == GIB


# --- partition tables --------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", [PartitionStyle.GPT, PartitionStyle.MBR])
def test_a_raw_disk_gets_the_table_that_is_asked_for_and_one_partition_over_all_of_it(node, disks, style):
    number = node.attach(128 * MIB)
    disks.initialize(disks.get(number), style)
    assert disks.get(number).style is style
    disks.create_partition(disks.get(number))
    [partition] = data(disks, number)
    assert partition.size > 100 * MIB
    assert bool(partition.gpt_type) == (style is PartitionStyle.GPT)
    with pytest.raises(ResourceExhausted) as caught:
        disks.create_partition(disks.get(number))
    assert caught.value.windows_code == 112


@pytest.mark.parametrize("style", [PartitionStyle.GPT, PartitionStyle.MBR])
def test_a_disk_that_has_a_table_by_now_is_left_alone_whoever_wrote_it(node, disks, style):
    number = node.attach()
    raw = disks.get(number)
    disks.initialize(raw, style)
    for other in PartitionStyle:
        if other is not PartitionStyle.RAW:
            disks.initialize(raw, other)
    assert disks.get(number).style is style


def test_a_read_only_disk_cannot_be_initialised(node, disks):
    with pytest.raises(FailedPrecondition) as caught:
        disks.initialize(disks.get(node.attach(read_only=True)), PartitionStyle.GPT)
    assert caught.value.windows_code == 19


def test_the_system_disk_cannot_be_taken_offline_or_initialised(disks):
    for call in (disks.take_offline, lambda disk: disks.initialize(disk, PartitionStyle.GPT)):
        with pytest.raises((FailedPrecondition, AlreadyExists)):
            call(disks.get(0))
    assert not disks.get(0).is_offline


def test_partitions_come_by_offset_and_the_reserved_one_is_told_apart(disks):
    found = disks.partitions(0)
    assert [partition.offset for partition in found] == sorted(partition.offset for partition in found)
    assert [partition.is_reserved for partition in found] == [False, True, False]
    assert found[-1].is_system or disks.get(0).is_system


def test_an_extended_partition_is_no_data_and_the_logical_ones_are_in_it(node, disks):
    path = with_extended(
        str(node.directory / "disk.img"),
        256 * MIB,
        Slice(MIB, 20 * MIB),
        Slice(101 * MIB, 20 * MIB),
        container=Slice(100 * MIB, 50 * MIB),
    )
    primary, container, logical = disks.partitions(node.machine.disks.attach(path))
    assert [one.is_container for one in (primary, container, logical)] == [False, True, False]
    assert [one.is_data for one in (primary, container, logical)] == [True, False, True]
    assert [one.is_in(container) for one in (primary, container, logical)] == [False, False, True]


def test_a_partition_that_was_taken_offline_is_brought_back(node, disks):
    volume = node.volume()
    [partition] = data(disks, volume.disk)
    node.machine.session.invoke(partition.instance, "Offline")
    [partition] = data(disks, volume.disk)
    assert partition.is_offline
    disks.bring_partition_online(partition)
    [partition] = data(disks, volume.disk)
    assert not partition.is_offline


# --- sizes -------------------------------------------------------------------------------------------------


def two_partitions(node, disks) -> int:
    number = node.attach(256 * MIB)
    disks.initialize(disks.get(number), PartitionStyle.GPT)
    for size in (32 * MIB, 64 * MIB):
        created = node.machine.session.invoke(disks.get(number).instance, "CreatePartition", Size=size)
        assert created.return_value == 0
    return number


@pytest.mark.parametrize("style", [PartitionStyle.GPT, PartitionStyle.MBR])
def test_the_last_partition_may_grow_to_the_disks_end_in_whole_mebibytes(node, disks, style):
    number = node.attach(128 * MIB)
    disks.initialize(disks.get(number), style)
    disks.create_partition(disks.get(number))
    node.machine.disks.grow(number, 200 * MIB + 12 * 512)
    disk = disks.refresh(disks.get(number))
    [partition] = data(disks, number)
    largest = disks.largest_size(partition, disk)
    assert largest % MIB == 0
    assert disk.size - DISK_TAIL - MIB < partition.offset + largest <= disk.size - DISK_TAIL
    disks.resize_partition(partition, largest)
    [partition] = data(disks, number)
    assert partition.size == largest == disks.largest_size(partition, disk)


def test_a_partition_grows_no_further_than_to_the_one_behind_it(node, disks):
    number = two_partitions(node, disks)
    disk = disks.get(number)
    first, second = data(disks, number)
    assert disks.largest_size(first, disk) == first.size
    assert disks.largest_size(second, disk) > second.size
    with pytest.raises(OutOfRange) as caught:
        disks.resize_partition(first, first.size + 2 * MIB)
    assert caught.value.windows_code == 87


def fabricated(offset: int, size: int) -> Partition:
    return partition_of_instance(
        Instance("MSFT_Partition", "p", {"DiskNumber": 1, "Offset": offset, "Size": size})
    )


@pytest.mark.parametrize("style", [PartitionStyle.GPT, PartitionStyle.MBR])
def test_an_mbr_reaches_no_further_than_two_tebibytes(node, disks, style):
    disk = Disk(
        90,
        "",
        "",
        "",
        3 << 40,
        style,
        False,
        0,
        False,
        False,
        False,
        False,
        False,
        Instance("MSFT_Disk", "k", {"Number": 90}),
    )
    largest = disks.largest_size(fabricated(MIB, GIB), disk)
    limit = MBR_LIMIT if style is PartitionStyle.MBR else disk.size - DISK_TAIL
    assert largest == limit - MIB


def test_a_partition_that_is_too_large_already_stays_as_it_is(disks):
    disk = Disk(
        90, "", "", "", GIB, PartitionStyle.GPT, False, 0, *[False] * 5, Instance("MSFT_Disk", "k", {})
    )
    assert disks.largest_size(fabricated(MIB, 2 * GIB), disk) == 2 * GIB


def test_a_change_that_windows_refuses_says_what_was_tried(node, disks):
    [partition] = data(disks, node.volume().disk)
    with pytest.raises(OutOfRange, match=rf"cannot resize partition {partition.number} of disk 1 to 7 bytes"):
        disks.resize_partition(partition, 7)
