"""FAT32 is read as its own tools write it, and whatever else is there is refused in words."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.emulator.image_store.damage import spoiled
from tests.emulator.image_store.images import Held, Part, make, tool

from csiproxy.emulator.image_store import fat32
from csiproxy.emulator.image_store.facts import Facts, Unreadable

pytestmark = pytest.mark.mounts


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make(str(tmp_path_factory.mktemp("fat") / "volume"), "FAT32", "MY DATA")


def table(path: str) -> int:
    return 512 * int.from_bytes(Part(path).read(14, 2), "little")


def test_size_cluster_and_label_are_what_mkfs_made(path):
    assert fat32.read(Part(path)) == Facts(Part(path).size, 512, "MY DATA", dirty=False)


def test_a_volume_without_a_label_has_none(tmp_path):
    path = str(tmp_path / "volume")
    with open(path, "wb") as file:
        file.truncate(48 << 20)
    tool("mkfs.vfat", "-F", "32", "-s", "1", path)
    assert fat32.read(Part(path)).label == ""


@pytest.mark.parametrize(("where", "value"), [("boot", b"\x01"), ("table", b"\xf7"), ("error", b"\xfb")])
def test_a_volume_that_wants_to_be_checked_says_so(path, where, value):
    at = 65 if where == "boot" else table(path) + 7
    assert fat32.read(spoiled(Part(path), at, value)).dirty


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [
        (11, b"\1\0", "sector or cluster size"),
        (13, b"\3", "sector or cluster size"),
        (16, b"\0", "beyond the partition's end"),
        (32, b"\xff" * 4, "beyond the partition's end"),
        (36, b"\xff" * 4, "beyond the partition's end"),
        (44, b"\0" * 4, "no clusters"),
    ],
)
def test_a_boot_sector_that_cannot_be_is_refused(path, at, value, said):
    with pytest.raises(Unreadable, match=said):
        fat32.read(spoiled(Part(path), at, value))


def test_a_root_directory_without_end_ends_nevertheless(path):
    held = spoiled(spoiled(Part(path), table(path) + 8, b"\2\0\0\0"), fat_root(path), b"\xe5" + bytes(31))
    full = spoiled(held, fat_root(path), (b"\xe5" + bytes(31)) * 16)
    assert fat32.read(full).label == ""


def fat_root(path: str) -> int:
    boot = Part(path).read(0, 64)
    return table(path) + boot[16] * int.from_bytes(boot[36:40], "little") * 512


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_is_anything_but_facts_or_a_refusal(path, data):
    at = data.draw(
        st.one_of(st.integers(0, 511), st.integers(table(path), table(path) + 16), st.just(fat_root(path)))
    )
    value = data.draw(st.binary(min_size=1, max_size=8))
    try:
        assert isinstance(fat32.read(spoiled(Part(path), at, value)), Facts)
    except Unreadable as error:
        assert str(error)


@given(st.binary(max_size=2048))
def test_bytes_that_are_nothing_are_refused(data):
    with pytest.raises(Unreadable):
        fat32.read(Held(data))
