"""However many operations hang on the host, everybody else is served, and every call's end is known."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.concurrency.serving import Client, Serving, flush, lock_of, mount, partition
from tests.crash.calls import Outcome, Request
from tests.emulated import PLUGINS, PODS, Staged

from csiproxy.rpc.limits import Limits

FEW = 8


@pytest.fixture
def narrow(directory: Path) -> Iterator[Serving]:
    """A proxy with few threads, all of which one client may have."""
    running = Serving(directory, Limits(blocking_threads=FEW, blocking_threads_per_client=FEW))
    yield running
    running.close()


def ask_for_health(serving: Serving, contract: str) -> bytes:
    with serving.channel(contract) as channel:
        return channel.call("/grpc.health.v1.Health/Check", b"", timeout=30)


def hang_on_disks(serving: Serving, count: int) -> list[Client]:
    """As many calls, each on a disk of its own, that hang as far as there are threads for them."""
    numbers = [serving.node.attach(4 << 20) for _ in range(count)]
    serving.hang("MSFT_Disk.Initialize", count)
    return [serving.begin(partition(number)) for number in numbers]


def stage(serving: Serving, volume: Staged, path: str) -> None:
    """A life of a volume from mounting to unmounting, all of it now."""
    serving.node.make(path)
    unmount = Request("volume/v2alpha1", "UnmountVolume", {"volume_id": volume.id, "target_path": path})
    for request in (mount(volume, path), flush(volume), unmount):
        assert serving.ask(request) == Outcome(reply="{}")


def test_twice_as_many_hung_calls_as_threads_block_neither_health_nor_questions_about_paths(serving):
    serving.node.make(PODS + r"\uid")
    hung = hang_on_disks(serving, 2 * Limits().blocking_threads)
    serving.until_hung(Limits().blocking_threads_per_client)
    for contract in ("disk/v1", "volume/v2alpha1", "csi-proxy/v1alpha1"):
        assert ask_for_health(serving, contract) == b"\x08\x01"
    for contract in ("filesystem/v2alpha1", "csi-proxy/v1beta1", "csi-proxy/v1alpha1"):
        assert "'exists': True" in serving.ask(Request(contract, "PathExists", {"path": PODS})).reply
    question = Request("filesystem/v2alpha1", "IsSymlink", {"path": PODS + r"\uid"})
    assert serving.ask(question) == Outcome(reply="{'is_symlink': False}")
    assert all(client.is_waiting for client in hung)
    serving.go_on()
    assert all(client.succeeded() for client in hung)
    numbers = [disk.number for disk in serving.node.machine.disks.present()]
    assert [len(serving.operations.disk.volumes_of(number)) for number in numbers[1:]] == [1] * len(hung)


def test_a_call_for_which_there_is_no_thread_ends_at_its_deadline_and_is_recorded(narrow):
    serving = narrow
    hung = hang_on_disks(serving, FEW)
    serving.until_hung(FEW)
    number = serving.node.attach()
    assert serving.stubborn(partition(number), timeout=0.3).failure() == "DEADLINE_EXCEEDED"
    [record] = serving.records.first(1)
    assert (record["rpc"], record["outcome"]) == ("/v1.Disk/PartitionDisk", "DEADLINE_EXCEEDED")
    serving.go_on()
    assert all(client.succeeded() for client in hung)
    assert not serving.operations.disk.volumes_of(number)


def test_while_one_thread_is_left_other_volumes_are_served(narrow):
    serving = narrow
    volume = serving.node.volume()
    hung = hang_on_disks(serving, FEW - 1)
    serving.until_hung(FEW - 1)
    stage(serving, volume, PLUGINS + r"\pv1")
    assert all(client.is_waiting for client in hung)
    serving.go_on()
    assert all(client.succeeded() for client in hung)


@pytest.mark.parametrize("step", ["MSFT_Volume.Flush", "MSFT_Volume", "MSFT_Volume.Format"])
def test_an_operation_that_hangs_on_one_volume_does_not_disturb_another(serving, step):
    one, other = serving.node.volume(formatted=step != "MSFT_Volume.Format"), serving.node.volume()
    request = flush(one)
    if step == "MSFT_Volume.Format":
        request = Request("volume/v2alpha1", "FormatVolume", {"volume_id": one.id})
    serving.hang(step)
    hung = serving.begin(request)
    serving.until_hung()
    stage(serving, other, PLUGINS + r"\pv1")
    assert serving.ask(Request("disk/v1", "Rescan")) == Outcome(reply="{}")
    assert hung.is_waiting
    serving.go_on()
    assert hung.succeeded()


def test_a_deadline_ends_the_clients_wait_and_the_operations_own_end_is_recorded(serving):
    volume = serving.node.volume(formatted=False)
    serving.hang("MSFT_Volume.Format")
    caller = serving.stubborn(
        Request("volume/v2alpha1", "FormatVolume", {"volume_id": volume.id}), timeout=0.3
    )
    assert caller.failure() == "DEADLINE_EXCEEDED"
    serving.until_hung()  # the operation is where it was
    assert serving.queue(lock_of(volume)) == 1
    serving.go_on()
    [record] = serving.records.first(1)
    assert record["rpc"] == "/v2alpha1.Volume/FormatVolume"
    assert record["outcome"] == "OK"
    assert [note["event"] for note in record["notes"]] == ["formatting"]
    formatted = Request("volume/v2alpha1", "IsVolumeFormatted", {"volume_id": volume.id})
    assert serving.ask(formatted) == Outcome(reply="{'formatted': True}")


def test_an_operation_whose_client_hung_up_is_recorded_with_its_own_end(serving):
    volume = serving.node.volume()
    path = serving.node.make(PLUGINS + r"\pv1")
    serving.hang("set_mount_point")
    caller = serving.stubborn(mount(volume, path))
    serving.until_hung()
    caller.hang_up()
    serving.go_on()
    [record] = serving.records.first(1)
    assert (record["rpc"], record["outcome"]) == ("/v2alpha1.Volume/MountVolume", "OK")
    assert serving.ask(mount(volume, path)) == Outcome(reply="{}")


def test_an_operation_that_was_given_up_stops_before_its_next_step_that_may_be_left_out(serving):
    number = serving.node.attach()
    serving.hang("MSFT_Disk.Initialize")
    caller = serving.stubborn(partition(number), timeout=0.3)
    assert caller.failure() == "DEADLINE_EXCEEDED"
    serving.go_on()
    [record] = serving.records.first(1)
    assert (record["rpc"], record["outcome"]) == ("/v1.Disk/PartitionDisk", "DEADLINE_EXCEEDED")
    assert serving.ask(partition(number)) == Outcome(reply="{}")
    assert len(serving.operations.disk.volumes_of(number)) == 1


def test_more_calls_than_may_wait_for_threads_are_refused_and_recorded(directory: Path) -> None:
    alone = {"blocking_threads_per_client": 2, "queued_calls_per_client": 2}
    serving = Serving(directory, Limits(blocking_threads=2, queued_calls=2, **alone))
    try:
        numbers = [serving.node.attach(4 << 20) for _ in range(4)]
        serving.hang("MSFT_Disk.Initialize", 4)
        clients = [serving.stubborn(partition(number)) for number in numbers]
        serving.until_hung(2)
        refused = serving.stubborn(partition(9))
        assert refused.failure() == "RESOURCE_EXHAUSTED"
        [record] = serving.records.first(1)
        assert record["outcome"] == "RESOURCE_EXHAUSTED"
        serving.go_on()
        assert [client.failure() for client in clients] == [""] * 4
    finally:
        serving.close()


def test_waiters_of_one_object_take_threads_but_not_those_of_questions(narrow):
    """The bound of an object's waiters does not bound what they keep from others' operations."""
    serving = narrow
    volume = serving.node.volume()
    serving.hang("MSFT_Volume.Flush")
    clients = [serving.begin(flush(volume)) for _ in range(FEW)]
    serving.until_queued(lock_of(volume), FEW)
    other = serving.stubborn(Request("disk/v1", "ListDiskIDs"), timeout=0.3)
    assert other.failure() == "DEADLINE_EXCEEDED"
    assert ask_for_health(serving, "disk/v1") == b"\x08\x01"
    serving.go_on()
    assert all(client.succeeded() for client in clients)
