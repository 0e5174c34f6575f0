from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.emulated import KUBELET, NO_VOLUME, PLUGINS, PODS, EmulatedNode, Staged

from csiproxy.cli import inventory
from csiproxy.cli.inventory import Link, disk_of, read_disks, read_links, volumes_of
from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host import Host
from csiproxy.host.win32 import (
    Association,
    CodeSet,
    IdentifierType,
    StorageDevice,
    StorageIdentifier,
    Win32,
)
from csiproxy.operations.context import Context


class Deaf:
    """A real Win32 half whose disks' drivers do not answer."""

    def __init__(self, win32: Win32) -> None:
        self._win32 = win32

    def storage_device(self, path: str) -> StorageDevice:
        raise Win32Error(WindowsCode.IO_DEVICE, "DeviceIoControl", path)

    def __getattr__(self, name: str):
        return getattr(self._win32, name)


def mount(node: EmulatedNode, staged: Staged, path: str) -> str:
    node.make(path)
    node.operations().volume.mount_volume(Context(), volume_id=staged.id, target_path=path)
    return path


def link(node: EmulatedNode, path: str, target: str) -> str:
    node.operations().filesystem.create_symlink(Context(), source_path=target, target_path=path)
    return path


@pytest.fixture
def emulated(tmp_path: Path) -> Iterator[EmulatedNode]:
    node = EmulatedNode(tmp_path)
    yield node
    node.close()


def test_every_disk_is_read_with_what_is_on_it(emulated: EmulatedNode) -> None:
    staged = emulated.volume(serial="S1", lun=5)
    system, disk = read_disks(emulated.host)
    assert (system.system, disk.system) == (True, False)
    assert (disk.number, disk.style, disk.online, disk.serial_number) == (staged.disk, "GPT", True, "S1")
    assert disk.location is not None
    assert disk.location.lun == "5"
    assert [partition.reserved for partition in disk.partitions] == [True, False]
    (volume,) = disk.partitions[1].volumes
    assert (volume.id, volume.file_system, volume.formatted) == (staged.id, "NTFS", True)
    assert 0 < volume.used < volume.size


def test_drives_and_mount_points_are_where_a_volume_is_mounted(emulated: EmulatedNode) -> None:
    staged = emulated.volume()
    path = mount(emulated, staged, PLUGINS + r"\pvc")
    found = {volume.id: volume.mount_points for _, _, volume in volumes_of(read_disks(emulated.host))}
    assert found[staged.id] == (path,)
    assert ("C:",) in found.values()


def test_identifiers_are_the_devices_own_in_text_or_hexadecimal(emulated: EmulatedNode) -> None:
    text = StorageIdentifier(CodeSet.ASCII, IdentifierType.VENDOR_SPECIFIC, Association.DEVICE, b"pvc-1")
    port = StorageIdentifier(CodeSet.BINARY, IdentifierType.PORT_RELATIVE, Association.PORT, b"\x01")
    number = StorageIdentifier(CodeSet.BINARY, IdentifierType.EUI64, Association.DEVICE, b"\x00\x11")
    emulated.attach(identifiers=(text, port, number))
    assert read_disks(emulated.host)[1].identifiers == ("pvc-1", "0011")


def test_a_disk_whose_driver_does_not_answer_hides_no_other(emulated: EmulatedNode) -> None:
    emulated.attach()
    deaf = Host(emulated.host.cim, Deaf(emulated.host.win32))
    assert [(disk.number, disk.identifiers) for disk in read_disks(deaf)] == [(0, ()), (1, ())]


def test_links_and_mount_points_are_found_with_their_targets(emulated: EmulatedNode) -> None:
    staged = emulated.volume()
    mounted = mount(emulated, staged, PLUGINS + r"\pvc")
    pod = emulated.make(PODS + r"\uid")
    link(emulated, pod + r"\pvc", mounted)
    links = read_links(emulated.host.win32, KUBELET)
    assert links.complete
    assert links.found == (
        Link(mounted, "mount point", staged.id),
        Link(pod + r"\pvc", "symbolic link", mounted),
    )


def test_what_lies_behind_a_link_or_mount_point_is_not_looked_at(emulated: EmulatedNode) -> None:
    staged = emulated.volume()
    mounted = mount(emulated, staged, PLUGINS + r"\pvc")
    emulated.plant(mounted + r"\link", "/etc")
    assert [found.path for found in read_links(emulated.host.win32, KUBELET).found] == [mounted]


def test_a_planted_link_has_no_known_target(emulated: EmulatedNode) -> None:
    path = emulated.plant(PODS + r"\evil", "/etc")
    assert read_links(emulated.host.win32, KUBELET).found == (Link(path, "other reparse point", ""),)


def test_a_missing_directory_has_no_links(emulated: EmulatedNode) -> None:
    links = read_links(emulated.host.win32, r"C:\no\such")
    assert (links.found, links.complete) == ((), True)


def test_a_directory_that_is_too_deep_is_not_entered_and_said_to_be_so(emulated: EmulatedNode) -> None:
    deep = PODS + "".join(rf"\{level}" for level in range(inventory.MAX_DEPTH + 1))
    emulated.make(deep)
    emulated.plant(deep + r"\link", "/etc")
    links = read_links(emulated.host.win32, KUBELET)
    assert (links.found, links.complete) == ((), False)


def test_a_volume_leads_to_its_disk_in_any_case(emulated: EmulatedNode) -> None:
    staged = emulated.volume()
    disks = read_disks(emulated.host)
    assert disk_of(disks, staged.id.upper()) is disks[staged.disk]
    assert disk_of(disks, NO_VOLUME) is None
