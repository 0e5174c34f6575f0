"""Callers of one object come one at a time, in their order, not endlessly many, and none waits in vain."""

import pytest
from tests.concurrency.serving import Client, flush, lock_of, mount, partition
from tests.crash.calls import Outcome, Request
from tests.emulated import MIB, PLUGINS

from csiproxy.operations.locks import WAITERS


@pytest.fixture
def busy(serving):
    """A volume on which an operation hangs."""
    volume = serving.node.volume()
    serving.hang("MSFT_Volume.Flush")
    holder = serving.begin(flush(volume))
    serving.until_hung()
    yield volume
    serving.go_on()
    assert holder.succeeded()


def places(serving, count: int) -> list[str]:
    return [serving.node.make(rf"{PLUGINS}\pv{number:02}") for number in range(count)]


def queue_up(serving, volume, paths) -> list[Client]:
    """Callers that wait for a volume, each sure to have come after the one before."""
    clients = []
    for path in paths:
        before = serving.queue(lock_of(volume))
        clients.append(serving.begin(mount(volume, path)))
        serving.until_queued(lock_of(volume), before + 1)
    return clients


def test_callers_of_one_volume_come_in_the_order_of_their_arrival(serving, busy):
    paths = places(serving, WAITERS)
    waiting = queue_up(serving, busy, paths)
    assert all(client.is_waiting for client in waiting)
    serving.go_on()
    assert all(client.succeeded() for client in waiting)
    assert [rf"{PLUGINS}\{name}" for name in serving.mounted] == paths
    assert {record["outcome"] for record in serving.records.first(1 + WAITERS)} == {"OK"}
    assert serving.queue(lock_of(busy)) == 0


def test_one_more_than_may_wait_is_told_so_at_once(serving, busy):
    *paths, last = places(serving, WAITERS + 1)
    waiting = queue_up(serving, busy, paths)
    assert serving.ask(mount(busy, last)) == Outcome(failure="ABORTED")
    by_code = Request("csi-proxy/v1beta1", "DismountVolume", {"volume_device": busy.id})
    assert serving.ask(by_code) == Outcome(failure="error_code", windows_code=170)
    for record in serving.records.first(2):
        assert (record["outcome"], record["windows_code"]) == ("ABORTED", 170)
    serving.go_on()
    assert all(client.succeeded() for client in waiting)


def test_a_deadline_ends_the_wait_of_its_caller_alone(serving, busy):
    first, second = places(serving, 2)
    late = serving.stubborn(mount(busy, first), timeout=0.3)
    serving.until_queued(lock_of(busy), 2)
    [patient] = queue_up(serving, busy, [second])
    assert late.failure() == "DEADLINE_EXCEEDED"
    serving.until_queued(lock_of(busy), 2)
    [record] = serving.records.first(1)
    assert (record["outcome"], record["arguments"]["target_path"]) == ("DEADLINE_EXCEEDED", first)
    assert patient.is_waiting
    serving.go_on()
    assert patient.succeeded()
    assert serving.node.names(PLUGINS + r"\pv00") == []


def test_a_caller_that_hangs_up_does_not_wait_on(serving, busy):
    first, second = places(serving, 2)
    caller = serving.stubborn(mount(busy, first))
    serving.until_queued(lock_of(busy), 2)
    caller.hang_up()
    serving.until_queued(lock_of(busy), 1)
    [record] = serving.records.first(1)
    assert (record["outcome"], record["arguments"]["target_path"]) == ("CANCELLED", first)
    [patient] = queue_up(serving, busy, [second])
    serving.go_on()
    assert patient.succeeded()
    assert serving.node.names(first) == []


def test_two_callers_of_one_raw_disk_make_one_partition(serving):
    number = serving.node.attach()
    serving.hang("MSFT_Disk.CreatePartition")
    one = serving.begin(partition(number))
    serving.until_hung()
    other = serving.begin(Request("csi-proxy/v1beta1", "PartitionDisk", {"disk_device": drive(number)}))
    serving.until_queued(f"disk {number}", 2)
    serving.go_on()
    assert one.succeeded()
    [volume] = serving.operations.disk.volumes_of(number)
    assert volume.id.replace("\\", "\\\\") in other.outcome().reply


def test_a_volume_that_grows_keeps_its_disk_from_being_partitioned_meanwhile(serving):
    volume = serving.node.volume()
    serving.node.machine.disks.grow(volume.disk, 128 * MIB)
    serving.hang("MSFT_Partition.Resize")
    resize = serving.begin(Request("volume/v2alpha1", "ResizeVolume", {"volume_id": volume.id}))
    serving.until_hung()
    assert (serving.queue(lock_of(volume)), serving.queue(f"disk {volume.disk}")) == (1, 1)
    switch = Request("disk/v1", "SetDiskState", {"disk_number": volume.disk, "is_online": False})
    offline = serving.begin(switch)
    serving.until_queued(f"disk {volume.disk}", 2)
    serving.go_on()
    assert resize.succeeded()
    assert offline.succeeded()


def drive(number: int) -> str:
    return rf"\\.\PhysicalDrive{number}"
