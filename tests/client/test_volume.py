"""The volume group through every version of it."""

import pytest
from tests.client.conftest import MIB, names, only

from csiproxy.client import VolumeStats
from csiproxy.errors import FailedPrecondition, InvalidArgument, NotFound, Unimplemented


@pytest.mark.parametrize("name", names("volume"))
def test_a_volume_is_formatted_mounted_and_grown_in_every_version(name, node, client, disk, place, tmp_path):
    client.disk.partition_disk(disk)
    with only(node, tmp_path, name) as old:
        [volume] = old.volume.list_volumes_on_disk(disk)
        assert old.volume.is_volume_formatted(volume) is False
        old.volume.format_volume(volume)
        assert old.volume.is_volume_formatted(volume) is True
        with pytest.raises(FailedPrecondition):
            old.volume.format_volume(volume)
        old.volume.mount_volume(volume, place)
        assert client.filesystem.is_symlink(place)
        node.grow(disk, 128 * MIB)
        client.disk.rescan()
        old.volume.resize_volume(volume)
        assert client.volume.get_volume_stats(volume).total_bytes > 100 * MIB
        old.volume.unmount_volume(volume, place)
        assert not client.filesystem.is_symlink(place)


@pytest.mark.parametrize("name", names("volume")[1:])
def test_a_volume_is_looked_up_and_measured_in_every_version_that_can(
    name, node, client, disk, volume, place, tmp_path
):
    client.volume.mount_volume(volume, place)
    with only(node, tmp_path, name) as old:
        assert old.volume.get_volume_id_from_target_path(place) == volume
        assert old.volume.get_disk_number_from_volume_id(volume) == disk
        stats = old.volume.get_volume_stats(volume)
        assert 0 < stats.used_bytes < stats.total_bytes <= 64 * MIB
        assert stats.available_bytes == stats.total_bytes - stats.used_bytes
        assert isinstance(stats, VolumeStats)
        with pytest.raises(NotFound):
            old.volume.get_volume_id_from_target_path(place + "-missing")


def test_the_newest_version_names_partitions_flushes_and_finds_the_volume_around_a_path(
    client, disk, volume, place
):
    assert client.volume.list_volumes_on_disk(disk, 1) in ((volume,), ())
    client.volume.write_volume_cache(volume)
    client.volume.mount_volume(volume, place)
    assert client.volume.get_closest_volume_id_from_target_path(place) == volume


def test_an_old_version_refuses_what_it_cannot_ask(node, disk, volume, tmp_path):
    with only(node, tmp_path, "volume/v1alpha1") as client:
        with pytest.raises(InvalidArgument, match="cannot name a partition"):
            client.volume.list_volumes_on_disk(disk, 1)
        with pytest.raises(Unimplemented):
            client.volume.get_volume_stats(volume)


def test_a_disk_without_volumes_has_none(client, disk):
    assert client.volume.list_volumes_on_disk(disk) == ()
