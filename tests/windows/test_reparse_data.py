r"""Reparse data is written as Windows writes it, and nothing that is read makes it fail."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.errors import Win32Error
from csiproxy.host.win32 import EntryKind
from csiproxy.windows import nt, reparse_data
from csiproxy.windows.reparse_data import ReparsePoint

VOLUME = r"\\?\Volume{0b6cd9c4-3b2c-4f6f-9e0b-0a1b2c3d4e5f}" + "\\"
NAMES = st.text(st.characters(exclude_characters="\\/\0", exclude_categories=()), min_size=1, max_size=40)


def raw(tag: int, substitute: str, shown: str, flags: int | None) -> bytes:
    """Data as the standard describes it, written by hand."""
    one, two = substitute.encode("utf-16-le"), shown.encode("utf-16-le")
    middle = b"" if flags is None else struct.pack("<I", flags)
    body = struct.pack("<HHHH", len(two), len(one), 0, len(two)) + middle + two + one
    return struct.pack("<IHH", tag, len(body), 0) + body


# What "mklink /D link C:\t" leaves, byte by byte, from the layout in [MS-FSCC] 2.1.2.4 and 2.1.2.5.
def test_a_link_to_a_drive_is_laid_out_as_documented():
    substitute, shown = r"\??\C:\t".encode("utf-16-le"), r"C:\t".encode("utf-16-le")
    names = struct.pack("<HHHH", 0, 16, 18, 8)
    body = names + b"\0\0\0\0" + substitute + b"\0\0" + shown + b"\0\0"
    head = b"\x0c\x00\x00\xa0" + struct.pack("<HH", len(body), 0)
    assert reparse_data.symbolic_link(r"C:\t") == head + body


def test_a_mount_point_is_laid_out_as_documented():
    data = reparse_data.mount_point(VOLUME)
    assert data[:4] == b"\x03\x00\x00\xa0"
    assert data[8:16] == struct.pack("<HHHH", 0, 98, 100, 0)
    assert data[16:114].decode("utf-16-le") == "\\??\\" + VOLUME[4:]
    assert data[114:] == b"\0\0\0\0"


@given(names=st.lists(NAMES, max_size=8), server=st.none() | NAMES.filter(lambda name: name[0] not in "?."))
def test_the_target_of_a_link_is_read_back_as_it_was_given(names, server):
    target = "\\".join([f"\\\\{server}\\share" if server else "C:", *names])
    read = reparse_data.read(reparse_data.symbolic_link(target))
    assert read == ReparsePoint(EntryKind.SYMBOLIC_LINK, target)


def test_a_volumes_name_is_read_in_lower_case():
    read = reparse_data.read(reparse_data.mount_point(VOLUME.upper().replace("VOLUME", "Volume")))
    assert read == ReparsePoint(EntryKind.MOUNT_POINT, VOLUME)


@pytest.mark.parametrize(
    ("substitute", "kind", "target"),
    [
        (r"\??\C:\data", EntryKind.JUNCTION, r"C:\data"),
        ("\\??\\" + VOLUME[4:] + "folder", EntryKind.JUNCTION, VOLUME + "folder"),
        ("\\??\\" + VOLUME[4:-1], EntryKind.JUNCTION, VOLUME[:-1]),
        (r"\Device\HarddiskVolume3\x", EntryKind.JUNCTION, r"\Device\HarddiskVolume3\x"),
        (r"\??\UNC\server\share", EntryKind.JUNCTION, r"\\server\share"),
        ("", EntryKind.JUNCTION, ""),
    ],
)
def test_only_a_volumes_root_is_a_mount_point_and_all_else_with_its_tag_a_junction(substitute, kind, target):
    data = raw(nt.IO_REPARSE_TAG_MOUNT_POINT, substitute, "", None)
    assert reparse_data.read(data) == ReparsePoint(kind, target)


@pytest.mark.parametrize(
    ("substitute", "flags", "target"),
    [
        (r"\??\C:\t", 0, r"C:\t"),
        (r"..\t", 1, r"..\t"),
        (r"\??\C:\t", 1, r"\??\C:\t"),  # relative: a name that cannot be, and no path of a drive
        (r"\??\unc\Server\Share\x", 0, r"\\Server\Share\x"),
        ("\\??\\" + VOLUME[4:], 0, VOLUME),
        (r"\??\GLOBALROOT\Device\x", 0, r"\\?\GLOBALROOT\Device\x"),
    ],
)
def test_what_windows_follows_counts_and_not_what_it_shows(substitute, flags, target):
    data = raw(nt.IO_REPARSE_TAG_SYMLINK, substitute, r"C:\innocent", flags)
    assert reparse_data.read(data) == ReparsePoint(EntryKind.SYMBOLIC_LINK, target)


@pytest.mark.parametrize("tag", [0x8000_0013, 0xA000_001D, 0x9000_001A, 0xA000_0003 ^ 1, 0x0000_000C])
def test_other_tags_are_of_unknown_kind_however_alike(tag):
    data = raw(tag, r"\??\C:\t", "", 0)
    assert reparse_data.read(data).kind is EntryKind.OTHER_REPARSE_POINT


@given(st.binary(max_size=64), st.sampled_from([nt.IO_REPARSE_TAG_SYMLINK, nt.IO_REPARSE_TAG_MOUNT_POINT]))
def test_anything_can_be_read(data, tag):
    for given_data in (data, struct.pack("<IHH", tag, len(data), 0) + data, struct.pack("<I", tag) + data):
        found = reparse_data.read(given_data)
        assert found.kind.is_reparse_point
        if found.kind is EntryKind.OTHER_REPARSE_POINT:
            assert found.target == ""


@pytest.mark.parametrize("length", [4096, 40_000])
def test_a_target_that_does_not_fit_is_too_long(length):
    with pytest.raises(Win32Error) as caught:
        reparse_data.symbolic_link("C:\\" + "x" * length)
    assert caught.value.windows_code == 206


def test_what_removes_a_reparse_point_names_its_tag_alone():
    assert reparse_data.without_data(nt.IO_REPARSE_TAG_MOUNT_POINT) == b"\x03\x00\x00\xa0\0\0\0\0"
