"""Disks as an operator handles them: attached, detached, grown, moved, missing, locked."""

import os
import shutil
import uuid

import pytest
from tests.emulator.storage_ground import GIB, MIB, StorageGround, ext4_superblock

from csiproxy.emulator import disk, gpt, image, partition_table
from csiproxy.emulator.attachment import BusType, OfflineReason
from csiproxy.emulator.partition_table import Partition
from csiproxy.emulator.state import State
from csiproxy.errors import Win32Error
from csiproxy.host.win32 import Association, CodeSet, IdentifierType, StorageIdentifier

FIRST = StorageIdentifier(CodeSet.ASCII, IdentifierType.VENDOR_ID, Association.DEVICE, b"Google  pvc-1")
SECOND = StorageIdentifier(CodeSet.BINARY, IdentifierType.EUI64, Association.PORT, b"\x01\x02")


def refused(call, *arguments, **named) -> Win32Error:
    with pytest.raises(Win32Error) as caught:
        call(*arguments, **named)
    return caught.value


def info(storage: StorageGround, number: int):
    return next(disk for disk in storage.disks.inventory() if disk.number == number)


# --- the system disk ---------------------------------------------------------------------------------------


def test_a_fresh_node_has_a_system_disk_with_drive_c(storage):
    disk = storage.disk(0)
    assert [disk.flag(name) for name in ("IsSystem", "IsBoot", "BootFromDisk", "IsOffline")] == [True] * 3 + [
        False
    ]
    esp, msr, data = storage.partitions(0)
    assert esp.flag("IsSystem")
    assert data.flag("IsBoot")
    assert (data.number("DriveLetter"), data.texts("AccessPaths")[0]) == (ord("C"), "C:\\")
    assert storage.session.associated(msr, "MSFT_PartitionToVolume", "MSFT_Volume") == []
    drive = storage.session.instances("MSFT_Volume", DriveLetter="C")[0]
    assert (drive.text("FileSystem"), drive.number("FileSystemType")) == ("NTFS", 14)
    assert storage.disks.volume_directory(drive.text("UniqueId")) == str(storage.directory / "c")


def test_drive_c_may_be_a_directory_of_somebody_else_and_is_left_as_it_is(tmp_path):
    theirs = tmp_path / "prefix"
    theirs.mkdir()
    (theirs / "windows.ini").write_text("x")
    state = State(str(tmp_path / "other.db"), disk.SCHEMA)
    (tmp_path / "other").mkdir()
    disks = disk.Disks(state, str(tmp_path / "other"), drive_c=str(theirs), system_size=GIB)
    assert os.listdir(theirs) == ["windows.ini"]
    assert str(theirs) not in disks.known_volume_directories()
    disks.close()
    state.close()


def test_the_system_disk_stays(storage):
    assert refused(storage.disks.detach, 0).windows_code == 50


def test_a_half_made_system_disk_is_made_anew(tmp_path):
    (tmp_path / "node").mkdir()
    (tmp_path / "node" / "system.img.new").write_bytes(b"half")
    ground = StorageGround(tmp_path / "node")
    assert len(ground.partitions(0)) == 3
    ground.close()


# --- attach and detach -------------------------------------------------------------------------------------


def test_disks_get_the_lowest_free_number_and_lun(storage):
    assert [storage.attach(f"{n}.img") for n in range(3)] == [1, 2, 3]
    storage.disks.detach(2)
    assert storage.attach("again.img") == 2
    assert storage.disk(2).text("Location").endswith(" : LUN 1")


def test_an_attached_disk_is_described_as_its_operator_said(storage):
    number = storage.attach(
        vendor="Google",
        product="PersistentDisk&\\x",
        serial="disk-1",
        identifiers=(FIRST, SECOND),
        bus=BusType.SCSI,
        adapter=3,
        bus_number=2,
        target=4,
        lun=5,
        number=7,
    )
    disk = storage.disk(number)
    assert number == 7
    assert disk.text("Location") == (
        "PCI Slot 3 : Bus 2 : Device 3 : Function 0 : Adapter 3 : Port 0 : Target 4 : LUN 5"
    )
    assert disk.text("Path").startswith("\\\\?\\scsi#disk&ven_google&prod_persistentdisk__#")
    assert disk.text("Path").endswith("#{53f56307-b6bf-11d0-94f2-00a0c91efb8b}")
    assert (disk.text("SerialNumber"), disk.number("BusType")) == ("disk-1", 1)
    assert (disk.text("UniqueId"), disk.number("UniqueIdFormat")) == ("Google  pvc-1", 1)
    device = storage.disks.storage_device(disk.text("Path").upper())
    assert (device.number, device.identifiers) == (7, (FIRST, SECOND))
    assert storage.disks.storage_device(r"\\.\PhysicalDrive7") == device


def test_what_was_attached_is_there_after_a_restart(storage):
    number = storage.attach(identifiers=(FIRST, SECOND), policy_read_only=True, bus=BusType.ISCSI)
    before = storage.disk(number)
    again = storage.restart()
    assert again.disk(number) == before
    again.close()


def test_an_nvme_disk_has_no_lun_in_its_location(storage):
    location = storage.disk(storage.attach(bus=BusType.NVME)).text("Location")
    assert "Adapter 1" in location
    assert "LUN" not in location


def test_an_image_is_attached_once(storage):
    storage.attach()
    path = storage.path(1)
    os.symlink(path, storage.directory / "link.img")
    os.link(path, storage.directory / "same.img")
    for name in (path, "link.img", "same.img"):
        error = refused(storage.disks.attach, str(storage.directory / name))
        assert (error.windows_code, "disk 1 already" in error.detail) == (183, True)


def test_a_taken_lun_or_number_is_refused(storage):
    storage.attach(lun=3, number=5)
    path = storage.image("other.img")
    assert "disk 5 already" in refused(storage.disks.attach, path, lun=3).detail
    assert refused(storage.disks.attach, path, number=5).windows_code == 183
    assert storage.disks.attach(path, lun=3, target=1) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"number": -1},
        {"lun": 20000},
        {"target": -1},
        {"adapter": 1 << 40},
        {"serial": "a\nb"},
        {"vendor": "x" * 65},
    ],
)
def test_an_impossible_description_is_refused_and_nothing_stays(storage, options):
    path = storage.image()
    assert refused(storage.disks.attach, path, **options).windows_code == 87
    assert storage.disks.attach(path) == 1


def test_a_missing_image_is_refused(storage):
    assert refused(storage.disks.attach, str(storage.directory / "none.img")).windows_code == 2


def test_an_unknown_number_is_refused(storage):
    assert refused(storage.disks.detach, 9).windows_code == 1168
    assert refused(storage.disks.grow, 9, GIB).windows_code == 1168
    assert refused(storage.disks.storage_device, "\\\\?\\scsi#nothing").windows_code == 2


def test_detaching_leaves_image_and_files(storage):
    directory = storage.formatted(storage.attach())
    volume = storage.volume(1).text("UniqueId")
    path = storage.path(1)
    storage.disks.detach(1)
    assert os.path.isdir(directory)
    assert storage.session.instances("MSFT_Disk", Number=1) == []
    assert refused(storage.disks.volume_directory, volume).windows_code == 1168
    storage.disks.attach(path)
    assert storage.disks.volume_directory(volume) == directory


def test_a_disk_moves_to_another_node_with_its_volume(storage, tmp_path):
    directory = storage.formatted(storage.attach())
    with open(os.path.join(directory, "data"), "w") as file:
        file.write("moved")
    volume, path = storage.volume(1).text("UniqueId"), storage.path(1)
    other = StorageGround(tmp_path / "other", seed="other")
    error = refused(other.disks.attach, path)
    assert (error.windows_code, "another node" in error.detail) == (32, True)
    storage.disks.detach(1)
    other.disks.attach(path)
    with open(os.path.join(other.disks.volume_directory(volume), "data")) as file:
        assert file.read() == "moved"
    other.close()


# --- trouble -----------------------------------------------------------------------------------------------


def test_a_node_starts_without_a_missing_image_and_finds_it_again(storage):
    storage.formatted(storage.attach())
    storage.attach("other.img")
    path = storage.path(1)
    os.rename(path, path + ".away")
    again = storage.restart()
    assert (info(again, 1).present, info(again, 2).present) == (False, True)
    assert "No such file" in info(again, 1).problem
    assert [disk.number("Number") for disk in again.session.instances("MSFT_Disk")] == [0, 2]
    assert refused(again.disks.grow, 1, GIB).windows_code == 1117
    os.rename(path + ".away", path)
    again.ok("MSFT_StorageSetting", "UpdateHostStorageCache")
    assert info(again, 1).present
    assert again.volume(1).text("FileSystem") == "NTFS"
    again.close()


def test_a_node_starts_without_an_image_that_another_node_has(storage, tmp_path):
    storage.attach()
    path = storage.path(1)
    storage.disks.close()
    other = StorageGround(tmp_path / "other", seed="other")
    other.disks.attach(path)
    again = storage.restart()
    assert (info(again, 1).present, "another node" in info(again, 1).problem) == (False, True)
    again.close()
    other.close()


def test_a_truncated_image_is_damaged_and_the_rest_works(storage):
    storage.formatted(storage.attach())
    storage.attach("other.img")
    os.truncate(storage.path(1), 8 * MIB)
    storage.ok("MSFT_StorageSetting", "UpdateHostStorageCache")
    disk = storage.disk(1)
    assert (disk.number("PartitionStyle"), disk.number("HealthStatus")) == (2, 2)
    assert "beyond the disk's end" in info(storage, 1).problem
    for method in ("Initialize", "CreatePartition"):
        parameters = {"UseMaximumSize": True} if method == "CreatePartition" else {}
        assert storage.session.invoke(disk, method, **parameters).return_value == 4
    assert storage.formatted(2)


def test_an_image_cut_to_nothing_is_unreadable_not_raw(storage):
    storage.formatted(storage.attach())
    os.truncate(storage.path(1), 0)
    storage.ok("MSFT_StorageSetting", "UpdateHostStorageCache")
    assert storage.session.invoke(storage.disk(1), "Initialize").return_value == 40004


def test_an_image_cut_under_a_volume_fails_that_volume_alone(storage):
    storage.formatted(storage.attach())
    storage.formatted(storage.attach("other.img"))
    os.truncate(storage.path(1), 2 * MIB)
    first, second = (storage.volume(number) for number in (1, 2))
    assert (first.number("HealthStatus"), second.number("HealthStatus")) == (3, 0)
    assert storage.session.invoke(first, "Flush").return_value == 40004
    assert refused(storage.disks.volume_directory, first.text("UniqueId")).windows_code == 1117


def test_a_copy_without_its_files_is_damaged_and_not_mounted(storage):
    storage.formatted(storage.attach())
    copy = str(storage.directory / "copy.img")
    shutil.copy(storage.path(1), copy)
    storage.disks.detach(1)
    storage.disks.attach(copy)
    volume = storage.volume(1)
    assert (volume.number("HealthStatus"), volume.number("FileSystemType")) == (3, 14)
    error = refused(storage.disks.volume_directory, volume.text("UniqueId"))
    assert (error.windows_code, "copy.img.d" in error.detail) == (1393, True)
    assert storage.session.invoke(storage.data_partition(1), "Resize", Size=20 * MIB).return_value == 42008


def test_a_copy_beside_its_original_stays_offline_until_it_gets_a_new_identity(storage):
    storage.formatted(storage.attach())
    shutil.copy(storage.path(1), storage.directory / "copy.img")
    shutil.copytree(storage.path(1) + ".d", storage.directory / "copy.img.d")
    number = storage.disks.attach(str(storage.directory / "copy.img"))
    copy = storage.disk(number)
    assert (copy.flag("IsOffline"), copy.number("OfflineReason")) == (True, 4)
    first = storage.volume(1).text("UniqueId")
    assert storage.disks.volume_directory(first).startswith(storage.path(1))
    storage.ok(copy, "Online")
    second = storage.volume(number).text("UniqueId")
    assert second != first
    assert storage.disk(number).text("Guid") != storage.disk(1).text("Guid")
    assert storage.disks.volume_directory(second).startswith(storage.path(number))


# --- a table that was half written -------------------------------------------------------------------------


def damaged_backup(storage, **options) -> int:
    """A partitioned disk whose backup table does not hold, attached as ``options`` say."""
    path = storage.path(storage.partitioned(storage.attach()))
    storage.disks.detach(1)
    with open(path, "r+b") as file:
        file.seek(64 * MIB - 512)
        file.write(bytes(512))
    return storage.disks.attach(path, **options)


def backup(storage, number: int) -> bytes:
    with open(storage.path(number), "rb") as file:
        file.seek(64 * MIB - 512)
        return file.read(8)


def test_a_half_written_table_is_mended_when_its_disk_is_looked_at(storage):
    number = damaged_backup(storage)
    assert backup(storage, number) == b"EFI PART"


def test_a_half_written_table_is_mended_at_the_start_of_the_node(storage):
    number = storage.partitioned(storage.attach())
    path = storage.path(number)
    storage.close()
    with open(path, "r+b") as file:
        file.seek(1024)
        file.write(b"half written")
    storage = storage.restart()
    shown = storage.partitions(number)
    assert len(shown) == 2
    with open(path, "r+b") as file:  # the backup is not needed any more
        file.seek(64 * MIB - 512)
        file.write(bytes(512))
    storage.ok(storage.disk(number), "Refresh")
    assert storage.partitions(number) == shown
    storage.close()


@pytest.mark.parametrize("options", [{"offline": True}, {"read_only": True}, {"policy_read_only": True}])
def test_a_disk_that_may_not_be_written_is_not_mended(storage, options):
    number = damaged_backup(storage, **options)
    assert backup(storage, number) == bytes(8)
    assert len(storage.partitions(number)) == 2


# --- size --------------------------------------------------------------------------------------------------


def test_windows_sees_a_grown_disk_after_a_rescan(storage):
    storage.formatted(storage.attach())
    storage.disks.grow(1, 128 * MIB)
    assert storage.disk(1).number("Size") == 64 * MIB
    storage.ok(storage.disk(1), "Refresh")
    assert storage.disk(1).number("Size") == 128 * MIB
    partition = storage.data_partition(1)
    most = storage.ok(partition, "GetSupportedSize").number("SizeMax")
    storage.ok(partition, "Resize", Size=most)
    assert storage.data_partition(1).number("Size") == most
    assert most - 4096 <= storage.volume(1).number("Size") <= most


def test_a_disk_is_not_shrunk(storage):
    storage.attach()
    assert refused(storage.disks.grow, 1, MIB).windows_code == 87


# --- volumes for the namespace -----------------------------------------------------------------------------


def test_volume_directories_are_known_while_they_can_be_mounted(storage):
    directory = storage.formatted(storage.attach())
    volume = storage.volume(1).text("UniqueId")
    assert storage.disks.known_volume_directories()[directory] == volume
    storage.ok(storage.disk(1), "Offline")
    assert directory not in storage.disks.known_volume_directories()
    assert refused(storage.disks.volume_directory, volume).windows_code == 21


def test_a_link_planted_in_place_of_the_files_leads_nowhere(storage):
    directory = storage.formatted(storage.attach())
    os.rmdir(directory)
    os.symlink("/", directory)
    assert directory not in storage.disks.known_volume_directories()
    assert refused(storage.disks.volume_directory, storage.volume(1).text("UniqueId")).windows_code == 1393


def test_a_volume_name_is_read_in_any_case_and_without_its_last_backslash(storage):
    directory = storage.formatted(storage.attach())
    name = storage.volume(1).text("UniqueId")
    assert storage.disks.volume_directory(name.upper().replace("VOLUME", "Volume")[:-1]) == directory


def test_an_unformatted_volume_has_no_directory(storage):
    storage.partitioned(storage.attach())
    error = refused(storage.disks.volume_directory, storage.volume(1).text("UniqueId"))
    assert (error.windows_code, "not formatted" in error.detail) == (1005, True)


def test_a_foreign_volume_names_the_way_to_mount_it(storage):
    storage.partitioned(storage.attach())
    storage.put(1, ext4_superblock(), at=1024)
    error = refused(storage.disks.volume_directory, storage.volume(1).text("UniqueId"))
    assert (error.windows_code, "--volumes image" in error.detail) == (1005, True)


def test_an_mbr_volume_is_named_after_signature_and_offset(storage):
    storage.formatted(storage.attach(), style=1)
    signature = storage.disk(1).number("Signature")
    assert (
        storage.volume(1).text("UniqueId")
        == f"\\\\?\\Volume{{{signature:08x}-0000-0000-0000-100000000000}}\\"
    )


def test_seeded_nodes_are_alike(tmp_path):
    seen = []
    for name in ("one", "two"):
        ground = StorageGround(tmp_path / name, seed="same")
        ground.formatted(ground.attach())
        seen.append((ground.disk(1), ground.volume(1), [info(ground, n).serial for n in (0, 1)]))
        ground.close()
    assert seen[0] == seen[1]


def named(storage, name: str, *, style: int, **names) -> str:
    """An image with one partition, as another tool could have made it: with these names."""
    path = storage.image(name)
    opened = image.Image(path)
    if style == MBR:
        partition_table.initialize_mbr(opened, names["signature"])
        partition = Partition(0, MIB, 8 * MIB, mbr_type=7)
    else:
        partition_table.initialize_gpt(opened, names["disk"], names["reserved"])
        partition = Partition(0, 16 * MIB, 8 * MIB, gpt.BASIC_DATA, names["partition"])
    partition_table.add(opened, partition_table.read(opened), partition)
    opened.close()
    return path


MBR, GPT = 1, 2
GUIDS = [str(uuid.UUID(int=n)) for n in range(1, 6)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"style": MBR, "signature": 0}, {"style": MBR, "signature": 0}),
        (
            {"style": GPT, "disk": GUIDS[0], "reserved": GUIDS[1], "partition": GUIDS[2]},
            {"style": GPT, "disk": GUIDS[3], "reserved": GUIDS[4], "partition": GUIDS[2]},
        ),
    ],
    ids=["no signature", "a partition of the same name on another disk"],
)
def test_two_volumes_never_have_one_name(storage, first, second):
    numbers = [
        storage.disks.attach(named(storage, name, **names))
        for name, names in (("a.img", first), ("b.img", second))
    ]
    assert storage.disk(numbers[1]).number("OfflineReason") == OfflineReason.COLLISION
    kept = [volume.text("UniqueId") for volume in storage.volumes(numbers[0])]
    storage.ok(storage.disk(numbers[1]), "Online")
    found = [[volume.text("UniqueId") for volume in storage.volumes(number)] for number in numbers]
    assert found[0] == kept
    assert len({name for names in found for name in names}) == 2


def test_an_image_that_became_a_copy_while_the_node_did_not_run_is_a_copy(storage):
    first = storage.partitioned(storage.attach("a.img"))
    second = storage.attach("b.img")
    paths = storage.path(first), storage.path(second)
    storage.close()
    shutil.copyfile(*paths)
    again = StorageGround(storage.directory, seed="")
    try:
        assert again.disk(second).number("OfflineReason") == OfflineReason.COLLISION
        assert not again.disk(first).flag("IsOffline")
    finally:
        again.close()
