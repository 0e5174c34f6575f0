"""exFAT is read as its own tools write it, and whatever else is there is refused in words."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.emulator.image_store.damage import spoiled
from tests.emulator.image_store.images import Held, Part, make

from csiproxy.emulator.image_store import exfat
from csiproxy.emulator.image_store.facts import Facts, Unreadable

pytestmark = pytest.mark.mounts


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make(str(tmp_path_factory.mktemp("exfat") / "volume"), "exFAT", "Füße 日", 8 << 20)


def test_size_cluster_and_label_are_what_mkfs_made(path):
    assert exfat.read(Part(path)) == Facts(Part(path).size, 4096, "Füße 日", dirty=False)


def test_a_volume_without_a_label_has_none(tmp_path):
    assert exfat.read(Part(make(str(tmp_path / "volume"), "exFAT", "", 8 << 20))).label == ""


@pytest.mark.parametrize("flag", [b"\2", b"\4"])
def test_a_volume_that_wants_to_be_checked_says_so(path, flag):
    assert exfat.read(spoiled(Part(path), 106, flag)).dirty


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [
        (108, b"\5", "sector or cluster size"),
        (109, b"\x20", "sector or cluster size"),
        (72, b"\xff" * 8, "beyond the partition's end"),
        (96, b"\0" * 4, "no clusters"),
        (88, b"\xff" * 4, "beyond the partition's end"),
    ],
)
def test_a_boot_sector_that_cannot_be_is_refused(path, at, value, said):
    with pytest.raises(Unreadable, match=said):
        exfat.read(spoiled(Part(path), at, value))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(64, 112), st.binary(min_size=1, max_size=8))
def test_no_damage_is_anything_but_facts_or_a_refusal(path, at, value):
    try:
        assert isinstance(exfat.read(spoiled(Part(path), at, value)), Facts)
    except Unreadable as error:
        assert str(error)


@given(st.binary(max_size=2048))
def test_bytes_that_are_nothing_are_refused(data):
    with pytest.raises(Unreadable):
        exfat.read(Held(data))
