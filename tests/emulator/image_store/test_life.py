"""The whole life of volumes with real file systems, through gRPC alone, and whatever dies meanwhile."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
from tests.emulator.image_store.images import MIB, check, left_behind, make, tool
from tests.emulator.image_store.life import (
    DISK,
    PUBLISHED,
    SERVICE,
    STAGING,
    VOLUME,
    Life,
    Workload,
    data_partition,
    sums,
)
from tests.running import until

from csiproxy.emulator import connect, image
from csiproxy.emulator.image_store import keeper, programs
from csiproxy.emulator.image_store.loop import LoopDevice

pytestmark = [pytest.mark.mounts, pytest.mark.foreign]

FAT = 1


@pytest.fixture
def directory():
    parent = "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"
    path = Path(tempfile.mkdtemp(prefix="cp-", dir=parent))
    yield path
    until(lambda: left_behind(path) == [])
    shutil.rmtree(path)


@pytest.fixture
def life(directory, foreign):
    foreign("sgdisk")
    life = Life(directory)
    yield life
    life.close()


def read_elsewhere(image_path, offset, size, command, directory):
    """The sums of all files, as a driver that knows nothing of this program mounts them."""
    where = directory / "elsewhere"
    where.mkdir()
    with open(image_path, "rb") as file, LoopDevice(file.fileno(), offset, size, read_only=True) as device:
        driver = subprocess.Popen(
            [programs.find(command[0]), *command[1:], device.path, str(where)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: os.path.ismount(where) or driver.poll() is not None)
        found = sums(str(where))
        subprocess.run(["umount", str(where)], check=True)
        driver.wait(30)
    where.rmdir()
    return found


def driver_of(directory):
    """The process of the only file system driver below a directory."""
    [pid] = subprocess.run(
        ["pgrep", "-f", f"^[^ ]*ntfs-3g .*{directory}/node/volumes/"], capture_output=True, text=True
    ).stdout.split()
    return int(pid)


def test_an_ntfs_volume_lives_and_is_read_elsewhere(life, directory):
    path, workload = str(directory / "disk.img"), Workload()
    number = life.running.control.attach(path, create=96 * MIB)
    volume = life.stage(number)
    before = life.stats(volume)
    workload.fill(life.pod, "first", 1200, 3)
    life.running.proxy.kill()
    workload.fill(life.pod, "between", 300, 1)
    life.running.restart_proxy()
    total, used = life.stats(volume)
    assert total == before[0] < 96 * MIB
    assert used - before[1] > 12 * MIB
    life.running.control.grow(number, 160 * MIB)
    life.call(DISK, "Rescan")
    life.call(VOLUME, "ResizeVolume", volume_id=volume, size_bytes=0)
    assert life.stats(volume)[0] > 140 * MIB
    workload.fill(life.pod, "last", 600, 2)
    assert sums(life.pod) == workload.sums
    life.call(VOLUME, "WriteVolumeCache", volume_id=volume)
    life.unstage(volume, number)
    assert left_behind(directory / "node" / "volumes") == []

    offset, size = data_partition(path)
    assert size > 140 * MIB
    check(path, offset, size, "NTFS")
    with open(path, "rb") as file, LoopDevice(file.fileno(), offset, size, read_only=True) as device:
        said = tool("ntfsinfo", "-m", device.path)
        assert re.search(r"Volume Version: 3\.1", said)
        assert re.search(r"Volume Flags: 0x0000", said)
        name = min(name for name in workload.sums if name.startswith("last/large"))
        data = subprocess.run(
            [programs.find("ntfscat"), device.path, name], capture_output=True, check=True
        ).stdout
        assert len(data) >= 3 * MIB
    found = read_elsewhere(path, offset, size, ("ntfs-3g", "-o", "ro,no_detach"), directory)
    assert found == workload.sums


def test_a_fat32_volume_lives_and_is_sound(life, directory):
    path, workload = str(directory / "disk.img"), Workload()
    number = life.running.control.attach(path, create=64 * MIB)
    life.call(SERVICE, "PartitionDisk", disk_device=rf"\\.\PhysicalDrive{number}", type=1)
    [volume] = life.call(VOLUME, "ListVolumesOnDisk", disk_number=number).volume_ids
    life.call(SERVICE, "FormatVolume", volume_device=volume, type=FAT)
    life.publish(volume)
    workload.fill(life.pod, "files", 200, 2)
    assert sums(life.pod) == workload.sums
    life.call(VOLUME, "WriteVolumeCache", volume_id=volume)
    life.unstage(volume, number)
    offset, size = data_partition(path)
    check(path, offset, size, "FAT32")
    where = f"{path}@@{offset}"
    for name in ("files/0/Datei 0 ä.txt", "files/large-1.bin"):
        copies = directory / "copies"
        copies.mkdir(exist_ok=True)
        tool("mcopy", "-o", "-i", where, f"::{name}", str(copies / "copy"))
        assert sums(str(copies)) == {"copy": workload.sums[name]}


@pytest.mark.parametrize("kind", ["exFAT", "NTFS", "FAT32"])
def test_a_volume_that_was_made_elsewhere_is_used_and_goes_back(life, directory, kind):
    path, workload = str(directory / "disk.img"), Workload()
    image.create(path, 64 * MIB)
    tool("sgdisk", "-n", "1:2048:+48M", "-t", "1:0700", path)
    other = make(str(directory / "other"), kind, "ELSEWHERE", 48 * MIB)
    with open(other, "rb") as source, open(path, "r+b") as target:
        target.seek(MIB)
        shutil.copyfileobj(source, target)
    number = life.running.control.attach(path)
    volume = life.stage(number, formatted=True)
    workload.fill(life.pod, "files", 50, 1)
    life.unstage(volume, number)
    check(path, *data_partition(path), kind)
    number = life.running.control.attach(path)
    life.stage(number, formatted=True)
    assert sums(life.pod) == workload.sums


def test_a_volume_goes_with_its_node_and_comes_back_with_it(life, directory):
    number = life.running.control.attach(str(directory / "disk.img"), create=64 * MIB)
    life.stage(number)
    file = os.open(os.path.join(life.pod, "file"), os.O_WRONLY | os.O_CREAT)
    os.write(file, b"data")
    life.running.node.kill()
    until(lambda: left_behind(directory / "node" / "volumes") == [])
    with pytest.raises(OSError):
        os.write(file, b"more")
    with pytest.raises(OSError):
        os.close(file)
    with pytest.raises(FileNotFoundError):
        os.listdir(life.pod + "/")
    life.running.restart_node()
    with open(os.path.join(life.pod, "file")) as file:
        assert file.read() == "data"
    assert life.call(VOLUME, "GetVolumeIDFromTargetPath", target_path=PUBLISHED).volume_id


def test_when_everything_is_killed_at_once_the_next_start_clears_up(life, directory):
    number = life.running.control.attach(str(directory / "disk.img"), create=64 * MIB)
    life.stage(number)
    with open(os.path.join(life.pod, "file"), "w") as file:
        file.write("data")
    keepers = subprocess.run(
        ["pgrep", "-f", f"{keeper.__file__} {directory}"], capture_output=True, text=True
    )
    with life.running.node.control() as control:
        node = control.process
    for pid in (node, *map(int, keepers.stdout.split())):
        os.kill(pid, signal.SIGKILL)
    life.running.restart_node()
    with open(os.path.join(life.pod, "file")) as file:
        assert file.read() == "data"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_driver_that_dies_is_an_error_and_the_next_call_mounts_again(life, directory, number):
    disk = life.running.control.attach(str(directory / "disk.img"), create=64 * MIB)
    volume = life.stage(disk)
    with open(os.path.join(life.pod, "file"), "w") as file:
        file.write("data")
    os.kill(driver_of(directory), number)
    until(lambda: left_behind(directory / "node" / "volumes") == [])
    with pytest.raises(OSError):
        os.stat(os.path.join(life.pod, "file"))
    assert life.call(VOLUME, "GetVolumeIDFromTargetPath", target_path=PUBLISHED).volume_id == volume
    assert life.stats(volume)[0] > 40 * MIB
    with open(os.path.join(life.pod, "file")) as file:
        assert file.read() == "data"


@pytest.mark.parametrize("how", ["detach", "offline", "stop"])
def test_a_disk_in_use_goes_and_is_sound(life, directory, how):
    path = str(directory / "disk.img")
    number = life.running.control.attach(path, create=64 * MIB)
    life.stage(number)
    file = os.open(os.path.join(life.pod, "file"), os.O_WRONLY | os.O_CREAT)
    os.write(file, b"data")
    if how == "detach":
        life.running.control.detach(number)
    elif how == "offline":
        host = connect.connect(life.running.node.path)
        [disk] = host.cim.instances("MSFT_Disk", Number=number)
        assert host.cim.invoke(disk, "Offline").return_value == 0
    else:
        life.running.control.stop()
    with pytest.raises(OSError):
        os.write(file, b"more")
    with pytest.raises(OSError):
        os.close(file)
    assert left_behind(directory / "node" / "volumes") == []
    if how == "offline":
        life.call(DISK, "SetDiskState", disk_number=number, is_online=True)
        with open(os.path.join(life.on_host(STAGING), "file")) as again:
            assert again.read() == "data"
        life.running.control.detach(number)
    check(path, *data_partition(path), "NTFS")


def test_an_image_may_itself_lie_on_a_file_system_in_user_space(life, directory):
    """As the LUN of an iSCSI target does, which a driver in user space shows as a file."""
    outer = make(str(directory / "outer"), "NTFS", "", 96 * MIB)
    where = directory / "lun"
    where.mkdir()
    driver = subprocess.Popen([programs.find("ntfs-3g"), "-o", "no_detach", outer, str(where)], stderr=-3)
    until(lambda: os.path.ismount(where))
    try:
        workload = Workload()
        number = life.running.control.attach(str(where / "disk.img"), create=48 * MIB)
        volume = life.stage(number)
        workload.fill(life.pod, "files", 20, 1)
        life.unstage(volume, number)
        number = life.running.control.attach(str(where / "disk.img"))
        life.stage(number, formatted=True)
        assert sums(life.pod) == workload.sums
        life.running.control.detach(number)
    finally:
        subprocess.run(["umount", str(where)], check=True)
        driver.wait(30)
