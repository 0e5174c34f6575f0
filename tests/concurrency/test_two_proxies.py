"""Two proxies that serve one node exclude each other on every object, and on nothing else."""

from collections.abc import Iterator

import pytest
from tests.concurrency.serving import Stubborn, partition
from tests.crash.calls import Outcome, Request
from tests.emulated import MIB
from tests.running import ProxyProcess, Running, until

from csiproxy.emulator.faults import Action, Fault

DONE = Outcome(reply="{}")
INITIALIZE = "MSFT_Disk.Initialize"


@pytest.fixture
def running(directory) -> Iterator[Running]:
    processes = Running(directory, ["disk/v1", "volume/v1"])
    yield processes
    processes.close()


@pytest.fixture
def disks(running) -> list[int]:
    return [running.control.attach(str(running.directory / f"{name}.img"), create=64 * MIB) for name in "ab"]


@pytest.fixture
def other(running) -> ProxyProcess:
    return running.another_proxy("other")


def begin(proxy: ProxyProcess, request: Request, timeout: float | None = None) -> Stubborn:
    return Stubborn(proxy.stream(request), request, timeout)


def hang_in(running: Running, proxy: ProxyProcess, request: Request, step: str) -> Stubborn:
    """A call that hangs at a step."""
    running.control.order(Fault(step, Action.HANG))
    caller = begin(proxy, request)
    until(lambda: not running.control.faults())
    return caller


def volumes(proxy: ProxyProcess, disk: int) -> Outcome:
    return proxy.call(Request("volume/v1", "ListVolumesOnDisk", {"disk_number": disk}))


def test_one_proxy_waits_for_the_other_on_the_same_disk_and_not_on_another(running, disks, other):
    holder = hang_in(running, running.proxy, partition(disks[0]), INITIALIZE)
    # Whoever initialises a disk now fails.
    running.control.order(Fault(INITIALIZE, Action.FAIL, code=4))
    assert begin(other, partition(disks[0]), timeout=0.5).failure() == "DEADLINE_EXCEEDED"
    assert other.record()["outcome"] == "DEADLINE_EXCEEDED"
    assert len(running.control.faults()) == 1, "the other proxy has not come that far"
    assert other.call(partition(disks[1])) == Outcome(failure="INTERNAL")  # it has there
    assert other.call(partition(disks[1])) == DONE

    running.control.clear_faults()
    assert holder.failure() == ""
    made = volumes(running.proxy, disks[0])
    assert other.call(partition(disks[0])) == DONE
    assert volumes(other, disks[0]) == made


def test_the_death_of_a_proxy_lets_the_other_go_on(running, disks, other):
    lost = hang_in(running, running.proxy, partition(disks[0]), INITIALIZE)
    waiting = begin(other, partition(disks[0]))
    running.proxy.kill()
    lost.hang_up()
    assert waiting.failure() == ""
    made = volumes(other, disks[0])
    running.control.clear_faults()  # what the dead proxy had begun comes to its end now, and changes nothing
    assert other.call(partition(disks[0])) == DONE
    assert volumes(other, disks[0]) == made


def test_the_death_of_the_node_ends_both_waits_and_leaves_the_disk_free(running, disks, other):
    holder = hang_in(running, running.proxy, partition(disks[0]), INITIALIZE)
    running.node.kill()
    assert holder.failure() == "UNAVAILABLE"
    assert other.call(partition(disks[0])) == Outcome(failure="UNAVAILABLE")
    running.restart_node()
    assert other.call(partition(disks[0])) == DONE
    assert running.proxy.call(partition(disks[0])) == DONE


def test_a_volume_is_mounted_once_by_two_proxies(running, disks, other):
    assert running.proxy.call(partition(disks[0])) == DONE
    [report] = [disk for disk in running.control.list() if disk.number == disks[0]]
    volume = report.volumes[0].name
    assert running.proxy.call(Request("volume/v1", "FormatVolume", {"volume_id": volume})) == DONE
    path = r"C:\var\lib\kubelet\pods\here"
    (running.directory / "node" / "c" / "var" / "lib" / "kubelet" / "pods" / "here").mkdir()
    mount = Request("volume/v1", "MountVolume", {"volume_id": volume, "target_path": path})
    one = hang_in(running, running.proxy, mount, "set_mount_point")
    two = begin(other, mount)
    running.control.clear_faults()
    assert (one.failure(), two.failure()) == ("", "")
    [report] = [disk for disk in running.control.list() if disk.number == disks[0]]
    assert report.volumes[0].mount_points == (path,)
