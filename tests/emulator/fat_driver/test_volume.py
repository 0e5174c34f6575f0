"""The table: no cluster has two owners, none is lost, and both copies say the same."""

import errno
import os
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from csiproxy.emulator.fat_driver.volume import Volume, geometry

pytestmark = pytest.mark.foreign


def test_a_fresh_volume_is_all_free_but_the_root(disk):
    with disk.volume() as volume:
        assert volume.free == volume.geometry.clusters - 1
        assert volume.chain(volume.geometry.root) == [2]
        assert volume.chain(0) == []
    disk.check()


def test_what_is_taken_is_given_back(disk):
    with disk.volume() as volume:
        free, chain = volume.free, []
        volume.extend(chain, 300)
        volume.write_table()
        assert volume.chain(chain[0]) == chain
        assert volume.free == free - 300
        volume.cut(chain, 100)
        assert volume.chain(chain[0]) == chain
        volume.cut(chain, 0)
        assert (chain, volume.free) == ([], free)
    disk.check()


def test_a_volume_gives_no_more_than_it_has(disk):
    with disk.volume() as volume:
        chain = []
        with pytest.raises(OSError) as full:
            volume.extend(chain, volume.free + 1)
        assert (full.value.errno, chain) == (errno.ENOSPC, [])
        volume.extend(chain, volume.free)
        assert len(set(chain)) == volume.geometry.clusters - 1
        volume.cut(chain, 0)
    disk.check()


def test_data_are_where_their_chain_says(disk):
    with disk.volume() as volume:
        first, second = [], []
        for _ in range(4):  # interleaved, so that no chain is in one piece
            volume.extend(first, 1)
            volume.extend(second, 1)
        volume.write(first, 0, b"1" * 2048)
        volume.write(second, 500, b"2" * 1000)
        assert volume.read(first, 0, 9999) == b"1" * 2048
        assert volume.read(second, 499, 1002) == b"\0" + b"2" * 1000 + b"\0"
        assert volume.read(second, 2048, 10) == b""


def test_a_volume_in_use_is_marked_until_it_is_closed(disk):
    table = struct.unpack_from("<H", disk.bytes_at(0, 16), 14)[0] * 512

    def closed_well():
        return bool(disk.bytes_at(table + 7, 1)[0] & 0x08)

    with disk.volume():
        assert not closed_well()
    assert closed_well()
    disk.damage(table + 7, b"\x07")
    with disk.volume():
        pass
    assert not closed_well()


def test_a_volume_that_is_read_only_is_not_written(disk):
    before = disk.bytes_at(0, 1 << 22)
    with disk.volume(read_only=True) as volume:
        volume.sync()
    assert disk.bytes_at(0, 1 << 22) == before


@pytest.mark.parametrize(
    "value", [b"\x00\x00\x00\x00", b"\xff\xff\xff\x00", b"\x02\x00\x00\x00", b"\xf7\xff\xff\x0f"]
)
def test_a_chain_that_does_not_hold_is_an_error(disk, value):
    with disk.volume() as volume:
        at = volume.geometry.table + 8
    disk.damage(at, value)
    with disk.volume() as volume:
        with pytest.raises(OSError) as refusal:
            volume.chain(2)
        assert refusal.value.errno == errno.EIO
        with pytest.raises(OSError):
            volume.chain(1 << 27)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(11, 52), st.binary(min_size=1, max_size=4))
def test_a_boot_sector_is_sound_or_refused(disk, at, value):
    boot = bytearray(disk.bytes_at(0, 512))
    boot[at : at + len(value)] = value
    try:
        found = geometry(bytes(boot), 40 << 20)
    except OSError as error:
        assert error.errno == errno.EINVAL
    else:
        assert found.data + found.clusters * found.cluster <= 40 << 20
        assert 4 * (found.clusters + 2) <= found.table_size


def test_what_is_shorter_than_it_says_cannot_be_opened(disk):
    os.truncate(disk.path, 1 << 20)
    descriptor = os.open(disk.path, os.O_RDWR)
    with pytest.raises(OSError):
        Volume(descriptor, read_only=False)
    os.close(descriptor)
