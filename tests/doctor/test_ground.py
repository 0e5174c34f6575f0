"""What self-tests work on goes away with them, whatever happens in between."""

import pytest

from csiproxy.doctor.ground import expect
from csiproxy.doctor.outcome import Differs
from csiproxy.host.win32 import EntryKind


class Broken(Exception):
    pass


def test_a_disk_and_a_directory_go_when_a_self_test_breaks_off(ground):
    def break_off():
        with ground.volume() as own, ground.scratch() as scratch:
            ground.host.win32.create_directory(scratch.directory, "stage")
            ground.host.win32.set_mount_point(scratch.directory, "stage", own.volume.id)
            raise Broken

    with pytest.raises(Broken):
        break_off()
    assert [disk.number for disk in ground.storage.disks.all()] == [0]


def test_a_disk_comes_online_to_be_used(ground, node):
    with ground.disks.attach(64 << 20, held_back=True) as own:
        assert ground.storage.disks.get(own.number).is_offline
    with ground.raw_disk() as (_, disk):
        assert not disk.is_offline


def test_a_directory_is_empty_and_named_by_its_path(ground):
    with ground.scratch() as scratch:
        assert ground.host.win32.entries(scratch.directory) == []
        assert ground.host.win32.final_path(scratch.directory) == scratch.path
        ground.host.win32.create_directory(scratch.directory, "x")
        assert ground.host.win32.entry(scratch.directory, "x").kind is EntryKind.DIRECTORY


def test_what_is_not_as_expected_is_told():
    expect(1, 1, "it")
    with pytest.raises(Differs, match="it: 2, not 1"):
        expect(2, 1, "it")
