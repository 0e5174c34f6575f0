"""Master boot records: read back as written, from any bytes without surprise."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.emulator.memory_device import MemoryDevice, states_after_a_kill

from csiproxy.emulator import mbr
from csiproxy.emulator.mbr import Entry, MbrError, Table

SIZE = 64 << 20
SECTORS = SIZE // 512


def record(*entries: tuple[int, int, int]) -> bytes:
    """A record with (type, first, sectors) in its slots."""
    slots = b"".join(
        struct.pack("<B3sB3sII", 0, bytes(3), kind, bytes(3), first, n) for kind, first, n in entries
    )
    return bytes(446) + slots.ljust(64, b"\0") + b"\x55\xaa"


@st.composite
def tables(draw) -> Table:
    edges = draw(st.lists(st.integers(1, SECTORS), unique=True, max_size=8).map(sorted))
    found = [
        Entry(
            draw(st.sampled_from([1, 4, 6, 7, 0x0B, 0x0C, 0x82, 0x83])),
            first,
            end - first,
            draw(st.booleans()),
        )
        for first, end in zip(edges[::2], edges[1::2], strict=False)
    ]
    slots = draw(st.permutations([*found, *[None] * (4 - len(found))]))
    return Table(draw(st.integers(0, 2**32 - 1)), tuple(slots))


@given(table=tables())
@settings(max_examples=100, deadline=None)
def test_a_record_is_read_back_as_it_was_written(table):
    device = MemoryDevice(SIZE)
    mbr.write(device, table)
    assert mbr.read(device) == table


@given(
    data=st.binary(min_size=64, max_size=64), at=st.integers(0, 8), chain=st.binary(min_size=64, max_size=64)
)
@settings(max_examples=200, deadline=None)
def test_arbitrary_entries_raise_nothing_but_the_modules_error(data, at, chain):
    device = MemoryDevice(SIZE)
    device.write(0, bytes(446) + data + b"\x55\xaa")
    device.write((1 + at) * 512, bytes(446) + chain + b"\x55\xaa")
    try:
        table = mbr.read(device)
    except MbrError:
        return
    assert all(0 < part.first <= part.last < SECTORS for part in table.partitions)


def extended(links: list[int], size: int = 40000) -> MemoryDevice:
    """A disk whose extended partition at 2048 has a record with one logical partition at each place."""
    device = MemoryDevice(SIZE)
    device.write(0, record((0x0F, 2048, size)))
    for place, after in reversed(list(zip(links, [*links[1:], None], strict=True))):
        entries = [(7, 16, 100)]
        if after is not None:
            entries.append((5, after - 2048, 200))
        device.write(place * 512, record(*entries))
    return device


def test_logical_partitions_are_found_in_order():
    table = mbr.read(extended([2048, 4096, 3000]))
    assert [part.first for part in table.partitions] == [2064, 3016, 4112]
    assert [container.first for container in table.containers] == [2048]


def test_an_empty_extended_partition_is_no_fault():
    device = MemoryDevice(SIZE)
    device.write(0, record((5, 2048, 40000)))
    assert mbr.read(device).partitions == ()


@pytest.mark.parametrize(
    "links",
    [[2048, 4096, 2048], [2048, 50000], [2048 + 200 * n for n in range(130)]],
    ids=["a circle", "out of its container", "endless"],
)
def test_a_hostile_chain_is_refused(links):
    with pytest.raises(MbrError):
        mbr.read(extended(links))


@pytest.mark.parametrize(
    "entries",
    [[(7, 2048, 100), (7, 2100, 100)], [(7, SECTORS - 10, 100)], [(7, 0, 100)], [(7, 10, 2**32 - 1)]],
    ids=["overlap", "beyond the end", "over the record itself", "enormous"],
)
def test_an_impossible_partition_is_refused(entries):
    device = MemoryDevice(SIZE)
    device.write(0, record(*entries))
    with pytest.raises(MbrError):
        mbr.read(device)


def test_boot_code_and_logical_partitions_survive_a_change():
    device = extended([2048])
    device.write(0, b"boot" + device.read(4, 508))
    table = mbr.read(device)
    mbr.write(device, Table(0xDA4B1E8A, (*table.primary[:1], Entry(7, 50000, 1000), None, None)))
    assert device.read(0, 4) == b"boot"
    changed = mbr.read(device)
    assert changed.signature == 0xDA4B1E8A
    assert [part.first for part in changed.partitions] == [2064, 50000]


def test_every_change_is_one_sector_so_a_kill_leaves_old_or_new():
    before = MemoryDevice(SIZE)
    after = before.copy()
    mbr.initialize(after, 7)
    mbr.write(after, Table(7, (Entry(7, 2048, 1000), None, None, None)))
    assert [(offset, len(data)) for offset, data in after.writes] == [(0, 512), (0, 512)]
    found = {mbr.is_record(state.read(0, 512)) for state in states_after_a_kill(before, after.writes[:1])}
    assert found == {False, True}


@pytest.mark.parametrize("second", [3000, 2120], ids=["its own record", "the next record"])
def test_a_logical_partition_over_a_record_of_the_chain_is_refused(second):
    device = extended([2048, second])
    first = 0 if second == 3000 else 16
    device.write(2048 * 512, record((7, first, 100), (5, second - 2048, 200)))
    with pytest.raises(MbrError, match="overlaps"):
        mbr.read(device)


TEBIBYTE = 1 << 40


def test_a_partition_that_reaches_beyond_2_tb_can_be_kept_when_another_changes():
    device = MemoryDevice(4 * TEBIBYTE)
    reaching = Entry(7, 1 << 31, (1 << 32) - 1)
    device.write(0, record((7, 2048, 1000), (7, reaching.first, reaching.sectors)))
    table = mbr.read(device)
    mbr.write(device, Table(table.signature, (None, *table.primary[1:])))
    assert mbr.read(device).partitions == (reaching,)


@pytest.mark.parametrize("entry", [Entry(7, 1 << 32, 8), Entry(7, 2048, 1 << 32)], ids=["begin", "length"])
def test_what_32_bits_cannot_say_is_never_written(entry):
    device = MemoryDevice(4 * TEBIBYTE)
    mbr.initialize(device, 7)
    device.writes.clear()
    with pytest.raises(MbrError, match="2 TB"):
        mbr.write(device, Table(7, (entry, None, None, None)))
    assert device.writes == []


# --- the length of a logical partition ---------------------------------------------------------------------


def test_a_logical_partition_has_room_up_to_the_next_record_and_the_last_one_to_the_containers_end():
    table = mbr.read(extended([2048, 4096, 3000]))
    first, last, between = table.logical
    assert [table.room(one) for one in (first, between, last)] == [3000 - 2064, 4096 - 3016, 42048 - 4112]
    for one in (first, between, last):
        with pytest.raises(MbrError, match="room"):
            mbr.resize_logical(MemoryDevice(SIZE), table, one, table.room(one) + 1)


@pytest.mark.parametrize("index", range(3))
def test_a_logical_partition_gets_its_length_and_the_others_keep_theirs(index):
    device = extended([2048, 3000, 4096])
    before = mbr.read(device)
    grown = before.logical[index]
    mbr.resize_logical(device, before, grown, before.room(grown))
    after = mbr.read(device)
    assert [one.first for one in after.logical] == [one.first for one in before.logical]
    kept = [one for one in before.logical if one != grown]
    assert [one for one in after.logical if one.first != grown.first] == kept
    assert after.logical[index].sectors == before.room(grown)
    if index:  # what leads to it reaches over it
        leading = before.records[index - 1].at
        link = mbr._entries(device.read(leading * 512, 512), base=2048)[1]
        assert link.last >= after.logical[index].last


def test_a_kill_while_a_logical_partition_grows_leaves_the_old_or_the_new_length():
    device = extended([2048, 3000, 4096])
    before = device.copy()
    table = mbr.read(device)
    device.writes.clear()
    mbr.resize_logical(device, table, table.logical[1], 900)
    lengths = [
        [one.sectors for one in mbr.read(state).logical]
        for state in states_after_a_kill(before, device.writes)
    ]
    assert all(found in ([100, 100, 100], [100, 900, 100]) for found in lengths)
    assert [100, 900, 100] in lengths


def test_linux_own_extended_partition_is_none_of_windows():
    device = extended([2048])
    device.write(0, record((0x85, 2048, 40000)))
    table = mbr.read(device)
    assert (table.containers, [part.type for part in table.partitions]) == ((), [0x85])
