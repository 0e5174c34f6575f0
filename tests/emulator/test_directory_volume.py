"""Volumes beside an image: formatted safely, measured honestly, and never made of what others formatted."""

import os
import shutil

import pytest
from tests.emulator.storage_ground import MIB, ext4_superblock, snapshot

from csiproxy.emulator import boot_sector, image
from csiproxy.emulator.directory_volume import DirectoryVolume, file_system_size, metadata_size
from csiproxy.emulator.image import Image
from csiproxy.emulator.partition_table import Partition
from csiproxy.emulator.volume import Condition
from csiproxy.errors import Win32Error

GUID = "11111111-2222-4333-8444-555555555555"
PARTITION = Partition(1, MIB, 32 * MIB)


class Killed(Exception):
    pass


class DyingImage(Image):
    """An image whose node is killed before its nth write."""

    def __init__(self, path: str, writes: int) -> None:
        super().__init__(path)
        self.left = writes

    def write(self, offset: int, data: bytes) -> None:
        if not self.left:
            raise Killed
        self.left -= 1
        super().write(offset, data)


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / "disk.img")
    image.create(path, 64 * MIB)
    return path


@pytest.fixture
def volume(path):
    opened = Image(path)
    yield of(opened)
    opened.close()


def of(opened: Image) -> DirectoryVolume:
    return DirectoryVolume(opened, PARTITION, GUID, opened.path + ".d")


def files_of(volume: DirectoryVolume) -> str:
    content = volume.content()
    assert content.condition is Condition.READY
    return volume.directory()


def put(directory: str, name: str, size: int) -> None:
    path = os.path.join(directory, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.truncate(size)


def test_a_formatted_volume_is_a_directory_beside_the_image(volume, path):
    volume.format("NTFS", "data", 4096)
    assert files_of(volume) == f"{path}.d/{GUID}"
    assert os.listdir(files_of(volume)) == []
    content = volume.content()
    assert (content.file_system.name, content.label, content.cluster) == ("NTFS", "data", 4096)


def test_files_travel_with_the_image(volume, path, tmp_path):
    volume.format("NTFS", "", 4096)
    put(files_of(volume), "a/b", 10)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(path, elsewhere)
    shutil.copytree(path + ".d", elsewhere / "disk.img.d")
    copy = Image(str(elsewhere / "disk.img"))
    assert snapshot(files_of(of(copy)))[-1].endswith("a/b")
    copy.close()


def test_an_image_without_its_files_is_damaged_not_empty(volume, path):
    volume.format("NTFS", "", 4096)
    os.rename(path + ".d", path + ".gone")
    content = volume.content()
    assert content.condition is Condition.DAMAGED
    assert f"{path}.d/{GUID}" in content.problem
    statistics = volume.statistics(content)
    assert statistics.used == statistics.size > 0


def test_a_link_in_place_of_the_files_is_not_followed(volume, path, tmp_path):
    volume.format("NTFS", "", 4096)
    os.rmdir(files_of(volume))
    os.symlink(tmp_path, f"{path}.d/{GUID}")
    assert volume.content().condition is Condition.DAMAGED
    with pytest.raises(Win32Error):
        volume.format("NTFS", "", 4096)
    assert os.path.exists(path)


def test_formatting_again_empties_it_in_place(volume):
    volume.format("NTFS", "old", 4096)
    directory = files_of(volume)
    put(directory, "a/b/c", 10)
    os.symlink("/etc", os.path.join(directory, "link"))
    inode = os.stat(directory).st_ino
    volume.format("FAT32", "new", 512)
    assert files_of(volume) == directory
    assert os.listdir(directory) == []
    assert os.stat(directory).st_ino == inode
    assert os.path.isdir("/etc")


@pytest.mark.parametrize("earlier", [False, True], ids=["raw", "formatted before"])
def test_a_kill_while_formatting_leaves_raw_or_formatted_and_formatting_again_finishes(path, earlier):
    for writes in range(4):
        opened = Image(path)
        opened.write(MIB, bytes(512))
        if earlier:
            of(opened).format("NTFS", "old", 4096)
            put(files_of(of(opened)), "old", 10)
        opened.close()
        dying = DyingImage(path, writes)
        try:
            of(dying).format("NTFS", "new", 4096)
        except Killed:
            pass
        finally:
            dying.close()
        opened = Image(path)
        content = of(opened).content()
        if content.condition is Condition.READY:
            files = os.listdir(files_of(of(opened)))
            assert (content.label, files) in (("old", ["old"]), ("new", []))
        else:
            assert content.condition is Condition.RAW
        of(opened).format("NTFS", "new", 4096)
        assert os.listdir(files_of(of(opened))) == []
        opened.close()


def test_a_foreign_file_system_is_recognised(volume):
    volume.image.write(MIB + 1024, ext4_superblock())
    content = volume.content()
    assert content.condition is Condition.FOREIGN
    assert "ext4" in content.problem
    assert "--volumes image" in content.problem
    assert volume.statistics(content).size == volume.statistics(content).used


def test_a_broken_boot_sector_of_ours_is_damaged_not_raw(volume):
    volume.format("NTFS", "", 4096)
    volume.image.write(MIB + 200, b"\xff")
    content = volume.content()
    assert content.condition is Condition.DAMAGED
    assert "checksum" in content.problem


def test_what_another_release_formatted_is_damaged_not_raw(volume):
    volume.image.write(MIB, boot_sector.encode(boot_sector.BootSector(GUID, "ReFS")))
    content = volume.content()
    assert content.condition is Condition.DAMAGED
    assert "ReFS" in content.problem


def test_a_new_label_changes_nothing_else(volume):
    volume.format("NTFS", "old", 8192)
    put(files_of(volume), "kept", 1)
    volume.relabel("new")
    assert volume.content().label == "new"
    assert volume.content().cluster == 8192
    assert os.listdir(files_of(volume)) == ["kept"]


def test_a_wiped_volume_has_no_files_left(volume, path):
    volume.format("NTFS", "", 4096)
    put(files_of(volume), "a/b", 1)
    volume.mark_raw()
    assert volume.content().condition is Condition.RAW
    volume.remove_files()
    assert os.listdir(path + ".d") == []
    assert volume.image.read(MIB, 512) == bytes(512)


def test_files_of_a_formatted_volume_are_never_removed_by_wiping_alone(volume):
    volume.format("NTFS", "", 4096)
    put(files_of(volume), "kept", 1)
    volume.remove_files()
    assert os.listdir(files_of(volume)) == ["kept"]


def test_used_bytes_are_whole_clusters_and_the_file_systems_own(volume):
    volume.format("NTFS", "", 4096)
    fresh = volume.statistics(volume.content())
    assert fresh.size == file_system_size(PARTITION.size)
    assert fresh.used == metadata_size(fresh.size)
    put(files_of(volume), "one", 1)
    put(files_of(volume), "deep/two", 4097)
    os.link(os.path.join(files_of(volume), "one"), os.path.join(files_of(volume), "same"))
    os.symlink("/etc/passwd", os.path.join(files_of(volume), "link"))
    assert volume.statistics(volume.content()).used - fresh.used == 3 * 4096


def test_an_overfull_volume_has_nothing_left_and_no_less(volume):
    volume.format("NTFS", "", 4096)
    put(files_of(volume), "huge", 1 << 40)
    statistics = volume.statistics(volume.content())
    assert statistics.used == statistics.size


@pytest.mark.parametrize("size", [MIB, 8 * MIB, 1 << 30, 64 << 40])
def test_metadata_never_take_more_than_half(size):
    assert 0 < metadata_size(file_system_size(size)) <= file_system_size(size) // 2
