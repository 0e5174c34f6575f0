"""Loop devices: the bytes asked for, gone with their last user."""

import os

import pytest
from tests.emulator.image_store.images import MIB, opened

from csiproxy.emulator.image import Image
from csiproxy.emulator.image_store.loop import LoopDevice, backing_files
from csiproxy.errors import Win32Error, WindowsCode

pytestmark = pytest.mark.mounts


def test_a_device_has_the_bytes_of_its_part_alone(tmp_path):
    with opened(tmp_path) as disk:
        disk.write(2 * MIB, b"inside")
        with LoopDevice(disk.descriptor, 2 * MIB, MIB, read_only=False) as device:
            with open(device.path, "r+b") as file:
                assert file.read(6) == b"inside"
                assert file.seek(0, os.SEEK_END) == MIB
                file.seek(MIB - 4)
                file.write(b"last")
            device.sync()
        assert disk.read(3 * MIB - 4, 8) == b"last" + bytes(4)


def test_a_device_goes_with_its_last_user(tmp_path):
    with opened(tmp_path) as disk:
        with LoopDevice(disk.descriptor, MIB, MIB, read_only=False) as device:
            other = os.open(device.path, os.O_RDONLY)
        assert disk.path in backing_files()
        os.close(other)
        assert disk.path not in backing_files()


def test_the_image_stays_locked_as_long_as_the_device_is_there(tmp_path):
    with opened(tmp_path) as disk:
        device = LoopDevice(disk.descriptor, MIB, MIB, read_only=False)
    with pytest.raises(Win32Error) as refusal:
        Image(disk.path)
    assert refusal.value.windows_code == WindowsCode.SHARING_VIOLATION
    device.close()
    device.close()
    Image(disk.path).close()


def test_a_read_only_device_cannot_be_written(tmp_path):
    with opened(tmp_path) as disk, LoopDevice(disk.descriptor, MIB, MIB, read_only=True) as device:
        with open(device.path, "r+b", buffering=0) as file, pytest.raises(PermissionError):
            file.write(b"x")


def test_an_image_that_is_closed_has_no_devices(tmp_path):
    with opened(tmp_path) as disk:
        pass
    with pytest.raises(Win32Error) as refusal:
        _ = disk.descriptor
    assert refusal.value.windows_code == WindowsCode.NOT_READY
