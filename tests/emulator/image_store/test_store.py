"""Volumes with real file systems: made, found, grown and repaired, and never made twice."""

import errno
import os
import shutil
from dataclasses import replace

import pytest
from tests.emulator.image_store.damage import mark_dirty, volume_record
from tests.emulator.image_store.images import MIB, check, left_behind, make, tool
from tests.emulator.storage_ground import ext4_superblock

from csiproxy.emulator import boot_sector
from csiproxy.emulator.boot_sector import BootSector
from csiproxy.emulator.image import Image
from csiproxy.emulator.image import create as create_image
from csiproxy.emulator.image_store.loop import LoopDevice
from csiproxy.emulator.image_store.store import ImageStore
from csiproxy.emulator.image_store.unfinished import SCHEMA, Job
from csiproxy.emulator.partition_table import Partition
from csiproxy.emulator.state import State
from csiproxy.emulator.volume import Condition
from csiproxy.errors import Win32Error, WindowsCode

pytestmark = pytest.mark.mounts

GUID = "11111111-2222-4333-8444-555555555555"
SIZE = 40 * MIB
KINDS = {"NTFS": "NTFS", "FAT32": "FAT32", "EXFAT": "exFAT"}


class Ground:
    """One disk image with one partition, and the store of a node."""

    def __init__(self, directory):
        self.directory = directory
        self.path = str(directory / "disk.img")
        create_image(self.path, 64 * MIB)
        self.start()

    def start(self):
        self.state = State(str(self.directory / "state.db"), SCHEMA)
        self.store = ImageStore(self.state, str(self.directory))
        self.store.mounts.clear_stale({self.path})
        self.image = Image(self.path)

    def close(self):
        self.store.close()
        self.image.close()
        self.state.close()

    def restart(self):
        self.close()
        self.start()

    def volume(self, size=SIZE, **options):
        options.setdefault("read_only", False)
        return self.store.volume(self.image, Partition(1, MIB, size), GUID, **options)

    def formatted(self, kind="NTFS", label="", cluster=0):
        volume = self.volume()
        volume.format(kind, label, cluster)
        return volume

    def bring(self, kind, label, *files):
        """Put a file system that was made elsewhere into the partition."""
        other = make(str(self.directory / "other"), kind, label, SIZE)
        if files:
            copy_in(kind, other, *files)
        with open(other, "rb") as source, open(self.path, "r+b") as target:
            target.seek(MIB)
            shutil.copyfileobj(source, target, MIB)
        return self.volume()


def copy_in(kind, image, *files):
    """Write files into an image with tools that need no mount."""
    for file in files:
        tool("ntfscp", "-q", image, file, os.path.basename(file))


@pytest.fixture
def ground(tmp_path):
    ground = Ground(tmp_path)
    yield ground
    ground.close()
    assert left_behind(tmp_path) == []


def put(directory, name="file", data=b"data"):
    with open(os.path.join(directory, name), "wb") as file:
        file.write(data)


def refused(code, call, *arguments):
    with pytest.raises(Win32Error) as refusal:
        call(*arguments)
    assert refusal.value.windows_code == code, refusal.value
    return refusal.value.detail


@pytest.mark.parametrize("kind", KINDS)
def test_a_formatted_volume_is_a_sound_file_system_with_its_files(ground, kind):
    volume = ground.formatted(kind, "LABEL 1")
    content = volume.content()
    assert (content.condition, content.label, content.dirty) == (Condition.READY, "LABEL 1", False)
    assert content.file_system.name == KINDS[kind]
    for number in range(20):
        put(volume.directory(), f"file-{number}", bytes(number * 1000))
    before = volume.statistics(content)
    assert before.size > 0.8 * SIZE
    put(volume.directory(), "large", bytes(4 * MIB))
    assert volume.statistics(content).used - before.used == 4 * MIB
    ground.restart()
    check(ground.path, MIB, SIZE, KINDS[kind])
    assert len(os.listdir(ground.volume().directory())) == 21
    assert ground.volume().files() == ground.volume().directory()


def test_a_volume_is_mounted_where_it_is_wanted_and_no_sooner(ground):
    volume = ground.formatted()
    assert volume.files() == ""
    assert ground.store.mounts.names() == []
    directory = volume.directory()
    assert volume.files() == directory == volume.content().directory


def test_what_was_made_elsewhere_is_found_with_its_files(ground, tmp_path):
    (tmp_path / "hello").write_text("from elsewhere")
    volume = ground.bring("NTFS", "Büro", str(tmp_path / "hello"))
    content = volume.content()
    assert (content.condition, content.label, content.cluster) == (Condition.READY, "Büro", 4096)
    with open(os.path.join(volume.directory(), "hello")) as file:
        assert file.read() == "from elsewhere"


def test_nothing_is_a_raw_volume(ground):
    volume = ground.volume()
    content = volume.content()
    assert content.condition is Condition.RAW
    assert volume.statistics(content).size == 0
    assert "not formatted" in refused(WindowsCode.UNRECOGNIZED_VOLUME, volume.directory)
    volume.flush()
    volume.mark_raw()


def test_what_has_no_driver_here_is_left_alone(ground):
    ground.image.write(MIB + 1024, ext4_superblock())
    volume = ground.volume()
    content = volume.content()
    assert (content.condition, content.file_system.name) == (Condition.FOREIGN, "ext4")
    refused(WindowsCode.UNRECOGNIZED_VOLUME, volume.directory)
    before = ground.image.read(MIB, SIZE)
    volume.mark_raw()
    assert ground.image.read(MIB, SIZE) == before
    statistics = volume.statistics(content)
    assert statistics.used == statistics.size == SIZE


@pytest.mark.parametrize(
    ("sector", "condition"),
    [
        (boot_sector.encode(BootSector(GUID, "NTFS")), Condition.FOREIGN),
        (boot_sector.encode(BootSector(GUID, "NTFS"))[:200] + bytes(312), Condition.FOREIGN),
        (boot_sector.encode(BootSector(GUID, "")), Condition.RAW),
    ],
)
def test_a_volume_with_its_files_beside_the_image_belongs_to_the_other_store(ground, sector, condition):
    ground.image.write(MIB, sector)
    content = ground.volume().content()
    assert content.condition is condition
    assert ("beside the image" in content.problem) is (condition is Condition.FOREIGN)


@pytest.mark.parametrize("at", ["boot", "table"])
def test_a_damaged_file_system_is_damaged_and_not_raw(ground, at):
    volume = ground.formatted()
    where = MIB + 40 if at == "boot" else MIB + volume_record(ground.path, MIB)
    ground.image.write(where, b"\xff" * 8)
    content = volume.content()
    assert (content.condition, content.file_system.name) == (Condition.DAMAGED, "NTFS")
    assert "repair it" in refused(WindowsCode.DISK_CORRUPT, volume.directory)
    assert volume.files() == ""


def test_a_file_system_that_cannot_be_mounted_is_damaged_until_it_can(ground):
    volume = ground.formatted()
    [table] = [8 * 512 * int.from_bytes(ground.image.read(MIB + 48, 8), "little")]
    saved = ground.image.read(MIB + table, 1024)
    ground.image.write(MIB + table, bytes(1024))
    assert volume.content().condition is Condition.READY
    said = refused(WindowsCode.FILE_CORRUPT, volume.directory)
    content = volume.content()
    assert (content.condition, content.problem) == (Condition.DAMAGED, said)
    assert volume.statistics(content).used == SIZE
    ground.image.write(MIB + table, saved)
    assert os.listdir(volume.directory()) == []
    assert volume.content().condition is Condition.READY


def test_a_volume_that_wants_to_be_checked_can_be_used_but_not_resized(ground):
    volume = ground.formatted()
    mark_dirty(ground.path, MIB)
    assert (volume.content().condition, volume.content().dirty) == (Condition.READY, True)
    put(volume.directory())
    assert "chkdsk" in refused(WindowsCode.DISK_CORRUPT, volume.before_resize)


@pytest.mark.parametrize("kind", KINDS)
def test_a_read_only_volume_is_read_and_never_written(ground, kind):
    put(ground.formatted(kind).directory())
    ground.restart()
    before = ground.image.read(0, 64 * MIB)
    volume = ground.volume(read_only=True)
    assert os.listdir(volume.directory()) == ["file"]
    with pytest.raises(OSError) as refusal:
        put(volume.directory(), "other")
    assert refusal.value.errno == errno.EROFS
    volume.flush()
    ground.store.close()
    assert ground.image.read(0, 64 * MIB) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_label_is_changed_while_it_is_mounted(ground, kind):
    volume = ground.formatted(kind, "OLD")
    put(volume.directory())
    volume.relabel("NEW 1")
    assert volume.content().label == "NEW 1"
    assert os.listdir(volume.files()) == ["file"]
    with open(os.path.join(volume.directory(), "file")):
        refused(WindowsCode.BUSY, volume.relabel, "LATER")
    ground.restart()
    assert ground.volume().content().label == "NEW 1"
    check(ground.path, MIB, SIZE, KINDS[kind])


def test_formatting_takes_a_volume_from_whoever_uses_it(ground):
    volume = ground.formatted("NTFS")
    used = os.open(os.path.join(volume.directory(), "file"), os.O_WRONLY | os.O_CREAT)
    volume.format("EXFAT", "NEW", 32768)
    with pytest.raises(OSError):
        os.close(used)
    content = volume.content()
    assert (content.file_system.name, content.label, content.cluster) == ("exFAT", "NEW", 32768)
    assert os.listdir(volume.files()) == []


def test_a_format_that_was_killed_leaves_a_raw_volume(ground):
    volume = ground.formatted("NTFS")
    ground.store.unfinished.begin(GUID, Job.FORMAT)
    ground.restart()
    volume = ground.volume()
    assert volume.content().condition is Condition.RAW
    volume.format("NTFS", "", 0)
    ground.restart()
    assert ground.volume().content().condition is Condition.READY


@pytest.mark.parametrize(
    ("kind", "label", "size"), [("NTFS", "", MIB), ("FAT32", "", 20 * MIB), ("FAT32", "a.b", SIZE)]
)
def test_a_format_that_is_refused_leaves_a_raw_volume(ground, kind, label, size):
    volume = ground.volume(size)
    with pytest.raises(Win32Error):
        volume.format(kind, label, 0)
    assert volume.content().condition is Condition.RAW


def grown(ground):
    return ground.volume(60 * MIB)


def test_a_volume_grows_with_its_files(ground):
    volume = ground.formatted()
    put(volume.directory())
    volume.before_resize()
    grown(ground).after_resize()
    volume = grown(ground)
    assert volume.statistics(volume.content()).size > 59 * MIB
    assert (os.listdir(volume.directory()), volume.content().dirty) == (["file"], False)
    ground.restart()
    check(ground.path, MIB, 60 * MIB, "NTFS")


def test_a_volume_in_use_does_not_grow(ground):
    volume = ground.formatted()
    with open(os.path.join(volume.directory(), "file"), "w"):
        refused(WindowsCode.BUSY, volume.before_resize)
    assert ground.store.unfinished.get(GUID) is None


def test_a_growth_that_was_killed_ends_when_the_volume_is_wanted_next(ground):
    put(ground.formatted().directory())
    ground.volume().before_resize()
    ground.restart()
    volume = grown(ground)
    assert os.listdir(volume.directory()) == ["file"]
    assert volume.statistics(volume.content()).size > 59 * MIB
    assert ground.store.unfinished.get(GUID) is None


def test_a_raw_volume_grows_by_itself(ground):
    ground.volume().before_resize()
    grown(ground).after_resize()
    assert grown(ground).content().condition is Condition.RAW


def test_nothing_is_made_smaller(ground):
    volume = ground.formatted()
    assert volume.least_size(volume.content()) == SIZE


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_flushed_is_in_the_image(ground, kind, tmp_path):
    volume = ground.formatted(kind)
    put(volume.directory(), "file", b"safe from a loss of power" * 100)
    volume.flush()
    copy = str(tmp_path / "copy.img")
    shutil.copy(ground.path, copy)
    with open(copy, "rb") as file, LoopDevice(file.fileno(), MIB, SIZE, read_only=True) as device:
        with open(device.path, "rb") as bytes_of_it:
            assert b"safe from a loss of power" * 100 in bytes_of_it.read()


def test_a_volume_marked_raw_is_raw(ground):
    volume = ground.formatted()
    volume.directory()
    volume.mark_raw()
    volume.remove_files()
    assert volume.content().condition is Condition.RAW
    assert ground.store.mounts.names() == []


def test_the_mounts_are_those_of_the_volumes_that_are_surfaced_and_in_use(ground):
    volume = ground.formatted()
    ground.store.settle([volume], lambda name: False)
    assert ground.store.mounts.names() == []
    ground.store.settle([volume], lambda name: name == volume.name)
    assert ground.store.mounts.names() == [GUID]
    ground.store.settle([replace(volume, read_only=True)], lambda name: True)
    assert ground.store.mounts.get(GUID).site.read_only
    ground.store.settle([], lambda name: True)
    assert ground.store.mounts.names() == []
    raw = ground.store.volume(ground.image, Partition(2, 50 * MIB, MIB), "2" + GUID[1:], read_only=False)
    ground.store.settle([raw], lambda name: True)
    assert ground.store.mounts.names() == []
