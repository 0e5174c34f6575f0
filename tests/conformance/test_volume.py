"""Group volume, in every version: a volume's life, and how refusals look."""

import pytest
from tests.conformance.dialects import VOLUME, Disk, Filesystem, Volume
from tests.conformance.running import MIB, PODS, Running

NO_VOLUME = r"\\?\Volume{00000000-0000-4000-8000-00000000dead}" + "\\"


@pytest.fixture(params=VOLUME)
def volumes(running: Running, request: pytest.FixtureRequest) -> Volume:
    return Volume(running.client(f"volume/{request.param}"))


@pytest.fixture
def number(running):
    number = running.attach()
    Disk(running.client("disk/v1")).partition(number)
    yield number
    if any(disk.number == number for disk in running.control.list()):
        running.control.detach(number)


def test_every_version_of_the_group_is_in_the_suite(apis):
    assert {name for name in apis if name.startswith("volume/")} == {
        f"volume/{version}" for version in VOLUME
    }


def test_a_volume_is_formatted_mounted_measured_grown_and_unmounted(running, volumes, number, claim):
    [volume] = volumes.on_disk(number)
    assert volume.startswith("\\\\?\\Volume{")
    assert volume.endswith("}\\")
    assert not volumes.is_formatted(volume)
    volumes.format(volume)
    assert volumes.is_formatted(volume)
    running.make(claim.staging)
    for path in (claim.staging, claim.staging[2:], "c" + claim.staging[1:]):
        volumes.mount(volume, path)
    assert running.mount_points(volume) == (claim.staging,)
    running.write(claim.staging + r"\file", "data")
    files = Filesystem(running.client("filesystem/v1"))
    files.link(claim.staging, claim.published)
    if volumes.has("behind"):
        for path in (claim.staging, claim.published, claim.published[2:]):
            assert volumes.behind(path) == volume
    if volumes.has("closest"):
        assert volumes.closest(claim.published + r"\file") == volume
        assert volumes.closest(PODS) not in ("", volume)
    if volumes.has("disk_of"):
        assert volumes.disk_of(volume) == number
    if volumes.has("flush"):
        volumes.flush(volume)
    running.control.grow(number, 256 * MIB)
    for size in (0, 0, 256 * MIB, 100 * MIB):
        volumes.resize(volume, size)
    if volumes.has("stats"):
        total, used = volumes.stats(volume)
        assert 200 * MIB < total < 256 * MIB
        assert 0 < used < total
    files.rmdir(claim.published)  # what a pod still links to is not dismounted
    for _ in range(2):
        volumes.unmount(volume, claim.staging)
    assert running.mount_points(volume) == ()
    volumes.mount(volume, claim.staging)
    files.link(claim.staging, claim.published)
    assert running.read(claim.published + r"\file") == "data"


def test_unstaging_by_rmdir_alone_leaves_the_volumes_files(running, volumes, number, claim):
    [volume] = volumes.on_disk(number)
    volumes.format(volume)
    running.make(claim.staging)
    volumes.mount(volume, claim.staging)
    running.write(claim.staging + r"\file", "data")
    Filesystem(running.client("filesystem/v1")).rmdir(claim.staging, force=True)
    assert not running.exists(claim.staging)
    running.make(claim.staging)
    volumes.mount(volume, claim.staging)
    assert running.read(claim.staging + r"\file") == "data"


def test_the_mount_point_of_a_vanished_volume_is_cleared_away(running, volumes, number, claim):
    [volume] = volumes.on_disk(number)
    volumes.format(volume)
    running.make(claim.staging)
    volumes.mount(volume, claim.staging)
    running.control.detach(number)
    for _ in range(2):
        volumes.unmount(volume, claim.staging)
    Filesystem(running.client("filesystem/v1")).rmdir(claim.staging)


def test_refusals_carry_a_status_a_windows_code_and_a_sentence(running, volumes, number, claim):
    [volume] = volumes.on_disk(number)
    refused = volumes.client.refused
    running.make(claim.staging)
    assert list(volumes.mount(volume, claim.staging, refused)) == ["FAILED_PRECONDITION", 1005]
    if volumes.has("stats"):
        assert list(volumes.stats(volume, refused)) == ["FAILED_PRECONDITION", 1005]
    volumes.format(volume)
    assert list(volumes.format(volume, refused)) == ["FAILED_PRECONDITION", 50]
    assert volumes.on_disk(4_000_000_000) == []
    for bad in ("", "2", "C:\\", volume + "x", "'; drop"):
        for ask in (volumes.is_formatted, volumes.format):
            assert list(ask(bad, refused)) == ["INVALID_ARGUMENT", 87]
        assert list(volumes.mount(bad, claim.staging, refused)) == ["INVALID_ARGUMENT", 87]
        assert list(volumes.resize(bad, 0, refused)) == ["INVALID_ARGUMENT", 87]
    for ask in (volumes.is_formatted, volumes.format):
        assert list(ask(NO_VOLUME, refused)) == ["NOT_FOUND", 1168]
    for path, status, code in (
        (PODS, "PERMISSION_DENIED", 5),
        (r"C:\Windows", "PERMISSION_DENIED", 5),
        (claim.pod + r"\none", "NOT_FOUND", 2),
        ("", "INVALID_ARGUMENT", 161),
    ):
        assert list(volumes.mount(volume, path, refused)) == [status, code]
    running.make(claim.pod + r"\full\inside")
    assert list(volumes.mount(volume, claim.pod + r"\full", refused)) == ["FAILED_PRECONDITION", 145]
    if volumes.has("behind"):
        assert list(volumes.behind(claim.staging, refused)) == ["FAILED_PRECONDITION", 4390]
    assert list(volumes.resize(volume, -1, refused)) == ["INVALID_ARGUMENT", 87]
    assert list(volumes.resize(volume, 1 << 40, refused)) == ["OUT_OF_RANGE", 87]
    assert running.mount_points(volume) == ()


def test_the_systems_volumes_are_nobodys_storage(running, volumes, claim):
    running.make(claim.staging)
    for volume in volumes.on_disk(0):
        for ask in (
            volumes.format,
            lambda volume, say: volumes.mount(volume, claim.staging, say),
            lambda volume, say: volumes.resize(volume, 0, say),
        ):
            assert list(ask(volume, volumes.client.refused)) == ["FAILED_PRECONDITION", 50]
