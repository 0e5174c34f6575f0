"""Layouts: what other tools make is understood, what is made here passes other tools' checks."""

import subprocess
import uuid
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.emulator.memory_device import MemoryDevice, states_after_a_kill
from tests.emulator.storage_ground import MIB, ext4_superblock

from csiproxy.emulator import gpt, image, partition_table
from csiproxy.emulator.image import Image
from csiproxy.emulator.partition_table import LayoutError, Partition, PartitionStyle, read

GUIDS = [str(uuid.UUID(int=n)) for n in range(1, 20)]


@pytest.fixture
def opened(tmp_path):
    path = str(tmp_path / "disk.img")
    image.create(path, 64 * MIB)
    opened = Image(path)
    yield opened
    opened.close()


def add_data(device, guid: str = GUIDS[5], **other) -> None:
    layout = read(device)
    free = layout.largest_free
    kind = {"mbr_type": 7} if layout.style is PartitionStyle.MBR else {"type": gpt.BASIC_DATA, "guid": guid}
    partition_table.add(device, layout, Partition(0, free.offset, free.size, **kind, **other))


def initialized(device, style: PartitionStyle = PartitionStyle.GPT) -> None:
    if style is PartitionStyle.GPT:
        partition_table.initialize_gpt(device, GUIDS[0], GUIDS[1])
    else:
        partition_table.initialize_mbr(device, 0xDA4B1E8A)
    add_data(device)


# --- made here ---------------------------------------------------------------------------------------------


def test_a_gpt_has_the_partitions_that_windows_makes():
    device = MemoryDevice(64 * MIB)
    initialized(device)
    msr, data = read(device).partitions
    assert (msr.number, msr.offset, msr.end, msr.type) == (1, 17408, 16 * MIB, gpt.MICROSOFT_RESERVED)
    assert (data.number, data.offset, data.end) == (2, 16 * MIB, 63 * MIB)


def test_a_small_disk_gets_no_reserved_partition():
    device = MemoryDevice(16 * MIB)
    initialized(device)
    assert [(part.offset, part.end) for part in read(device).partitions] == [(MIB, 15 * MIB)]


def resized(device, growth: int) -> None:
    device.grow(device.size + growth)
    device.measure()
    layout = read(device)
    data = layout.partitions[-1]
    partition_table.change(device, layout, data, replace(data, size=layout.largest_size(data)))


@pytest.mark.foreign
@pytest.mark.parametrize("grown", [0, 64 * MIB], ids=["fresh", "grown and resized"])
def test_other_tools_find_no_fault_in_our_gpt(foreign, opened, grown):
    initialized(opened)
    if grown:
        resized(opened, grown)
    said = subprocess.run([foreign("sgdisk"), "-v", opened.path], capture_output=True, text=True, check=True)
    assert "No problems found" in said.stdout
    said = subprocess.run(
        [foreign("sfdisk"), "--verify", opened.path], capture_output=True, text=True, check=True
    )
    assert "No errors detected" in said.stdout
    parted = [foreign("parted"), "-s", "-m", opened.path, "unit", "B", "print"]
    said = subprocess.run(parted, capture_output=True, text=True, check=True)
    assert said.stderr == ""
    expected = [f"{p.number}:{p.offset}B:{p.end - 1}B:{p.size}B" for p in read(opened).partitions]
    assert [":".join(line.split(":")[:4]) for line in said.stdout.splitlines()[2:]] == expected


@pytest.mark.foreign
def test_other_tools_find_no_fault_in_a_gpt_that_was_mended_after_a_kill(foreign, opened):
    before = MemoryDevice(opened.size)
    initialized(before)
    after = before.copy()
    add_data_behind(after)
    for state in states_after_a_kill(before, after.writes):
        shown = read(state).partitions
        partition_table.repair(state, read(state))
        for page, data in state.pages.items():
            opened.write(page * state.PAGE, data)
        assert read(opened).partitions == shown
        said = subprocess.run([foreign("sgdisk"), "-v", opened.path], capture_output=True, text=True)
        assert "No problems found" in said.stdout, said.stdout


def add_data_behind(device) -> None:
    """Make room at the end of the last partition, and another partition there."""
    layout = read(device)
    partition_table.change(
        device, layout, layout.partitions[-1], replace(layout.partitions[-1], size=8 * MIB)
    )
    add_data(device, GUIDS[6])


def test_a_table_whose_halves_agree_is_not_written_again():
    device = MemoryDevice(64 * MIB)
    initialized(device)
    for state in (device, device.copy(128 * MIB)):  # also not on a disk that has grown
        state.writes.clear()
        partition_table.repair(state, read(state))
        assert state.writes == []


@pytest.mark.foreign
def test_other_tools_find_no_fault_in_our_mbr(foreign, opened):
    initialized(opened, PartitionStyle.MBR)
    said = subprocess.run(
        [foreign("sfdisk"), "--verify", opened.path], capture_output=True, text=True, check=True
    )
    assert "No errors detected" in said.stdout
    said = subprocess.run([foreign("sfdisk"), "-d", opened.path], capture_output=True, text=True, check=True)
    assert "label-id: 0xda4b1e8a" in said.stdout
    assert "start=        2048, size=      129024, type=7" in said.stdout
    parted = [foreign("parted"), "-s", opened.path, "print"]
    assert subprocess.run(parted, capture_output=True, text=True, check=True).stderr == ""


# --- made elsewhere ----------------------------------------------------------------------------------------


def _run(opened: Image, *command: str, given: str = "") -> None:
    subprocess.run([*command], input=given, text=True, check=True, capture_output=True)
    opened.measure()


@pytest.mark.foreign
def test_a_table_of_sgdisk_is_understood(foreign, opened):
    options = [
        "-n1:2048:+8M",
        "-t1:0700",
        "-c1:data",
        "-u1:" + GUIDS[3],
        "-n5:0:+8M",
        "-t5:8300",
        "-U",
        GUIDS[2],
    ]
    _run(opened, foreign("sgdisk"), *options, opened.path)
    layout = read(opened)
    assert (layout.style, layout.guid) == (PartitionStyle.GPT, GUIDS[2])
    first, second = layout.partitions
    assert (first.number, first.offset, first.size, first.guid) == (1, MIB, 8 * MIB, GUIDS[3])
    assert (first.has_volume, second.has_volume, second.number) == (True, False, 2)


@pytest.mark.foreign
def test_a_gpt_of_sfdisk_is_understood_and_can_be_extended(foreign, opened):
    script = "label: gpt\nsize=8M, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\nsize=4M, type=linux\n"
    _run(opened, foreign("sfdisk"), opened.path, given=script)
    assert [(part.offset, part.size) for part in read(opened).partitions] == [
        (MIB, 8 * MIB),
        (9 * MIB, 4 * MIB),
    ]
    add_data(opened)
    said = subprocess.run([foreign("sgdisk"), "-v", opened.path], capture_output=True, text=True, check=True)
    assert "No problems found" in said.stdout
    assert len(read(opened).partitions) == 3


@pytest.mark.foreign
def test_an_mbr_of_sfdisk_with_logical_partitions_is_understood(foreign, opened):
    lines = ("label: dos", "label-id: 0x12345678", "1 : size=8M, type=7", "2 : size=30M, type=5")
    script = "\n".join((*lines, "5 : size=8M, type=7", "6 : size=8M, type=83", ""))
    _run(opened, foreign("sfdisk"), opened.path, given=script)
    layout = read(opened)
    assert (layout.style, layout.signature) == (PartitionStyle.MBR, 0x12345678)
    assert [(part.number, part.logical, part.has_volume) for part in layout.partitions] == [
        (1, False, True),
        (0, False, False),
        (2, True, True),
        (3, True, False),
    ]
    with pytest.raises(LayoutError, match="logical"):
        partition_table.change(opened, layout, layout.partitions[2], None)
    assert layout.largest_free.offset == 39 * MIB


@pytest.mark.foreign
@pytest.mark.parametrize("label", ["gpt", "msdos"])
def test_a_table_of_parted_is_understood(foreign, opened, label):
    parted = [foreign("parted"), "-s", opened.path, "mklabel", label, "mkpart"]
    _run(opened, *parted, "primary" if label == "msdos" else "data", "ntfs", "1MiB", "32MiB")
    layout = read(opened)
    assert layout.style.name == {"gpt": "GPT", "msdos": "MBR"}[label]
    assert [(part.offset, part.size, part.has_volume) for part in layout.partitions] == [
        (MIB, 31 * MIB, True)
    ]


# --- what is no usable table -------------------------------------------------------------------------------


def test_a_disk_of_zeroes_is_raw():
    layout = read(MemoryDevice(64 * MIB))
    assert (layout.style, layout.foreign, layout.damage, layout.free) == (PartitionStyle.RAW, "", "", ())


def test_a_file_system_without_a_table_is_seen():
    device = MemoryDevice(64 * MIB)
    device.write(1024, ext4_superblock())
    assert read(device).foreign == "ext4"
    device = MemoryDevice(64 * MIB)
    device.write(0, b"\xeb\x52\x90NTFS    ".ljust(510, b"\1") + b"\x55\xaa")
    assert (read(device).style, read(device).foreign) == (PartitionStyle.RAW, "NTFS")


@pytest.mark.parametrize("style", [PartitionStyle.GPT, PartitionStyle.MBR])
def test_a_damaged_table_stays_one_and_is_never_written(style):
    device = MemoryDevice(64 * MIB)
    initialized(device, style)
    for at in (512, 64 * MIB - 512) if style is PartitionStyle.GPT else (446,):
        device.write(at, b"\x7f")
    device.writes.clear()
    layout = read(device)
    assert layout.style is style
    assert layout.damage
    with pytest.raises(LayoutError):
        partition_table.add(device, layout, Partition(0, 16 * MIB, MIB, gpt.BASIC_DATA, GUIDS[7]))
    assert device.writes == []


def test_a_table_of_4096_byte_sectors_is_read():
    device = MemoryDevice(64 * MIB)
    table = gpt.blank(device.size, GUIDS[0], 4096)
    entry = gpt.Entry(gpt.BASIC_DATA, GUIDS[1], 256, 511)
    gpt.write(device, replace(table, entries=(entry, *table.entries[1:])))
    layout = read(device)
    assert layout.sector_size == 4096
    assert [(part.offset, part.size) for part in layout.partitions] == [(MIB, MIB)]


def test_a_full_table_says_so():
    device = MemoryDevice(64 * MIB)
    partition_table.initialize_mbr(device, 1)
    for n in range(4):
        layout = read(device)
        partition_table.add(device, layout, Partition(0, (n + 1) * MIB, MIB, mbr_type=7))
    with pytest.raises(LayoutError, match="no free slot"):
        partition_table.add(device, read(device), Partition(0, 20 * MIB, MIB, mbr_type=7))


# --- kills -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", [PartitionStyle.GPT, PartitionStyle.MBR])
def test_a_kill_while_erasing_leaves_a_table_or_a_raw_disk(style):
    before = MemoryDevice(64 * MIB)
    initialized(before, style)
    after = before.copy()
    partition_table.erase(after)
    found = [read(state) for state in states_after_a_kill(before, after.writes)]
    assert {layout.damage for layout in found} == {""}
    assert {len(layout.partitions) for layout in found} == {0, len(read(before).partitions)}
    assert read(after).style is PartitionStyle.RAW
    assert after.read(64 * MIB - 512, 8) == bytes(8)


def test_free_extents_are_the_gaps():
    device = MemoryDevice(64 * MIB)
    partition_table.initialize_gpt(device, GUIDS[0], GUIDS[1])
    layout = read(device)
    partition_table.add(device, layout, Partition(0, 20 * MIB, 4 * MIB, gpt.BASIC_DATA, GUIDS[2]))
    layout = read(device)
    assert [(gap.offset, gap.end) for gap in layout.free] == [
        (16 * MIB, 20 * MIB),
        (24 * MIB, 64 * MIB - 33 * 512),
    ]
    assert (layout.largest_free.offset, layout.largest_free.end) == (24 * MIB, 63 * MIB)
    msr, data = layout.partitions
    assert layout.largest_size(msr) == msr.size + 4 * MIB
    assert layout.largest_size(data) == 44 * MIB - 33 * 512


def test_a_kill_while_a_copy_gets_its_new_identity_leaves_all_old_or_all_new():
    before = MemoryDevice(64 * MIB)
    initialized(before)
    after = before.copy()
    fresh = iter(GUIDS[10:])
    partition_table.rename_disk(after, read(after), GUIDS[9], 0, lambda: next(fresh))
    found = {
        (layout.guid, *(part.guid for part in layout.partitions))
        for layout in map(read, states_after_a_kill(before, after.writes))
    }
    assert found == {(GUIDS[0], GUIDS[1], GUIDS[5]), (GUIDS[9], GUIDS[10], GUIDS[11])}


steps = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "resize", "grow"]), st.integers(0, 99), st.integers(1, 20)),
    max_size=12,
)


@given(style=st.sampled_from([PartitionStyle.GPT, PartitionStyle.MBR]), steps=steps)
@settings(max_examples=60, deadline=None)
def test_any_sequence_of_changes_keeps_every_other_partition_as_it_was(style, steps):
    device = MemoryDevice(64 * MIB)
    if style is PartitionStyle.GPT:
        partition_table.initialize_gpt(device, GUIDS[0], GUIDS[1])
    else:
        partition_table.initialize_mbr(device, 1)
    fresh = (str(uuid.UUID(int=n)) for n in range(100, 200))
    model = {part.offset: part.size for part in read(device).partitions}
    for step, which, size in steps:
        layout = read(device)
        part = layout.partitions[which % len(layout.partitions)] if layout.partitions else None
        if step == "grow":
            device = device.copy(device.size + size * MIB)
        elif step == "add":
            free = layout.largest_free
            kind = (
                {"mbr_type": 7}
                if style is PartitionStyle.MBR
                else {"type": gpt.BASIC_DATA, "guid": next(fresh)}
            )
            if free.size >= size * MIB and (style is PartitionStyle.GPT or len(model) < 4):
                partition_table.add(device, layout, Partition(0, free.offset, size * MIB, **kind))
                model[free.offset] = size * MIB
        elif part and step == "remove":
            partition_table.change(device, layout, part, None)
            del model[part.offset]
        elif part:
            wanted = min(part.size + size * 512, layout.largest_size(part))
            partition_table.change(device, layout, part, replace(part, size=wanted))
            model[part.offset] = wanted
        assert {part.offset: part.size for part in read(device).partitions} == model
