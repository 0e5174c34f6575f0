import pytest

from csiproxy.errors import FailedPrecondition, NotFound, OutOfRange, Unavailable
from csiproxy.testing.csi_driver.volumes import MIB, SMALLEST, Volumes, serial


@pytest.fixture
def volumes(tmp_path):
    return Volumes(str(tmp_path / "images"), {}, 256 * MIB)


def test_a_size_is_rounded_up_to_what_windows_can_use(volumes):
    assert volumes.create("a", 1, 0).capacity == SMALLEST
    assert volumes.create("b", SMALLEST + 1, 0).capacity == SMALLEST + MIB


def test_there_is_no_more_than_there_is(volumes):
    volumes.create("a", 200 * MIB, 0)
    assert volumes.left() == 56 * MIB
    with pytest.raises(OutOfRange):
        volumes.create("b", 64 * MIB, 0)


def test_a_half_made_volume_is_finished_by_the_next_try(volumes, tmp_path):
    made = volumes.create("a", SMALLEST, 0)
    (tmp_path / "images" / f"{made.id}.json").unlink()
    assert volumes.all() == ()
    assert volumes.create("a", SMALLEST, 0) == made


def test_what_is_on_a_volume_goes_with_it(volumes, tmp_path):
    made = volumes.create("a", SMALLEST, 0)
    (tmp_path / "images" / f"{made.id}.img.d" / "guid").mkdir(parents=True)
    volumes.delete(made.id)
    assert list((tmp_path / "images").iterdir()) == []


@pytest.mark.parametrize("volume_id", ["", "x", "vol-", "vol-../x", "../vol-1", "vol-ä", "vol-1/../../etc"])
def test_an_id_that_is_none_of_ours_is_no_path(volumes, volume_id):
    with pytest.raises(NotFound):
        volumes.get(volume_id)
    with pytest.raises(NotFound):
        volumes.attachments(volume_id)
    volumes.delete(volume_id)


def test_a_volume_grows_where_it_lies(volumes, tmp_path):
    made = volumes.create("a", SMALLEST, 0)
    assert volumes.expand(made.id, 100 * MIB, 0).capacity == 100 * MIB
    assert (tmp_path / "images" / f"{made.id}.img").stat().st_size == 100 * MIB


def test_the_serial_number_is_the_volumes_own(volumes):
    made = volumes.create("a", SMALLEST, 0)
    assert serial(made.id) == made.id[4:].upper()


def test_a_node_that_is_not_there_is_unavailable(tmp_path):
    volumes = Volumes(str(tmp_path / "images"), {"n": str(tmp_path / "none")}, 256 * MIB)
    made = volumes.create("a", SMALLEST, 0)
    with pytest.raises((Unavailable, FailedPrecondition)):
        volumes.attach(made.id, "n", read_only=False)
