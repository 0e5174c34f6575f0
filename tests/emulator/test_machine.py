import os

import pytest
from tests.emulator.ground import open_descriptors
from tests.emulator.nodes import data_volume

from csiproxy.emulator.machine import Machine, NodeInUse
from csiproxy.emulator.state import StateError
from csiproxy.errors import HostError
from csiproxy.host import Host


@pytest.fixture
def directory(tmp_path):
    return os.path.join(os.path.realpath(tmp_path), "node")


def port(machine):
    return Host(machine.session, machine.win32)


def test_a_new_node_has_a_drive_with_kubelets_directories(directory):
    with Machine(directory) as machine, machine.win32.open_root(r"C:\var\lib\kubelet") as root:
        assert [entry.name for entry in machine.win32.entries(root)] == [
            "plugins",
            "plugins_registry",
            "pods",
        ]


def test_a_directory_has_one_node_at_a_time(directory):
    with Machine(directory), pytest.raises(NodeInUse, match=rf"process {os.getpid()}\)"):
        Machine(directory)
    Machine(directory).close()


def test_a_node_that_could_not_start_leaves_its_directory_free(directory):
    os.makedirs(directory)
    with open(os.path.join(directory, "state.db"), "w") as file:
        file.write("somebody's notes, long enough to be looked at" * 100)
    before = open_descriptors()
    for _ in range(2):
        with pytest.raises(StateError):
            Machine(directory)
    assert open_descriptors() == before


def test_a_directory_that_cannot_be_made_is_a_host_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError, match="cannot be used"):
        Machine(str(tmp_path / "file" / "node"))


def test_another_drive_is_remembered(directory, tmp_path):
    drive = tmp_path / "drive_c"
    with pytest.raises(HostError, match="no directory"):
        Machine(directory, drive_c=str(drive))
    (drive / "windows").mkdir(parents=True)
    for given in (str(drive), None):
        with Machine(directory, drive_c=given) as machine, machine.win32.open_root("C:\\") as root:
            assert [entry.name for entry in machine.win32.entries(root)] == ["windows"]


def test_volumes_are_listed_with_their_mount_points_and_why_they_cannot_be_reached(directory, tmp_path):
    with Machine(directory) as machine:
        assert machine.attach(str(tmp_path / "a.img"), 64 << 20, {"serial": "A"}) == 1
        volume = data_volume(port(machine), 1)
        with machine.win32.open_root(r"C:\var") as root:
            machine.win32.create_directory(root, "mnt")
            machine.win32.set_mount_point(root, "mnt", volume)
        [_, disk] = machine.inventory()
        [report] = disk.volumes
        assert (disk.serial, disk.present, disk.problem) == ("A", True, "")
        assert (report.name, report.mount_points, report.problem) == (volume, (r"C:\var\mnt",), "")
        assert os.path.samefile(report.directory, os.path.join(directory, "c", "var", "mnt"))
        [instance] = machine.session.instances("MSFT_Disk", Number=1)
        machine.session.invoke(instance, "Offline")
        [report] = machine.inventory()[1].volumes
        assert report.directory == ""
        assert "offline" in report.problem


def test_an_image_that_was_made_for_nothing_is_taken_away_again(directory, tmp_path):
    with Machine(directory) as machine:
        with pytest.raises(HostError):
            machine.attach(str(tmp_path / "a.img"), 64 << 20, {"number": 0})
        assert not (tmp_path / "a.img").exists()
        (tmp_path / "mine").write_bytes(bytes(1 << 20))
        for size in (None, 1 << 20):
            with pytest.raises(HostError):
                machine.attach(str(tmp_path / "mine"), size, {"number": 0})
        assert (tmp_path / "mine").exists()


def test_a_reset_node_is_fresh_and_images_keep_their_files(directory, tmp_path):
    with Machine(directory) as machine:
        machine.attach(str(tmp_path / "a.img"), 64 << 20, {})
        volume = data_volume(port(machine), 1)
        with machine.win32.open_root(r"C:\var\lib\kubelet\pods") as pods:
            machine.win32.create_directory(pods, "mnt")
            machine.win32.set_mount_point(pods, "mnt", volume)
            files = machine.disks.volume_directory(volume)
            with open(
                os.path.join(directory, "c", "var", "lib", "kubelet", "pods", "mnt", "data"), "w"
            ) as file:
                file.write("keep")
            with machine.win32.open_mounted(pods, "mnt") as mounted:
                machine.win32.set_link(mounted, "link", r"C:\var", replace=False)
        machine.reset()
        assert [disk.number for disk in machine.inventory()] == [0]
        assert os.listdir(files) == ["data"]
        with machine.win32.open_root(r"C:\var\lib\kubelet\pods") as pods:
            assert machine.win32.entries(pods) == []
        assert machine.attach(str(tmp_path / "a.img"), None, {}) == 1
        assert machine.disks.volume_directory(volume) == files


def test_a_reset_leaves_somebody_elses_drive_alone(directory, tmp_path):
    drive = tmp_path / "drive_c"
    drive.mkdir()
    (drive / "file").write_text("keep")
    with Machine(directory, drive_c=str(drive)) as machine:
        with machine.win32.open_root("C:\\") as root:
            machine.win32.set_link(root, "link", r"C:\x", replace=False)
        machine.reset()
    assert [path.name for path in drive.iterdir()] == ["file"]


def test_seeded_nodes_give_the_same_identifiers(tmp_path):
    def volume(name):
        with Machine(str(tmp_path / name)) as machine:
            machine.seed("one")
            machine.attach(str(tmp_path / f"{name}.img"), 64 << 20, {})
            return data_volume(port(machine), 1)

    assert volume("a") == volume("b")
