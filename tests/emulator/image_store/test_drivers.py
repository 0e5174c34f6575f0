"""Command lines: a label is never an option, and what a file system cannot keep is refused before."""

import pytest
from tests.emulator.image_store.images import MIB, Part

from csiproxy.emulator.image_store import drivers, programs
from csiproxy.emulator.image_store.drivers import DRIVERS
from csiproxy.errors import Win32Error, WindowsCode

pytestmark = pytest.mark.mounts

LABELS = {
    "NTFS": ["", "data", "-L", "--help", "Füße 日本 $(id)", "a'b\"c;d&e", "x" * 32],
    "FAT32": ["", "DATA", "-N", "--HELP", "A B 1", "$(ID)&'", "X" * 11],
    "EXFAT": ["", "data", "-L", "--help", "Füße 日本", "$(id);&'", "x" * 11],
}
MADE = [(name, label) for name, labels in LABELS.items() for label in labels]


@pytest.fixture
def device(tmp_path):
    path = str(tmp_path / "device")
    with open(path, "wb") as file:
        file.truncate(48 * MIB)
    return path


def run(command):
    outcome = programs.run((command[0], "-F", *command[1:]) if command[0] == "mkntfs" else command)
    assert outcome.code == 0, outcome.said


@pytest.mark.parametrize(("name", "label"), MADE)
def test_a_file_system_is_made_with_any_label_that_it_can_keep(device, name, label):
    driver = DRIVERS[name]
    run(driver.make(device, 48 * MIB, drivers.check_label(driver, label), 0))
    facts = driver.read(Part(device))
    assert (facts.label, facts.dirty) == (label, False)


@pytest.mark.parametrize(("name", "label"), MADE)
def test_a_label_is_changed_to_any_other(device, name, label):
    driver = DRIVERS[name]
    run(driver.make(device, 48 * MIB, "OLD", 0))
    if name == "NTFS" and label.startswith("-"):
        with pytest.raises(Win32Error) as refusal:
            driver.relabel(device, label)
        assert refusal.value.windows_code == WindowsCode.NOT_SUPPORTED
        return
    run(driver.relabel(device, label))
    assert driver.read(Part(device)).label == label


@pytest.mark.parametrize("label", ["a.b", "a/b", "Ä", " x", "x ", 'a"b', "a|b"])
def test_a_label_that_fat_cannot_keep_is_refused(label):
    with pytest.raises(Win32Error) as refusal:
        drivers.check_label(drivers.FAT32, label)
    assert refusal.value.windows_code == WindowsCode.INVALID_PARAMETER


def test_a_label_of_fat_is_kept_in_capitals():
    assert drivers.check_label(drivers.FAT32, "data 1") == "DATA 1"
    assert drivers.check_label(drivers.NTFS, "data 1") == "data 1"


@pytest.mark.parametrize(
    ("size", "cluster"),
    [(33, 512), (64, 512), (65, 1024), (256, 2048), (257, 4096), (32768, 16384), (32769, 32768)],
)
def test_fat_has_the_clusters_that_windows_takes(size, cluster):
    assert drivers.fat32_cluster(size * MIB) == cluster


@pytest.mark.parametrize(
    ("size", "cluster", "fits"), [(32, 0, False), (34, 0, True), (64, 4096, False), (272, 4096, True)]
)
def test_a_volume_too_small_for_fat_is_refused(size, cluster, fits):
    drivers.check_size(drivers.NTFS, size * MIB, cluster)
    if fits:
        drivers.check_size(drivers.FAT32, size * MIB, cluster)
    else:
        with pytest.raises(Win32Error):
            drivers.check_size(drivers.FAT32, size * MIB, cluster)


@pytest.mark.parametrize(("name", "cluster"), [("NTFS", 65536), ("FAT32", 512), ("EXFAT", 32768)])
def test_clusters_are_as_asked_for(device, name, cluster):
    driver = DRIVERS[name]
    run(driver.make(device, 48 * MIB, "", cluster))
    assert driver.read(Part(device)).cluster == cluster


def test_a_volume_without_a_journal_cannot_grow():
    assert [bool(driver.grow("/dev/x")) for driver in DRIVERS.values()] == [True, False, False]


def test_every_program_that_is_run_is_known_to_the_requirements():
    named = {program for driver in DRIVERS.values() for program in driver.programs}
    used = {
        command[0]
        for driver in DRIVERS.values()
        for command in (
            driver.make("d", 1 << 30, "", 0),
            driver.relabel("d", ""),
            driver.mount("d", "m", False),
            *driver.grow("d"),
        )
    }
    assert {program for program in used if not program.startswith("/")} == named
