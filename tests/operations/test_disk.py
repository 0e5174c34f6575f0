"""Group disk, line by line of what is promised."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.emulated import GIB, MIB, EmulatedNode
from tests.operations.ground import MuteDisk, data, events, identifier, layout, rails
from tests.operations.refusals import refused
from tests.storage.scheduled import LossySession, ScheduledWin32

from csiproxy.emulator.attachment import OfflineReason
from csiproxy.emulator.faults import Action, Fault, When
from csiproxy.errors import (
    Aborted,
    Cancelled,
    CsiProxyError,
    DeadlineExceeded,
    FailedPrecondition,
    NotFound,
    Unavailable,
)
from csiproxy.host.win32 import Association, CodeSet, IdentifierType, StorageDevice
from csiproxy.operations.context import Context
from csiproxy.operations.disk import ARRIVAL_SECONDS, DiskGroup, DiskLocation, page83_text
from csiproxy.operations.locks import Locks
from csiproxy.storage import Storage
from csiproxy.storage.disk import PartitionStyle


@pytest.fixture
def disks(node: EmulatedNode) -> DiskGroup:
    return node.operations().disk


@pytest.fixture
def call() -> Context:
    return Context()


# --- where the disks are, and what names them --------------------------------------------------------------


def test_locations_are_listed_by_number_as_decimal_text(node, disks, call):
    number = node.attach(adapter=2, bus_number=5, target=3, lun=17)
    found = disks.list_disk_locations(call).disk_locations
    assert set(found) == {number}  # of the system disk, on ATA, Windows says no target and no LUN
    assert found[number] == DiskLocation(adapter="2", bus="5", target="3", lun_id="17")


BINARY_NAA = identifier(bytes.fromhex("600A0980"), code_set=CodeSet.BINARY, type=IdentifierType.FCPH_NAME)


@pytest.mark.parametrize(
    ("identifiers", "text"),
    [
        ((), ""),
        ((identifier(b"Google  PersistentDisk  pvc-1"),), "Google  PersistentDisk  pvc-1"),
        ((BINARY_NAA,), "600a0980"),
        ((BINARY_NAA, identifier(b"second")), "600a0980"),
        ((identifier(b"port", association=Association.PORT), identifier(b"device")), "device"),
        ((identifier(b"target", association=Association.TARGET),), ""),
        ((identifier(b"\x01", code_set=CodeSet.RESERVED), identifier(b"second")), "second"),
        ((identifier("é".encode(), code_set=CodeSet.UTF8),), "é"),
        ((identifier(b"\xff"),), "\ufffd"),
    ],
)
def test_page_83_is_the_first_identifier_of_the_device_raw(node, disks, call, identifiers, text):
    assert page83_text(StorageDevice(1, identifiers)) == text
    number = node.attach(identifiers=identifiers, serial="S-1")
    found = disks.list_disk_ids(call).disk_ids[number]
    assert (found.page83, found.serial_number) == (text, "S-1")


def test_a_disk_that_cannot_be_asked_is_left_out_and_noted(node, call):
    one, two = node.attach(), node.attach()
    assert (one, two) == (1, 2)
    disks = node.operations(win32=MuteDisk(node.host.win32)).disk
    assert set(disks.list_disk_ids(call).disk_ids) == {0, 2}
    [note] = call.notes
    assert (note.event, note.facts) == ("disk-left-out", {"disk": 1, "windows_code": 1})


def test_a_disk_is_found_by_its_page_83_identifier(node, disks, call):
    number = node.attach(identifiers=(identifier(b"pvc-1"),))
    node.attach(identifiers=())
    assert disks.get_disk_number_by_name(call, disk_name="pvc-1").disk_number == str(number)
    for name in ("pvc-2", "", "PVC-1"):  # an empty name is nobody's, not that of a disk without an identifier
        with refused(NotFound, 1168):
            disks.get_disk_number_by_name(call, disk_name=name)


def test_size_and_state_are_told(node, disks, call):
    number = node.attach(100 * MIB, offline=True)
    assert disks.get_disk_stats(call, disk_number=number).total_bytes == 100 * MIB
    assert not disks.get_disk_state(call, disk_number=number).is_online
    assert disks.get_disk_state(call, disk_number=0).is_online


def test_a_disk_that_is_not_there_is_1168(disks, call):
    for ask in (
        lambda: disks.get_disk_stats(call, disk_number=9),
        lambda: disks.get_disk_state(call, disk_number=9),
        lambda: disks.set_disk_state(call, disk_number=9, is_online=True),
        lambda: disks.set_disk_state(call, disk_number=9, is_online=False),
        lambda: disks.partition_disk(call, disk_number=9),
    ):
        with refused(NotFound, 1168):
            ask()


# --- partitioning ------------------------------------------------------------------------------------------


def test_a_raw_disk_is_initialised_as_gpt_with_one_partition_and_a_second_call_changes_nothing(
    node, disks, call
):
    number = node.attach()
    disks.partition_disk(call, disk_number=number)
    assert node.storage.disks.get(number).style is PartitionStyle.GPT
    assert len(data(node, number)) == 1
    before = layout(node, number)
    disks.partition_disk(call, disk_number=number)
    assert layout(node, number) == before


@pytest.mark.parametrize("style", [PartitionStyle.GPT, PartitionStyle.MBR])
def test_a_disk_with_a_table_and_no_partition_gets_its_partition_in_that_table(node, disks, call, style):
    number = node.attach()
    node.storage.disks.initialize(node.storage.disks.get(number), style)
    disks.partition_disk(call, disk_number=number)
    assert node.storage.disks.get(number).style is style
    assert len(data(node, number)) == 1


@pytest.mark.parametrize("style", [PartitionStyle.GPT, PartitionStyle.MBR])
def test_a_partitioned_disk_is_left_alone_whatever_its_table(node, disks, call, style):
    number = node.attach(128 * MIB)
    node.storage.disks.initialize(node.storage.disks.get(number), style)
    small = node.machine.session.invoke(
        node.storage.disks.get(number).instance, "CreatePartition", Size=32 * MIB
    )
    assert small.return_value == 0
    before = layout(node, number)
    for other in (PartitionStyle.GPT, PartitionStyle.MBR):
        disks.prepare(call, number, other)
    assert layout(node, number) == before


def test_the_volume_at_the_lowest_offset_is_the_disks(node, disks, call):
    number = node.attach(128 * MIB)
    node.storage.disks.initialize(node.storage.disks.get(number), PartitionStyle.GPT)
    disk = node.storage.disks.get(number).instance
    for offset in (64 * MIB, 32 * MIB):
        assert (
            node.machine.session.invoke(disk, "CreatePartition", Size=16 * MIB, Offset=offset).return_value
            == 0
        )
    volume = disks.prepare(call, number, PartitionStyle.GPT)
    assert node.storage.volumes.partition(volume).offset == 32 * MIB
    assert disks.volumes_of(number)[0].id == volume.id


def test_partitions_without_any_volume_are_1005_after_a_bounded_wait(node, call):
    number = node.attach()
    node.storage.disks.initialize(node.storage.disks.get(number), PartitionStyle.GPT)
    linux = "{0fc63daf-8483-4772-8e79-3d69d8477de4}"
    disk = node.storage.disks.get(number).instance
    created = node.machine.session.invoke(disk, "CreatePartition", UseMaximumSize=True, GptType=linux)
    assert created.return_value == 0
    slept: list[float] = []
    storage = Storage(node.host)
    disks = DiskGroup(
        storage.disks, storage.volumes, Locks(storage.mutex), rails(storage), sleep=slept.append
    )
    before = layout(node, number)
    with refused(FailedPrecondition, 1005):
        disks.partition_disk(call, disk_number=number)
    assert sum(slept) == pytest.approx(ARRIVAL_SECONDS, abs=0.2)
    assert layout(node, number) == before


@pytest.mark.parametrize(
    ("action", "error", "code"), [(Action.VANISH, NotFound, 1168), (Action.OFFLINE, FailedPrecondition, 21)]
)
def test_a_disk_that_is_lost_while_its_volume_is_awaited_ends_the_wait_at_once(
    node, call, action, error, code
):
    number = node.attach()
    slept: list[float] = []
    disks = node.operations(sleep=slept.append).disk
    # The partitions are listed before one is made, once it is made, and from then on by the wait.
    node.machine.faults.order(Fault("MSFT_Partition", action, nth=2, when=When.AFTER, disk=number))
    with refused(error, code):
        disks.partition_disk(call, disk_number=number)
    assert slept == []


def test_a_volume_that_takes_a_moment_to_arrive_is_waited_for(node, call):
    number = node.volume(formatted=False).disk
    session = LateVolumes(node.machine.session, polls=3)
    storage = Storage(type(node.host)(session, node.host.win32))
    slept: list[float] = []
    disks = DiskGroup(
        storage.disks, storage.volumes, Locks(storage.mutex), rails(storage), sleep=slept.append
    )
    assert disks.prepare(call, number, PartitionStyle.GPT).id
    assert len(slept) == 3


class LateVolumes(LossySession):
    """A host on which the volume of a partition shows only when it has been asked for a few times."""

    def __init__(self, session, polls: int) -> None:
        super().__init__(session)
        self._polls = polls

    def associated(self, instance, association, result_class, result_role=""):
        if association == "MSFT_PartitionToVolume" and self._polls:
            self._polls -= 1
            return []
        return super().associated(instance, association, result_class, result_role)


def test_a_partition_that_was_offline_is_brought_online(node, disks, call):
    number = node.volume().disk
    [partition] = data(node, number)
    assert node.machine.session.invoke(partition.instance, "Offline").return_value == 0
    assert disks.volumes_of(number) == []
    disks.partition_disk(call, disk_number=number)
    assert len(disks.volumes_of(number)) == 1


def test_an_offline_partitioned_disk_is_brought_online_and_left_as_it_is(node, disks, call):
    staged = node.volume()
    staged.put("file")
    before = layout(node, staged.disk)
    disks.set_disk_state(call, disk_number=staged.disk, is_online=False)
    disks.partition_disk(call, disk_number=staged.disk)
    assert disks.get_disk_state(call, disk_number=staged.disk).is_online
    assert layout(node, staged.disk) == before
    assert [volume.id for volume in disks.volumes_of(staged.disk)] == [staged.id]


def test_a_disk_that_san_policy_left_offline_and_read_only_becomes_usable_and_that_is_noted(
    node, disks, call
):
    number = node.attach(policy_read_only=True)
    disks.partition_disk(call, disk_number=number)
    disk = node.storage.disks.get(number)
    assert (disk.is_offline, disk.is_read_only) == (False, False)
    assert len(data(node, number)) == 1
    assert events(call) == ["bringing-online", "brought-online", "clearing-read-only", "cleared-read-only"]
    assert call.notes[0].facts == {"disk": number, "offline_reason": 1, "is_read_only": True}
    assert call.notes[-1].facts == {"disk": number, "is_read_only": False}


def test_what_hardware_makes_read_only_stays_so_and_is_19(node, disks, call):
    for options in ({"read_only": True}, {"read_only": True, "offline": True}):
        number = node.attach(**options)
        for _ in range(2):
            with refused(FailedPrecondition, 19):
                disks.partition_disk(call, disk_number=number)
        assert node.storage.disks.get(number).is_read_only


def test_what_an_administrator_makes_read_only_while_it_is_online_stays_so_and_is_19(node, disks, call):
    number = node.attach()
    assert (
        node.machine.session.invoke(
            node.storage.disks.get(number).instance, "SetAttributes", IsReadOnly=True
        ).return_value
        == 0
    )
    with refused(FailedPrecondition, 19):
        disks.partition_disk(call, disk_number=number)
    assert node.storage.disks.get(number).is_read_only
    assert call.notes == []


def test_only_policy_is_overruled_not_another_reason_to_be_offline_and_read_only(node, disks, call):
    number = node.attach(policy_read_only=True)
    emulated = node.machine.disks._disks[number]
    node.machine.disks.update(emulated, emulated.record.taken_offline(OfflineReason.CRITICAL_WRITE_FAILURES))
    with refused(FailedPrecondition, 19):
        disks.partition_disk(call, disk_number=number)
    assert node.storage.disks.get(number).is_read_only
    assert events(call) == ["bringing-online", "brought-online"]


def test_a_read_only_disk_that_is_partitioned_is_fine_as_it_is(node, disks, call):
    image = node.image_of(node.volume().disk)
    number = node.storage.disks.all()[-1].number
    node.machine.disks.detach(number)
    number = node.machine.disks.attach(image, read_only=True)
    disks.partition_disk(call, disk_number=number)
    assert len(disks.volumes_of(number)) == 1


@pytest.mark.parametrize("operation", ["partition_disk", "set_disk_state"])
def test_a_partitioned_disk_that_policy_took_offline_and_hardware_locks_is_brought_online(
    node, disks, call, operation
):
    image = node.image_of(node.volume().disk)
    number = node.storage.disks.all()[-1].number
    node.machine.disks.detach(number)
    number = node.machine.disks.attach(image, read_only=True, offline=True)
    fields = {"is_online": True} if operation == "set_disk_state" else {}
    for _ in range(2):
        getattr(disks, operation)(call, disk_number=number, **fields)
    disk = node.storage.disks.get(number)
    assert (disk.is_offline, disk.is_read_only) == (False, True)
    assert len(disks.volumes_of(number)) == 1
    assert events(call) == ["bringing-online", "brought-online", "clearing-read-only", "cleared-read-only"]
    assert not node.storage.disks.is_marked_policy_read_only(disk)


def test_foreign_bytes_without_a_table_are_not_written_over(node, disks, call):
    number = node.attach()
    with open(node.image_of(number), "r+b") as file:
        file.seek(1024 + 56)
        file.write(b"\x53\xef")  # the magic number of ext4, on the disk itself
    node.storage.disks.rescan()
    with open(node.image_of(number), "rb") as file:
        before = file.read()
    with pytest.raises(CsiProxyError):
        disks.partition_disk(call, disk_number=number)
    with open(node.image_of(number), "rb") as file:
        assert file.read() == before


@pytest.mark.parametrize("lost", range(12))
@pytest.mark.parametrize("policy_read_only", [False, True])
def test_a_call_after_a_lost_reply_finishes_the_job(node, lost, policy_read_only):
    number = node.attach(policy_read_only=policy_read_only)
    session = LossySession(node.machine.session, lost)
    disks = node.operations(cim=session).disk
    try:
        disks.partition_disk(Context(), disk_number=number)
    except Unavailable:
        disks = node.operations().disk  # the proxy may have died meanwhile: another one knows as much
        disks.partition_disk(Context(), disk_number=number)
    else:
        assert lost >= len(session.invoked)
    disk = node.storage.disks.get(number)
    assert (disk.is_offline, disk.is_read_only, disk.style) == (False, False, PartitionStyle.GPT)
    assert len(data(node, number)) == 1
    assert len(disks.volumes_of(number)) == 1


# --- state -------------------------------------------------------------------------------------------------


def test_a_disk_is_switched_and_switching_again_is_success(node, disks, call):
    number = node.attach()
    for state in (False, False, True, True):
        disks.set_disk_state(call, disk_number=number, is_online=state)
        assert disks.get_disk_state(call, disk_number=number).is_online is state


def test_a_disk_that_is_in_the_state_already_is_not_touched(node):
    number = node.attach()
    session = LossySession(node.machine.session)
    disks = node.operations(cim=session).disk
    disks.set_disk_state(Context(), disk_number=number, is_online=True)
    disks.set_disk_state(Context(), disk_number=0, is_online=True)
    assert session.invoked == []


def test_going_online_clears_what_policy_made_read_only(node, disks, call):
    number = node.attach(policy_read_only=True)
    disks.set_disk_state(call, disk_number=number, is_online=True)
    assert not node.storage.disks.get(number).is_read_only
    assert "cleared-read-only" in events(call)


def test_the_disk_that_holds_the_system_is_nobodys_storage(node, disks, call):
    before = layout(node, 0)
    with refused(FailedPrecondition, 50):
        disks.partition_disk(call, disk_number=0)
    with refused(FailedPrecondition, 50):
        disks.set_disk_state(call, disk_number=0, is_online=False)
    assert layout(node, 0) == before
    assert disks.get_disk_state(call, disk_number=0).is_online


def test_a_rescan_refreshes_sizes_and_takes_no_disks_lock(node, call):
    number = node.volume().disk
    node.machine.disks.grow(number, GIB)
    host = ScheduledWin32(node.host.win32)
    disks = node.operations(win32=host).disk
    disks.rescan(call)
    assert "mutex" not in host.calls
    assert disks.get_disk_stats(call, disk_number=number).total_bytes == GIB


# --- time and others ---------------------------------------------------------------------------------------


def test_a_caller_that_has_gone_changes_nothing_more(node, disks):
    number = node.attach()
    with pytest.raises(Cancelled):
        disks.partition_disk(Context(cancelled=lambda: True), disk_number=number)
    with pytest.raises(DeadlineExceeded):
        disks.partition_disk(Context(deadline=0.0), disk_number=number)
    assert node.storage.disks.get(number).style is PartitionStyle.RAW


def test_a_caller_that_goes_away_half_way_leaves_what_the_next_call_finishes(node):
    number = node.attach()
    session = LossySession(node.machine.session)
    context = Context(cancelled=lambda: "MSFT_Disk.Initialize" in session.invoked)
    with pytest.raises(Cancelled):
        node.operations(cim=session).disk.partition_disk(context, disk_number=number)
    assert node.storage.disks.get(number).style is PartitionStyle.GPT
    assert data(node, number) == []
    node.operations().disk.partition_disk(Context(), disk_number=number)
    assert len(data(node, number)) == 1


def test_callers_at_once_make_one_partition(node):
    number = node.attach()
    proxies = [node.operations().disk, node.operations().disk]
    with ThreadPoolExecutor(6) as threads:
        calls = [threads.submit(disks.partition_disk, Context(), disk_number=number) for disks in proxies * 3]
    for call in calls:
        call.result()
    assert len(data(node, number)) == 1


def test_a_disk_that_another_proxy_works_on_is_170_or_258_once_the_wait_is_over(node):
    number = node.attach()
    storage = Storage(node.host)
    impatient = DiskGroup(storage.disks, storage.volumes, Locks(storage.mutex, seconds=0.0), rails(storage))
    with node.host.win32.mutex(f"disk {number}", 1.0), refused(Aborted, 258):
        impatient.partition_disk(Context(), disk_number=number)
