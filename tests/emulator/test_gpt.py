"""GUID partition tables: read back as written, from any bytes without surprise, whole after any kill."""

import uuid
import zlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.emulator.memory_device import MemoryDevice, states_after_a_kill

from csiproxy.emulator import gpt
from csiproxy.emulator.gpt import Entry, GptError, Half

SIZE = 64 << 20
SECTORS = SIZE // 512
DISK = "11111111-2222-4333-8444-555555555555"


def entry(number: int, first: int, last: int, **other) -> Entry:
    return Entry(gpt.BASIC_DATA, str(uuid.UUID(int=number)), first, last, **other)


def device_with(*entries: Entry, size: int = SIZE, sector_size: int = 512) -> MemoryDevice:
    device = MemoryDevice(size)
    blank = gpt.blank(size, DISK, sector_size)
    gpt.write(device, replace(blank, entries=(*entries, *blank.entries[len(entries) :])))
    device.writes.clear()
    return device


def damage(device: MemoryDevice, offset: int) -> None:
    device.write(offset, bytes([device.read(offset, 1)[0] ^ 0xFF]))
    device.writes.clear()


guids = st.uuids().map(str)
names = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=18)


@st.composite
def tables(draw) -> gpt.Table:
    table = gpt.blank(SIZE, draw(guids), draw(st.sampled_from([512, 4096])))
    edges = draw(
        st.lists(st.integers(table.first_usable, table.last_usable), unique=True, max_size=12).map(sorted)
    )
    found = [
        Entry(draw(guids), draw(guids), first, last - 1, draw(st.integers(0, 2**64 - 1)), draw(names))
        for first, last in zip(edges[::2], edges[1::2], strict=False)
    ]
    slots = draw(st.permutations([*found, *[None] * (128 - len(found))]))
    return replace(table, entries=tuple(slots))


@given(table=tables())
@settings(max_examples=50, deadline=None)
def test_a_table_is_read_back_as_it_was_written(table):
    device = MemoryDevice(SIZE)
    gpt.write(device, table)
    assert gpt.read(device) == table


@given(table=tables())
@settings(max_examples=25, deadline=None)
def test_each_half_alone_gives_the_whole_table(table):
    device = MemoryDevice(SIZE)
    gpt.write(device, table)
    damage(device, table.sector_size)
    assert gpt.read(device) == replace(table, source=Half.BACKUP)
    gpt.write(device, gpt.read(device))
    damage(device, SIZE - table.sector_size)
    assert gpt.read(device) == table


@given(table=tables(), at=st.sampled_from([0, 1]))
@settings(max_examples=25, deadline=None)
def test_halves_agree_until_one_of_them_does_not_hold(table, at):
    device = MemoryDevice(SIZE)
    gpt.write(device, table)
    assert gpt.halves_agree(device, gpt.read(device))
    damage(device, (table.sector_size, SIZE - table.sector_size)[at])
    assert not gpt.halves_agree(device, gpt.read(device))


def test_halves_that_hold_and_say_different_things_do_not_agree():
    one, other = device_with(entry(1, 2048, 4095)), device_with(entry(2, 2048, 4095))
    one.write(SIZE - 33 * 512, other.read(SIZE - 33 * 512, 33 * 512))
    assert not gpt.halves_agree(one, gpt.read(one))


@given(data=st.binary(max_size=4096), at=st.sampled_from([0, 512, 1024, 4096, SIZE - 512, SIZE - 4096]))
@settings(max_examples=100, deadline=None)
def test_arbitrary_bytes_raise_nothing_but_the_modules_error(data, at):
    device = MemoryDevice(SIZE)
    device.write(at, data[: SIZE - at])
    with pytest.raises(GptError):
        gpt.read(device)


@given(
    flips=st.lists(
        st.tuples(
            st.one_of(st.integers(0, 2048), st.integers(SIZE - 2048, SIZE - 1), st.integers(0, SIZE - 1)),
            st.integers(1, 255),
        ),
        min_size=1,
        max_size=8,
    ),
    repair=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_a_mutated_table_is_refused_or_stays_within_its_bounds(flips, repair):
    device = device_with(entry(1, 34, 2047), entry(2, 2048, 65535))
    for offset, bits in flips:
        device.write(offset, bytes([device.read(offset, 1)[0] ^ bits]))
    if repair:  # an attacker computes checksums, too
        for at, array in ((512, 1024), (SIZE - 512, SIZE - 33 * 512)):
            sector = bytearray(device.read(at, 512))
            entries = device.read(array, 128 * 128)
            sector[88:92] = zlib.crc32(entries).to_bytes(4, "little")
            sector[16:20] = zlib.crc32(bytes(sector[:16]) + bytes(4) + bytes(sector[20:92])).to_bytes(
                4, "little"
            )
            device.write(at, bytes(sector))
    try:
        table = gpt.read(device)
    except GptError:
        return
    gpt.check(table)
    assert len(table.entries) <= gpt.MAX_ENTRIES
    assert all(0 < part.first <= part.last < device.size // table.sector_size for part in table.partitions)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (entry(1, 2048, 4095), entry(2, 4095, 8191)),
        (entry(1, 2048, 4095), entry(2, 4096, SECTORS)),
        (entry(1, 4096, 4095), entry(2, 8192, 8200)),
        (entry(1, 33, 4095), entry(2, 8192, 8200)),
        (entry(1, 2048, 4095), entry(1, 4096, 8191)),
    ],
    ids=["overlap", "beyond the end", "ends before it begins", "in the table", "same identifier"],
)
def test_an_impossible_partition_is_never_written(first, second):
    device = MemoryDevice(SIZE)
    blank = gpt.blank(SIZE, DISK)
    with pytest.raises(GptError):
        gpt.write(device, replace(blank, entries=(first, second, *blank.entries[2:])))
    assert device.writes == []


def _initialize(device: MemoryDevice) -> None:
    gpt.write(device, gpt.blank(device.size, DISK))


def _add(device: MemoryDevice) -> None:
    table = gpt.read(device)
    gpt.write(device, replace(table, entries=(table.entries[0], entry(7, 40000, 50000), *table.entries[2:])))


def _shown(device: MemoryDevice) -> object:
    if not gpt.is_protective(device.read(0, 512)):
        return "raw"
    table = gpt.read(device)
    return table.disk_guid, table.partitions


BEFORE = {
    "a raw disk": lambda: (MemoryDevice(SIZE), _initialize),
    "a table": lambda: (device_with(entry(1, 2048, 4095)), _add),
    "a grown disk": lambda: (device_with(entry(1, 2048, 4095)).copy(2 * SIZE), _add),
    "a broken primary header": lambda: (_broken(512), _add),
    "a broken primary array": lambda: (_broken(1024), _add),
    "a broken backup header": lambda: (_broken(SIZE - 512), _add),
    "a grown disk whose primary is broken": lambda: (_broken(512).copy(2 * SIZE), _add),
}


def _broken(offset: int) -> MemoryDevice:
    device = device_with(entry(1, 2048, 4095))
    damage(device, offset)
    return device


@pytest.mark.parametrize("case", BEFORE)
def test_a_kill_at_any_write_leaves_the_old_table_or_the_new_one(case):
    before, change = BEFORE[case]()
    after = before.copy()
    change(after)
    allowed = {str(_shown(before)), str(_shown(after))}
    assert len(allowed) == 2
    for state in states_after_a_kill(before, after.writes):
        assert str(_shown(state)) in allowed


@pytest.mark.parametrize("case", BEFORE)
def test_after_a_kill_the_same_change_can_be_made_again(case):
    before, change = BEFORE[case]()
    after = before.copy()
    change(after)
    for state in states_after_a_kill(before, after.writes):
        change(state)
        assert _shown(state) == _shown(after)
        damage(state, 512)
        assert _shown(state) == _shown(after)


def test_the_backup_follows_the_end_of_a_grown_disk():
    device = device_with(entry(1, 2048, 4095)).copy(2 * SIZE)
    gpt.write(device, gpt.read(device))
    table = gpt.read(device)
    assert table.last_usable == 2 * SECTORS - 34
    assert device.read(2 * SIZE - 512, 8) == b"EFI PART"


def test_a_disk_smaller_than_its_table_is_refused():
    with pytest.raises(GptError, match="beyond the disk's end"):
        gpt.read(device_with(entry(1, 2048, SECTORS - 40)).copy(SIZE // 2))


def test_a_header_that_claims_billions_of_entries_is_not_believed():
    device = device_with()
    sector = bytearray(device.read(512, 512))
    sector[80:84] = (0xFFFFFFFF).to_bytes(4, "little")
    sector[16:20] = zlib.crc32(bytes(sector[:16]) + bytes(4) + bytes(sector[20:92])).to_bytes(4, "little")
    device.write(512, bytes(sector))
    device.write(SIZE - 512, bytes(512))
    with pytest.raises(GptError, match="entries"):
        gpt.read(device)


def test_boot_code_and_a_hybrid_record_are_kept():
    device = device_with(entry(1, 2048, 4095))
    sector = bytearray(device.read(0, 512))
    sector[:4] = b"boot"
    sector[462:478] = bytes([0, 0, 0, 0, 7, 0, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0])
    device.write(0, bytes(sector))
    _add(device)
    assert device.read(0, 512) == bytes(sector)
