import os

import pytest
from tests.emulator.nodes import data_volume

from csiproxy.emulator.control import Control
from csiproxy.emulator.machine import Machine
from csiproxy.errors import HostUnreachable, Win32Error
from csiproxy.host.win32 import Association, CodeSet, IdentifierType, StorageIdentifier

NAA = StorageIdentifier(CodeSet.BINARY, IdentifierType.FCPH_NAME, Association.DEVICE, bytes(range(16)))


def test_without_a_node_there_is_nothing_to_control(tmp_path):
    with Control(str(tmp_path)) as control, pytest.raises(HostUnreachable):
        control.list()


def test_a_disks_life_from_attaching_to_detaching(node, tmp_path):
    host = node.connect()
    image = str(tmp_path / "disk.img")
    with node.control() as control:
        number = control.attach(image, create=64 << 20, serial="SN-1", lun=7, identifiers=[NAA], bus=9)
        [_, disk] = control.list()
        assert (disk.number, disk.image, disk.size, disk.serial) == (number, image, 64 << 20, "SN-1")
        assert disk.location.endswith("LUN 7")
        [instance] = host.cim.instances("MSFT_Disk", Number=number)
        assert host.win32.storage_device(instance.text("Path")).identifiers == (NAA,)
        volume = data_volume(host, number)
        with host.win32.open_root(r"C:\var") as root:
            host.win32.create_directory(root, "mnt")
            host.win32.set_mount_point(root, "mnt", volume)
        [report] = control.list()[1].volumes
        assert (report.name, report.mount_points) == (volume, (r"C:\var\mnt",))
        control.grow(number, 128 << 20)
        assert os.path.getsize(image) == 128 << 20
        control.detach(number)
        assert [disk.number for disk in control.list()] == [0]
        assert host.win32.mount_points(volume) == [r"C:\var\mnt"]
        assert control.attach(image) == number


def test_a_disk_whose_image_has_gone_is_listed_with_the_reason(node, tmp_path):
    node.connect()
    image = tmp_path / "disk.img"
    with node.control() as control:
        control.attach(str(image), create=64 << 20)
    node.stop()
    image.unlink()
    node.connect()
    with node.control() as control:
        [_, disk] = control.list()
        assert not disk.present
        assert str(image) in disk.problem


@pytest.mark.parametrize(
    ("options", "code"), [({"number": 0}, 183), ({"bus": 99}, 87), ({"create": 1}, 87), ({}, 2)]
)
def test_a_disk_that_cannot_be_attached_is_refused_with_a_reason(node, tmp_path, options, code):
    node.connect()
    image = str(tmp_path / "disk.img")
    if options.keys() & {"number", "bus"}:
        options = {"create": 64 << 20, **options}
    with node.control() as control, pytest.raises(Win32Error) as refusal:
        control.attach(image, **options)
    assert refusal.value.windows_code == code
    assert refusal.value.detail
    assert not os.path.exists(image)


def test_relative_images_are_the_operators_own(node, tmp_path):
    node.connect()
    relative = os.path.relpath(tmp_path / "disk.img")
    with node.control() as control:
        control.attach(relative, create=64 << 20)
        assert control.list()[1].image == os.path.realpath(relative)


def test_a_node_is_seeded_reset_and_stopped(node, tmp_path):
    host = node.connect()
    with node.control() as control:
        control.seed("one")
        control.attach(str(tmp_path / "disk.img"), create=64 << 20)
        first = data_volume(host, 1)
        control.reset()
        assert [disk.number for disk in control.list()] == [0]
        control.seed("one")
        os.unlink(tmp_path / "disk.img")
        control.attach(str(tmp_path / "disk.img"), create=64 << 20)
        assert data_volume(host, 1) == first
        control.stop()
        Machine(node.path).close()  # its directory is free at once
        with pytest.raises(HostUnreachable):
            control.list()
