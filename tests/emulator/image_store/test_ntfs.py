"""NTFS is read as its own tools write it, and whatever else is there is refused in words."""

import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.emulator.image_store.damage import mark_dirty, spoiled, volume_record
from tests.emulator.image_store.images import Held, Part, make, tool

from csiproxy.emulator.image_store import ntfs
from csiproxy.emulator.image_store.facts import Facts, Unreadable

pytestmark = pytest.mark.mounts


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make(str(tmp_path_factory.mktemp("ntfs") / "volume"), "NTFS", "Füße 日")


def test_size_cluster_and_label_are_what_mkntfs_made(path):
    facts = ntfs.read(Part(path))
    assert facts == Facts(Part(path).size - 512, 4096, "Füße 日", dirty=False)


@pytest.mark.parametrize("cluster", [512, 65536, 131072])
def test_clusters_of_every_size_are_understood(tmp_path, cluster):
    path = str(tmp_path / "volume")
    with open(path, "wb") as file:
        file.truncate(16 << 20)
    tool("mkntfs", "-Q", "-q", "-F", "-c", str(cluster), path)
    assert ntfs.read(Part(path)).cluster == cluster


def test_a_volume_that_wants_to_be_checked_says_so(path, tmp_path):
    copy = str(tmp_path / "copy")
    shutil.copy(path, copy)
    mark_dirty(copy)
    assert ntfs.read(Part(copy)).dirty
    tool("ntfsfix", "-d", copy)
    assert not ntfs.read(Part(copy)).dirty


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [
        (11, b"\0\0", "sector or cluster size"),
        (13, b"\0", "sector or cluster size"),
        (40, b"\xff" * 8, "beyond the partition's end"),
        (48, b"\xff" * 7 + b"\x0f", "beyond the partition's end"),
        (64, b"\0", "size of file records"),
    ],
)
def test_a_boot_sector_that_cannot_be_is_refused(path, at, value, said):
    with pytest.raises(Unreadable, match=said):
        ntfs.read(spoiled(Part(path), at, value))


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [
        (0, b"BAAD", "missing"),
        (4, b"\0\0", "half written"),
        (6, b"\0\0", "no update sequence"),
        (510, b"\xaa\xaa", "half written"),
        (20, b"\xff\xff", "says nothing"),
    ],
)
def test_a_damaged_record_of_the_volume_is_refused(path, at, value, said):
    with pytest.raises(Unreadable, match=said):
        ntfs.read(spoiled(Part(path), volume_record(path) + at, value))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_is_anything_but_facts_or_a_refusal(path, data):
    record = volume_record(path)
    at = data.draw(st.one_of(st.integers(0, 511), st.integers(record, record + 1023)))
    value = data.draw(st.binary(min_size=1, max_size=8))
    try:
        assert isinstance(ntfs.read(spoiled(Part(path), at, value)), Facts)
    except Unreadable as error:
        assert str(error)


@given(st.binary(max_size=2048))
def test_bytes_that_are_nothing_are_refused(data):
    with pytest.raises(Unreadable):
        ntfs.read(Held(data))
