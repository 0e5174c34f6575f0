"""Both halves of the port fail as ordered, in process and over the node's socket."""

import os
import signal
import subprocess
import sys

import pytest
from tests.emulator.nodes import command
from tests.running import until

from csiproxy.emulator.calls import namespace_calls
from csiproxy.emulator.faults import Action, Fault, When
from csiproxy.emulator.faulty import NAMESPACE_STEPS
from csiproxy.emulator.machine import Machine
from csiproxy.emulator.namespace import NodeNamespace
from csiproxy.errors import CimError, HostError, HostUnreachable, Win32Error
from csiproxy.host.win32 import EntryKind

KUBELET = r"C:\var\lib\kubelet"
MIB = 1 << 20


@pytest.fixture
def machine(tmp_path):
    with Machine(str(tmp_path / "node")) as machine:
        machine.attach(str(tmp_path / "disk.img"), 64 * MIB, {})
        yield machine


def disk(session, number=1):
    return session.instances("MSFT_Disk", Number=number)[0]


def test_a_method_returns_the_code_that_was_ordered_and_does_nothing(machine):
    machine.faults.order(Fault("MSFT_Disk.Initialize", Action.FAIL, code=41002))
    assert machine.session.invoke(disk(machine.session), "Initialize", PartitionStyle=2).return_value == 41002
    assert disk(machine.session).number("PartitionStyle") == 0


def test_a_query_and_an_association_fail_with_the_hresult_that_was_ordered(machine):
    found = disk(machine.session)
    for ask in (
        lambda: machine.session.instances("MSFT_Partition"),
        lambda: machine.session.associated(found, "MSFT_DiskToPartition", "MSFT_Partition"),
    ):
        machine.faults.order(Fault("MSFT_Partition", Action.FAIL, code=0x80041003))
        with pytest.raises(CimError) as caught:
            ask()
        assert caught.value.hresult == 0x80041003
        ask()


def path(machine):
    return machine.session.instances("MSFT_Disk", Number=1)[0].text("Path")


WIN32_STEPS = {
    "storage_device": lambda machine, root: machine.win32.storage_device(path(machine)),
    "set_link": lambda machine, root: machine.win32.set_link(root, "link", KUBELET + r"\pods", replace=False),
    "remove_link": lambda machine, root: machine.win32.remove(root, "link", EntryKind.SYMBOLIC_LINK),
    "describe": lambda machine, root: machine.win32.entry(root, "link"),
    "mount_points": lambda machine, root: machine.win32.mount_points("x"),
    "set_mount_point": lambda machine, root: machine.win32.set_mount_point(root, "pods", "x"),
    "delete_mount_point": lambda machine, root: machine.win32.delete_mount_point(root, "pods", "x"),
    "mounted": lambda machine, root: machine.win32.open_mounted(root, "pods"),
}


@pytest.mark.parametrize("step", WIN32_STEPS)
def test_a_win32_call_of_the_node_fails_with_the_code_that_was_ordered(machine, step):
    with machine.win32.open_root(KUBELET) as root:
        machine.win32.set_link(root, "link", KUBELET + r"\plugins", replace=False)
        machine.faults.order(Fault(step, Action.FAIL, code=1117))
        with pytest.raises(Win32Error) as caught:
            WIN32_STEPS[step](machine, root)
        assert caught.value.windows_code == 1117


@pytest.mark.parametrize(
    ("action", "code"), [(Action.OFFLINE, 41003), (Action.READ_ONLY, 41002), (Action.VANISH, 8)]
)
def test_a_disk_is_lost_between_being_read_and_being_changed(machine, action, code):
    found = disk(machine.session)
    machine.faults.order(Fault("MSFT_Disk.Initialize", action, disk=1))
    assert machine.session.invoke(found, "Initialize", PartitionStyle=2).return_value == code


def test_a_disk_is_lost_right_after_it_was_changed(machine):
    machine.faults.order(Fault("MSFT_Disk.Initialize", Action.OFFLINE, when=When.AFTER, disk=1))
    assert machine.session.invoke(disk(machine.session), "Initialize", PartitionStyle=2).return_value == 0
    found = disk(machine.session)
    assert (found.number("PartitionStyle"), found.flag("IsOffline")) == (2, True)


def test_a_lost_reply_breaks_the_connection_and_the_next_call_goes_on(node):
    host = node.connect()
    with node.control() as control:
        control.order(Fault("MSFT_StorageSetting.UpdateHostStorageCache", Action.LOSE))
        with pytest.raises(HostUnreachable):
            host.cim.invoke("MSFT_StorageSetting", "UpdateHostStorageCache")
        assert control.faults() == ()
    assert host.cim.invoke("MSFT_StorageSetting", "UpdateHostStorageCache").return_value == 0


@pytest.mark.parametrize("when", When)
def test_the_node_dies_on_the_side_of_the_step_that_was_ordered(node, when, tmp_path):
    host = node.connect()
    with node.control() as control:
        control.attach(str(tmp_path / "disk.img"), create=64 * MIB)
        control.order(Fault("MSFT_Disk.Initialize", Action.KILL_NODE, when=when))
    with pytest.raises(HostUnreachable):
        host.cim.invoke(disk(host.cim), "Initialize", PartitionStyle=2)
    node.wait_until_gone()
    again = node.connect()
    assert disk(again.cim).number("PartitionStyle") == (0 if when is When.BEFORE else 2)


def test_the_caller_dies_and_the_node_lives(node):
    node.connect()
    with node.control() as control:
        control.order(Fault("MSFT_StorageSetting.UpdateHostStorageCache", Action.KILL_CALLER))
    program = (
        "from csiproxy.emulator.connect import connect\n"
        f"connect({node.path!r}, command={command(node.path)!r})"
        ".cim.invoke('MSFT_StorageSetting', 'UpdateHostStorageCache')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    with node.control() as control:
        assert control.faults() == ()


def test_what_hung_for_a_caller_that_died_is_not_done_afterwards(node, tmp_path):
    host = node.connect()
    program = (
        "from csiproxy.emulator.connect import connect\n"
        f"connect({node.path!r}, command={command(node.path)!r})"
        ".cim.invoke('MSFT_StorageSetting', 'UpdateHostStorageCache')\n"
    )
    with node.control() as control:
        number = control.attach(str(tmp_path / "disk.img"), create=64 * MIB)
        control.grow(number, 128 * MIB)
        threads = f"/proc/{control.process}/task"
        before = len(os.listdir(threads))
        control.order(Fault("MSFT_StorageSetting.UpdateHostStorageCache", Action.HANG))
        with subprocess.Popen([sys.executable, "-c", program], env=os.environ) as caller:
            until(lambda: control.faults() == ())
            caller.kill()
        until(lambda: control.clear_faults() is None and len(os.listdir(threads)) <= before)
    assert disk(host.cim, number).number("Size") == 64 * MIB


def test_orders_are_listed_and_cleared_over_the_socket(node):
    node.connect()
    with node.control() as control:
        fault = Fault("set_link", Action.SLOW, nth=2, when=When.AFTER, seconds=1.5, disk=3, code=7)
        control.order(fault)
        assert control.faults() == (fault,)
        control.clear_faults()
        assert control.faults() == ()


def test_every_step_of_the_port_is_one_that_faults_can_be_ordered_at(machine):
    calls = {*namespace_calls(machine.links), "places"}
    asked = {name for name in vars(NodeNamespace) if not name.startswith("_")}
    assert calls == asked
    assert set(NAMESPACE_STEPS) == set(namespace_calls(machine.links)) == set(WIN32_STEPS) | {"final_path"}
    classes = {"MSFT_Disk", "MSFT_Partition", "MSFT_Volume", "MSFT_StorageSetting", "Win32_Service"}
    assert classes < set(machine.faults.steps)
    assert {"MSFT_Disk.Initialize", "Win32_Service.StopService", "mounted"} < set(machine.faults.steps)


def test_a_fault_that_could_never_happen_is_refused_over_the_socket(node):
    node.connect()
    with node.control() as control:
        with pytest.raises(HostError, match="fault steps"):
            control.order(Fault("MSFT_Disk.Initialise", Action.HANG))
        assert "MSFT_Disk.Initialize" in control.fault_steps()
        assert control.faults() == ()
