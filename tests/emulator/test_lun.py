"""A unit of a real target as the sectors of a disk."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.iscsi_target import MIB

from csiproxy.emulator import lun
from csiproxy.emulator.iscsi_chap import NO_CHAP
from csiproxy.emulator.iscsi_link import Link
from csiproxy.emulator.iscsi_records import Portal
from csiproxy.emulator.iscsi_status import IscsiFailure
from csiproxy.errors import Win32Error
from csiproxy.host.win32 import IdentifierType

pytestmark = pytest.mark.foreign
SIZE = 4 * MIB


@pytest.fixture
def link(target_server):
    iqn = target_server.offer(size=SIZE, luns=2)
    link = Link("iqn.x:test", Portal(target_server.address, target_server.port), iqn, NO_CHAP)
    yield link
    link.close()


@pytest.fixture
def unit(link):
    return lun.Lun("iscsi:test,1", lun.units(link)[0], lambda: link)


def code_of(call) -> int:
    with pytest.raises(Win32Error) as caught:
        call()
    return caught.value.windows_code


def test_a_targets_disks_are_listed_and_its_controller_is_not(link):
    first, second = lun.units(link)
    assert (first.lun, second.lun) == (1, 2)
    assert (first.vendor, first.product, first.serial) == ("IET", "VIRTUAL-DISK", "disk1")
    assert (first.size, first.write_protected) == (SIZE, False)
    kinds = {one.type for one in first.identifiers}
    assert {IdentifierType.VENDOR_ID, IdentifierType.FCPH_NAME} <= kinds
    assert first.identifiers != second.identifiers


def test_units_of_a_lost_target_are_not_none(target_server, link):
    target_server.kill()
    with pytest.raises(IscsiFailure):
        lun.units(link)


def test_sectors_are_the_targets_own(target_server, unit):
    assert (unit.size, unit.measure(), unit.identity) == (SIZE, SIZE, None)
    unit.write(512, b"x" * 1024)
    unit.sync()
    assert unit.read(512, 1024) == b"x" * 1024
    with open(target_server.image(), "rb") as file:
        assert file.read()[:2048] == bytes(512) + b"x" * 1024 + bytes(512)


def test_more_than_one_transfer_is_one_read_and_one_write(unit):
    data = bytes(range(256)) * 4096 * 3
    unit.write(MIB // 2, data)
    assert unit.read(MIB // 2, len(data)) == data


def test_reading_ends_at_the_end_and_writing_beyond_it_is_refused(unit):
    assert len(unit.read(SIZE - 512, 4096)) == 512
    assert unit.read(SIZE, 512) == b""
    assert code_of(lambda: unit.write(SIZE - 512, bytes(1024))) == 87
    assert code_of(lambda: unit.write(-512, bytes(512))) == 87


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=1500)), max_size=4))
def test_bytes_within_sectors_behave_as_in_a_file(unit, writes):
    model = bytearray(unit.read(0, 8192))
    for offset, data in writes:
        unit.write(offset, data)
        model[offset : offset + len(data)] = data
        assert unit.read(offset, len(data)) == data
    assert unit.read(0, 8192) == model
    assert unit.read(100, 1000) == model[100:1100]


def test_it_grows_on_its_target_alone(unit):
    assert code_of(lambda: unit.grow(2 * SIZE)) == 50


def test_a_lost_target_is_an_io_error_and_keeps_its_size(target_server, unit):
    target_server.kill()
    assert code_of(lambda: unit.read(0, 512)) == 1117
    assert code_of(lambda: unit.write(0, bytes(512))) == 1117
    assert code_of(unit.sync) == 1117
    assert unit.measure() == SIZE
    unit.check_length()


def test_a_unit_that_was_taken_away_is_an_io_error(unit):
    unit.close()
    assert code_of(lambda: unit.read(0, 512)) == 1117


def test_a_unit_that_is_write_protected_says_19(target_server, link, unit):
    target_server.protect("disk", 1)
    assert lun.units(link)[0].write_protected
    assert code_of(lambda: unit.write(0, bytes(512))) == 19


def test_units_of_other_blocks_or_too_small_are_no_disks(target_server):
    iqn = target_server.offer("small", size=MIB // 2)
    link = Link("iqn.x:test", Portal(target_server.address, target_server.port), iqn, NO_CHAP)
    assert lun.units(link) == []
    link.close()


def test_a_name_tells_target_and_number():
    assert lun.unit_name("iqn.x:y", 3) == "iscsi:iqn.x:y,3"
