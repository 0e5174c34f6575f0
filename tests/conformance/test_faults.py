"""Ordered faults as a driver meets them over a real socket: what it is told, and that it can go on."""

import shutil
import signal
import tempfile
from collections.abc import Iterator

import grpc
import pytest
from tests.conformance.running import MIB, Running
from tests.conformance.wire import refusal

from csiproxy.emulator.connect import start_node
from csiproxy.emulator.faults import Action, Fault, When

RESCAN = "MSFT_StorageSetting.UpdateHostStorageCache"


@pytest.fixture
def own(apis) -> Iterator[Running]:
    """A node and a proxy that no other test has: they may die."""
    directory = tempfile.mkdtemp(prefix="cp-", dir="/tmp")
    own = Running(directory, apis)
    yield own
    own.close()
    shutil.rmtree(directory)


def volumes(own: Running, number: int) -> list[str]:
    return list(own.client("volume/v1")("ListVolumesOnDisk", disk_number=number).volume_ids)


def test_a_lost_reply_is_unavailable_and_the_same_call_finishes_the_job(own):
    number, disk = own.attach(), own.client("disk/v1")
    for step in ("MSFT_Disk.Initialize", "MSFT_Disk.CreatePartition"):
        own.control.order(Fault(step, Action.LOSE))
        assert disk.refused("PartitionDisk", disk_number=number).status == "UNAVAILABLE"
        assert own.control.faults() == ()
    disk("PartitionDisk", disk_number=number)
    assert len(volumes(own, number)) == 1


def test_a_step_that_hangs_holds_up_its_own_disk_alone(own):
    stuck, free = own.attach(), own.attach()
    disk = own.client("disk/v1")
    own.control.order(Fault("MSFT_Disk.Initialize", Action.HANG))
    request, _ = disk.api.rpcs["PartitionDisk"]
    call = disk._channel.unary_unary(
        f"/{disk.api.service}/PartitionDisk", request_serializer=lambda message: message.SerializeToString()
    )
    with pytest.raises(grpc.RpcError) as caught:
        call(request(disk_number=stuck), timeout=1.0)
    assert refusal(caught.value).status == "DEADLINE_EXCEEDED"
    disk("PartitionDisk", disk_number=free)
    assert (volumes(own, stuck), len(volumes(own, free))) == ([], 1)
    own.control.clear_faults()
    disk("PartitionDisk", disk_number=stuck)
    assert len(volumes(own, stuck)) == 1


@pytest.mark.parametrize("when", When, ids=lambda when: when.value)
def test_a_proxy_that_is_killed_at_a_step_leaves_what_the_next_one_finishes(own, when):
    number = own.attach()
    own.control.order(Fault("MSFT_Disk.CreatePartition", Action.KILL_CALLER, when=when))
    assert own.client("disk/v1").refused("PartitionDisk", disk_number=number).status == "UNAVAILABLE"
    assert own._proxy.wait(60) == -signal.SIGKILL
    own._proxy = own._start()
    own.client("disk/v1")("PartitionDisk", disk_number=number)
    assert len(volumes(own, number)) == 1


@pytest.mark.parametrize("when", When, ids=lambda when: when.value)
def test_a_node_that_is_killed_at_a_step_goes_on_where_it_was_once_it_is_started_again(own, when):
    number = own.attach()
    own.control.order(Fault("MSFT_Disk.CreatePartition", Action.KILL_NODE, when=when))
    for _ in range(2):
        assert own.client("disk/v1").refused("PartitionDisk", disk_number=number).status == "UNAVAILABLE"
    start_node(own.node)
    own.client("disk/v1")("PartitionDisk", disk_number=number)
    assert len(volumes(own, number)) == 1
    assert own.control.faults() == ()


@pytest.mark.parametrize(
    ("action", "status", "code"),
    [
        (Action.VANISH, "NOT_FOUND", 1168),
        (Action.OFFLINE, "FAILED_PRECONDITION", 21),
        (Action.READ_ONLY, "FAILED_PRECONDITION", 19),
    ],
    ids=lambda value: getattr(value, "value", None),
)
def test_a_disk_that_is_lost_in_mid_operation_is_told_with_its_code(own, action, status, code):
    number = own.attach(64 * MIB)
    own.control.order(Fault("MSFT_Disk.Initialize", action, disk=number))
    found = own.client("disk/v1").refused("PartitionDisk", disk_number=number)
    assert list(found) == [status, code]
    own.control.order(Fault(RESCAN, Action.SLOW, seconds=0.05))
    own.client("disk/v1")("Rescan")
