"""The units of targets as disks: a file system on one is a volume, whose files stay with the node."""

import os
import subprocess

import pytest
from tests.emulator.nodes import data_volume
from tests.iscsi_node import portal_of

from csiproxy.emulator.initiator import Initiator
from csiproxy.emulator.iscsi_chap import NONE
from csiproxy.emulator.iscsi_status import IscsiFailure, IscsiStatus
from csiproxy.emulator.machine import Machine
from csiproxy.errors import Win32Error
from csiproxy.host import Host

pytestmark = pytest.mark.foreign


@pytest.fixture
def machine(tmp_path):
    with Machine(str(tmp_path / "node")) as machine:
        yield machine


@pytest.fixture
def iqn(machine, target_server):
    iqn = target_server.offer()
    machine.initiator.add_portal(portal_of(target_server), NONE, "", "")
    log_in(machine, iqn)
    [disk] = machine.session.instances("MSFT_Disk", Number=1)
    machine.session.invoke(disk, "Online")
    machine.session.invoke(disk, "SetAttributes", IsReadOnly=False)
    return iqn


def log_in(machine: Machine, iqn: str) -> None:
    machine.initiator.connect(iqn, None, NONE, "", "", persistent=False)


def put(machine: Machine, volume: str) -> None:
    with open(machine.disks.volume_directory(volume) + "/file", "w") as file:
        file.write("data")


def got(machine: Machine, volume: str) -> str:
    with open(machine.disks.volume_directory(volume) + "/file") as file:
        return file.read()


def test_files_are_below_the_nodes_directory_and_there_again_after_a_login(machine, iqn):
    volume = data_volume(Host(machine.session, machine.win32), 1)
    put(machine, volume)
    assert machine.disks.volume_directory(volume).startswith(machine.directory + "/units/")
    machine.initiator.disconnect(iqn, "")
    log_in(machine, iqn)
    assert got(machine, volume) == "data"


def test_the_table_is_on_the_target_and_other_tools_read_it(machine, iqn, target_server, foreign):
    data_volume(Host(machine.session, machine.win32), 1)
    shown = subprocess.run([foreign("sgdisk"), "-v", target_server.image()], capture_output=True, text=True)
    assert "No problems found" in shown.stdout, shown


def test_a_node_that_never_saw_the_files_says_where_they_are_missing(machine, iqn, target_server, tmp_path):
    volume = data_volume(Host(machine.session, machine.win32), 1)
    machine.initiator.disconnect(iqn, "")
    with Machine(str(tmp_path / "other")) as other:
        other.initiator.add_portal(portal_of(target_server), NONE, "", "")
        log_in(other, iqn)
        [disk] = other.session.instances("MSFT_Disk", Number=1)
        assert disk.number("PartitionStyle") == 2
        other.session.invoke(disk, "Online")
        [found] = other.session.instances("MSFT_Volume", Path=volume)
        assert found.number("HealthStatus") == 3


def test_a_mounted_volume_keeps_its_session(machine, iqn, tmp_path):
    volume = data_volume(Host(machine.session, machine.win32), 1)
    with machine.win32.open_root(r"C:\var\lib\kubelet\pods") as pods:
        machine.win32.create_directory(pods, "mnt")
        machine.win32.set_mount_point(pods, "mnt", volume)
        with pytest.raises(IscsiFailure, match="pods") as caught:
            machine.initiator.disconnect(iqn, "")
        assert caught.value.status is IscsiStatus.DEVICE_BUSY_ON_SESSION
        machine.win32.delete_mount_point(pods, "mnt", volume)
    machine.initiator.disconnect(iqn, "")


def test_a_disk_that_the_operator_took_away_does_not_stop_the_logout(machine, iqn):
    machine.disks.detach(1)
    machine.initiator.disconnect(iqn, "")
    assert machine.initiator.sessions() == []


def test_a_lun_that_grew_is_larger_after_a_rescan(machine, iqn, target_server):
    target_server.remove_lun("disk", 1)
    target_server.add_lun("disk", 1, 128 << 20)
    machine.session.invoke("MSFT_StorageSetting", "UpdateHostStorageCache")
    [disk] = machine.session.instances("MSFT_Disk", Number=1)
    assert disk.number("Size") == 128 << 20


def test_units_can_be_files_through_which_their_disks_are_used(machine, target_server, foreign):
    foreign("fusermount3")
    iqn = target_server.offer("file")
    initiator = Initiator(machine.state, machine.disks, machine.namespace.mount_points, machine.directory)
    initiator.add_portal(portal_of(target_server), NONE, "", "")
    initiator.connect(iqn, None, NONE, "", "", persistent=False)
    [disk] = initiator.disks(iqn)
    assert os.path.getsize(disk.device.path) == 64 << 20
    [instance] = machine.session.instances("MSFT_Disk", Number=disk.number)
    machine.session.invoke(instance, "Online")
    machine.session.invoke(instance, "SetAttributes", IsReadOnly=False)
    data_volume(Host(machine.session, machine.win32), disk.number)
    shown = subprocess.run(
        [foreign("sgdisk"), "-v", target_server.image("file")], capture_output=True, text=True
    )
    assert "No problems found" in shown.stdout, shown
    initiator.disconnect(iqn, "")
    assert not os.path.exists(disk.record.image)
    assert os.listdir(machine.directory + "/luns") == []


def test_a_unit_that_cannot_be_a_file_fails_the_login_and_leaves_nothing(machine, target_server, tmp_path):
    iqn = target_server.offer("file")
    (tmp_path / "luns").write_text("in the way")
    initiator = Initiator(machine.state, machine.disks, machine.namespace.mount_points, str(tmp_path))
    initiator.add_portal(portal_of(target_server), NONE, "", "")
    with pytest.raises(Win32Error) as caught:
        initiator.connect(iqn, None, NONE, "", "", persistent=False)
    assert caught.value.windows_code == 50
    assert (initiator.sessions(), initiator.disks(iqn)) == ([], [])
    assert target_server.sessions(iqn) == 0
