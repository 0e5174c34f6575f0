"""Disk 0: made whole or not at all, and sound to other tools."""

import itertools
import os
import subprocess
import uuid

import pytest
from tests.emulator.storage_ground import MIB

from csiproxy.emulator import partition_table, system_disk
from csiproxy.emulator.image import Image
from csiproxy.errors import Win32Error


def guids():
    counter = itertools.count(1)
    return lambda: str(uuid.UUID(int=next(counter)))


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "system.img")


def test_it_has_the_partitions_of_a_windows_machine(path):
    system_disk.create_system_disk(path, 1 << 30, guids())
    opened = Image(path)
    layout = partition_table.read(opened)
    opened.close()
    assert [(part.offset, part.size) for part in layout.partitions] == [
        (MIB, 100 * MIB),
        (101 * MIB, 16 * MIB),
        (117 * MIB, 1024 * MIB - 118 * MIB),
    ]
    assert system_disk.boot_partition(layout) == layout.partitions[2]
    assert os.stat(path).st_blocks * 512 < MIB
    assert not os.path.exists(path + ".new")


@pytest.mark.foreign
def test_sgdisk_finds_no_fault(foreign, path):
    system_disk.create_system_disk(path, 1 << 30, guids())
    said = subprocess.run([foreign("sgdisk"), "-v", path], capture_output=True, text=True, check=True)
    assert "No problems found" in said.stdout


def test_an_existing_one_is_left_alone(path):
    with open(path, "wb") as file:
        file.write(b"mine")
    system_disk.create_system_disk(path, 1 << 30, guids())
    with open(path, "rb") as file:
        assert file.read() == b"mine"


def test_what_a_kill_left_is_replaced(path):
    with open(path + ".new", "wb") as file:
        file.write(b"half")
    system_disk.create_system_disk(path, 1 << 30, guids())
    assert sorted(os.listdir(os.path.dirname(path))) == ["system.img", "system.img.d"]


def test_a_directory_that_is_missing_is_said(tmp_path):
    with pytest.raises(Win32Error):
        system_disk.create_system_disk(str(tmp_path / "none" / "system.img"), 1 << 30, guids())
