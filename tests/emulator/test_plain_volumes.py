"""The stand-in for disks says what the disks of a node say."""

import os

import pytest
from tests.emulator.nodes import data_volume
from tests.emulator.plain_volumes import FIRST, PHYSICAL_DRIVE, PlainVolumes

from csiproxy.emulator.machine import Machine
from csiproxy.errors import Win32Error
from csiproxy.host import Host


@pytest.fixture(params=["stand-in", "disks"])
def volumes(request, tmp_path):
    """Volumes, the name of one of them, and the path of a disk."""
    if request.param == "stand-in":
        directory = tmp_path / "files"
        directory.mkdir()
        yield PlainVolumes({FIRST: str(directory)}), FIRST, PHYSICAL_DRIVE
        return
    with Machine(str(tmp_path / "node")) as machine:
        machine.attach(str(tmp_path / "disk.img"), 64 << 20, {})
        volume = data_volume(Host(machine.session, machine.win32), 1)
        [disk] = machine.session.instances("MSFT_Disk", Number=1)
        yield machine.disks, volume, disk.text("Path")


def test_a_volume_has_a_directory_that_leads_back_to_it(volumes):
    disks, volume, _ = volumes
    directory = disks.volume_directory(volume)
    assert os.path.isdir(directory)
    assert disks.known_volume_directories()[directory] == volume


def test_an_unknown_volume_is_not_found(volumes):
    disks, _, _ = volumes
    with pytest.raises(Win32Error) as failure:
        disks.volume_directory(r"\\?\Volume{00000000-0000-4000-8000-00000000ffff}" + "\\")
    assert failure.value.windows_code == 1168


def test_a_disk_is_asked_by_its_path(volumes):
    disks, _, path = volumes
    assert disks.storage_device(path).number == 1
    with pytest.raises(Win32Error) as failure:
        disks.storage_device("nothing")
    assert failure.value.windows_code == 2
