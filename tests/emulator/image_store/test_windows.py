"""What Windows' classes say of volumes with real file systems."""

import os
from pathlib import Path

import pytest
from tests.emulated import MIB, PLUGINS, EmulatedNode
from tests.emulator.image_store.damage import mark_dirty
from tests.emulator.image_store.images import left_behind

from csiproxy.emulator.return_codes import ReturnCode
from csiproxy.emulator.volume import StoreKind
from csiproxy.operations.context import Context

pytestmark = pytest.mark.mounts

STAGING = PLUGINS + r"\pv"


@pytest.fixture
def node(tmp_path):
    node = EmulatedNode(tmp_path, StoreKind.IMAGE)
    yield node
    node.close()
    assert left_behind(tmp_path) == []


def instance(node, volume):
    [found] = node.machine.session.instances("MSFT_Volume", UniqueId=volume.id)
    return found


def invoke(node, volume, method, **arguments):
    return node.machine.session.invoke(instance(node, volume), method, **arguments).return_value


def partition(node, volume):
    [found] = node.machine.session.associated(
        instance(node, volume), "MSFT_PartitionToVolume", "MSFT_Partition"
    )
    return found


def mounted(node, volume):
    path = node.make(STAGING)
    node.operations().volume.mount_volume(Context(), volume_id=volume.id, target_path=path)
    return node.on_host(path)


@pytest.mark.parametrize(
    ("name", "shown", "number", "cluster"),
    [("NTFS", "NTFS", 14, 8192), ("FAT32", "FAT32", 6, 512), ("exFAT", "exFAT", 0, 32768)],
)
def test_every_file_system_is_formatted_as_asked_for(node, name, shown, number, cluster):
    volume = node.volume(formatted=False)
    arguments = {"FileSystem": name, "FileSystemLabel": "-L 1", "AllocationUnitSize": cluster}
    assert invoke(node, volume, "Format", **arguments) == 0
    found = instance(node, volume)
    assert (found.text("FileSystem"), found.number("FileSystemType")) == (shown, number)
    assert (found.text("FileSystemLabel"), found.number("AllocationUnitSize")) == ("-L 1", cluster)
    assert (found.number("HealthStatus"), found.properties["OperationalStatus"]) == (0, (2,))
    assert 0 < found.number("SizeRemaining") < found.number("Size") < 48 * MIB


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"FileSystem": "ReFS"}, ReturnCode.FILE_SYSTEM_NOT_SUPPORTED),
        ({"FileSystem": "FAT32", "FileSystemLabel": "a.b"}, ReturnCode.INVALID_PARAMETER),
        ({"FileSystem": "FAT32", "AllocationUnitSize": 4096}, ReturnCode.INVALID_PARAMETER),
        ({"FileSystem": "NTFS", "AllocationUnitSize": 5000}, ReturnCode.INVALID_CLUSTER_SIZE),
        ({"FileSystem": "NTFS", "FileSystemLabel": "x" * 33}, ReturnCode.INVALID_PARAMETER),
        ({"FileSystem": "NTFS", "FileSystemLabel": "a\nb"}, ReturnCode.INVALID_PARAMETER),
        ({"FileSystem": "NTFS", "FileSystemLabel": "\udcff"}, ReturnCode.INVALID_PARAMETER),
    ],
)
def test_what_cannot_be_formatted_is_refused_with_windows_code(node, arguments, code):
    volume = node.volume(formatted=False)
    assert invoke(node, volume, "Format", **arguments) == code
    assert instance(node, volume).text("FileSystem") == ""


def test_a_volume_in_use_is_in_use(node):
    volume = node.volume()
    with open(os.path.join(mounted(node, volume), "file"), "w"):
        node.machine.disks.grow(volume.disk, 128 * MIB)
        node.operations().disk.rescan(Context())
        answer = node.machine.session.invoke(partition(node, volume), "Resize", Size=80 * MIB)
        assert answer.return_value == ReturnCode.IN_USE
        assert invoke(node, volume, "SetFileSystemLabel", FileSystemLabel="NEW") == ReturnCode.IN_USE
    assert node.machine.session.invoke(partition(node, volume), "Resize", Size=80 * MIB).return_value == 0
    assert invoke(node, volume, "SetFileSystemLabel", FileSystemLabel="NEW") == 0
    assert instance(node, volume).text("FileSystemLabel") == "NEW"
    assert instance(node, volume).number("Size") > 79 * MIB


def test_a_label_that_its_tool_would_take_for_an_option_is_not_supported(node):
    volume = node.volume()
    assert invoke(node, volume, "SetFileSystemLabel", FileSystemLabel="--x") == ReturnCode.NOT_SUPPORTED


@pytest.mark.parametrize("name", ["FAT32", "exFAT"])
def test_what_cannot_grow_has_one_size(node, name):
    volume = node.volume(formatted=False)
    assert invoke(node, volume, "Format", FileSystem=name) == 0
    node.machine.disks.grow(volume.disk, 128 * MIB)
    node.operations().disk.rescan(Context())
    found = partition(node, volume)
    sizes = node.machine.session.invoke(found, "GetSupportedSize").out
    assert sizes["SizeMin"] == sizes["SizeMax"] == found.number("Size")
    answer = node.machine.session.invoke(found, "Resize", Size=80 * MIB)
    assert answer.return_value == ReturnCode.SIZE_NOT_SUPPORTED


def test_a_volume_that_wants_to_be_checked_says_so_and_does_not_grow(node):
    volume = node.volume()
    path = node.image_of(volume.disk)
    volume.detach()
    mark_dirty(path, 16 * MIB)
    number = node.machine.disks.attach(path)
    found = instance(node, volume)
    assert (found.number("HealthStatus"), found.text("FileSystem")) == (1, "NTFS")
    node.machine.disks.grow(number, 128 * MIB)
    node.operations().disk.rescan(Context())
    answer = node.machine.session.invoke(partition(node, volume), "Resize", Size=80 * MIB)
    assert answer.return_value == ReturnCode.VOLUME_HAS_ERRORS
    assert os.listdir(mounted(node, volume)) == []


def test_a_disk_that_becomes_read_only_is_read_on_and_not_written(node):
    volume = node.volume()
    path = mounted(node, volume)
    Path(path, "file").write_text("data")
    [disk] = node.machine.session.instances("MSFT_Disk", Number=volume.disk)
    assert node.machine.session.invoke(disk, "SetAttributes", IsReadOnly=True).return_value == 0
    assert Path(path, "file").read_text() == "data"
    with pytest.raises(OSError, match="Read-only"):
        Path(path, "file").write_text("more")
    assert invoke(node, volume, "SetFileSystemLabel", FileSystemLabel="X") == ReturnCode.DISK_READ_ONLY
    assert node.machine.session.invoke(disk, "SetAttributes", IsReadOnly=False).return_value == 0
    Path(path, "file").write_text("more")


def test_a_hibernated_ntfs_is_read_and_not_written(node):
    """Its driver keeps its hands off what a sleeping Windows has in memory; no other code says so."""
    volume = node.volume()
    path = Path(mounted(node, volume))
    (path / "hiberfil.sys").write_bytes(b"hibr".ljust(4096, b"\0"))
    image = node.image_of(volume.disk)
    volume.detach()
    node.machine.disks.attach(image)
    assert (path / "hiberfil.sys").read_bytes()[:4] == b"hibr"
    with pytest.raises(OSError, match="Read-only"):
        (path / "file").write_text("data")
    assert instance(node, volume).number("HealthStatus") == 0
    assert invoke(node, volume, "Flush") == 0


def test_a_mount_point_leads_to_the_files_again_when_its_disk_comes_back(node):
    volume = node.volume()
    path = mounted(node, volume)
    Path(path, "file").write_text("data")
    image = node.image_of(volume.disk)
    volume.detach()
    with pytest.raises(FileNotFoundError):
        os.listdir(path)
    node.machine.disks.attach(image)
    assert Path(path, "file").read_text() == "data"
    assert node.machine.session.invoke(partition(node, volume), "Offline").return_value == 0
    with pytest.raises(FileNotFoundError):
        os.listdir(path)


def test_a_deleted_partition_leaves_nothing_for_the_next_one_there(node):
    volume = node.volume()
    Path(mounted(node, volume), "file").write_text("data")
    assert node.machine.session.invoke(partition(node, volume), "DeleteObject").return_value == 0
    node.operations().disk.partition_disk(Context(), disk_number=volume.disk)
    [fresh] = (
        node.operations()
        .volume.list_volumes_on_disk(Context(), disk_number=volume.disk, partition_number=0)
        .volume_ids
    )
    assert not node.operations().volume.is_volume_formatted(Context(), volume_id=fresh).formatted


def test_the_choice_of_the_store_is_remembered_until_it_is_made_anew(tmp_path):
    found = []
    for choice in (None, StoreKind.IMAGE, None, StoreKind.DIRECTORY, None):
        node = EmulatedNode(tmp_path, choice)
        volume = node.volume()
        found.append("EXFAT" in node.machine.disks.find_volume(volume.id)[1].formats)
        volume.detach()
        node.close()
    assert found == [False, True, True, False, False]


def test_volumes_of_one_store_are_left_alone_by_the_other(tmp_path):
    node = EmulatedNode(tmp_path, StoreKind.DIRECTORY)
    beside = node.volume()
    beside.put("file")
    node.close()
    node = EmulatedNode(tmp_path, StoreKind.IMAGE)
    assert node.machine.inventory()[1].volumes[0].problem.endswith("run the node with --volumes directory")
    assert (
        invoke(node, beside, "Format", FileSystem="NTFS", Force=True) == ReturnCode.FILE_SYSTEM_UNDETERMINED
    )
    inside = node.volume()
    inside.put("file")
    node.close()
    node = EmulatedNode(tmp_path, StoreKind.DIRECTORY)
    assert os.listdir(node.machine.disks.volume_directory(beside.id)) == ["file"]
    assert node.machine.inventory()[2].volumes[0].problem.endswith("run the node with --volumes image")
    node.close()
    node = EmulatedNode(tmp_path, StoreKind.IMAGE)
    assert os.listdir(node.machine.disks.volume_directory(inside.id)) == ["file"]
    node.close()
