"""Group disk, in every version: a disk's life, and how refusals look."""

import pytest
from tests.conformance.dialects import DISK, Disk
from tests.conformance.running import MIB, Running

from csiproxy.host.win32 import Association, CodeSet, IdentifierType, StorageIdentifier


@pytest.fixture(params=DISK)
def disk(running: Running, request: pytest.FixtureRequest) -> Disk:
    return Disk(running.client(f"disk/{request.param}"))


def test_every_version_of_the_group_is_in_the_suite(apis):
    assert {name for name in apis if name.startswith("disk/")} == {f"disk/{version}" for version in DISK}


def test_a_disk_is_found_partitioned_measured_and_switched(running, disk):
    lun = 100 + list(DISK).index(disk.client.api.version)
    name = f"pvc-{lun}"
    page83 = StorageIdentifier(
        CodeSet.ASCII, IdentifierType.VENDOR_SPECIFIC, Association.DEVICE, name.encode()
    )
    number = running.attach(lun=lun, serial=f"SERIAL-{lun}", identifiers=(page83,))
    disk.client("Rescan")
    location = disk.client("ListDiskLocations").disk_locations[disk.key(number)]
    assert (location.Adapter, location.Target, location.LUNID) == ("1", "0", str(lun))
    if disk.client.api.version == "v1alpha1":
        assert disk.client("GetDiskNumberByName", disk_name=name).disk_number == str(number)
        assert list(disk.client.refused("GetDiskNumberByName", disk_name="none")) == ["NOT_FOUND", 1168]
    else:
        assert (disk.page83(number), disk.serial(number)) == (name, f"SERIAL-{lun}")
    for _ in range(2):
        disk.partition(number)
    [report] = [report for report in running.control.list() if report.number == number]
    assert (report.style, len(report.volumes)) == ("GPT", 1)
    if disk.has("stats"):
        assert disk.size(number) == 64 * MIB
    if disk.has("state"):
        for state in (False, False, True, True):
            disk.switch(number, state)
            assert disk.is_online(number) is state
    running.control.detach(number)


def test_a_disk_that_comes_offline_and_read_only_by_policy_is_made_usable(running, disk):
    number = running.attach(policy_read_only=True)
    disk.partition(number)
    [report] = [report for report in running.control.list() if report.number == number]
    assert (report.offline, report.read_only, report.style) == (False, False, "GPT")
    running.control.detach(number)


def test_refusals_carry_a_status_a_windows_code_and_a_sentence(running, disk):
    refused = disk.client.refused
    asks = [disk.partition]
    if disk.has("stats"):
        asks.append(disk.size)
    if disk.has("state"):
        asks += [disk.is_online, lambda number, say: disk.switch(number, True, say)]
    for ask in asks:
        failure = ask(4_000_000_000, say=refused)
        assert list(failure) == ["NOT_FOUND", 1168]
        assert "4000000000" in failure.text
    assert list(disk.partition(0, refused)) == ["FAILED_PRECONDITION", 50]
    if disk.has("state"):
        assert list(disk.switch(0, False, refused)) == ["FAILED_PRECONDITION", 50]
    number = running.attach(read_only=True)
    assert list(disk.partition(number, refused)) == ["FAILED_PRECONDITION", 19]
    running.control.detach(number)


@pytest.mark.parametrize("version", [name for name, words in DISK.items() if words["number"] == "diskID"])
@pytest.mark.parametrize(
    "text", ["", "x", "-1", "+1", " 1", "1 ", "0x1", "1.0", "4294967296", "4294967297", "١"]
)
def test_a_disks_text_is_decimal_and_in_range_or_refused(running, version, text):
    disk = Disk(running.client(f"disk/{version}"))
    assert list(disk.partition(text, disk.client.refused)) == ["INVALID_ARGUMENT", 87]
