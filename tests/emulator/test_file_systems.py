"""What others have put on a disk is recognised; nothing else is, and no bytes are a surprise."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csiproxy.emulator import boot_sector, file_systems
from csiproxy.emulator.boot_sector import BootSector
from csiproxy.emulator.file_systems import PROBE, recognise_bytes


def fat(name: bytes, at: int) -> bytes:
    sector = bytearray(512)
    sector[0:3], sector[11:14], sector[510:512] = b"\xeb\x3c\x90", b"\x00\x02\x08", b"\x55\xaa"
    sector[at : at + 8] = name
    return bytes(sector)


def ext(compatible: int, incompatible: int) -> bytes:
    block = bytearray(1024)
    block[56:58] = b"\x53\xef"
    block[92:96], block[96:100] = compatible.to_bytes(4, "little"), incompatible.to_bytes(4, "little")
    return bytes(1024) + bytes(block)


KNOWN = {
    "NTFS": (b"\xeb\x52\x90NTFS    ", "NTFS", 14),
    "ReFS": (bytes(3) + b"ReFS\0\0\0\0", "ReFS", 15),
    "exFAT": (b"\xeb\x76\x90EXFAT   ", "exFAT", 0),
    "FAT12": (fat(b"FAT12   ", 54), "FAT", 4),
    "FAT16": (fat(b"FAT16   ", 54), "FAT", 5),
    "FAT32": (fat(b"FAT32   ", 82), "FAT32", 6),
    "ext2": (ext(0, 0), "ext2", 0),
    "ext3": (ext(4, 0), "ext3", 0),
    "ext4": (ext(4, 0x40), "ext4", 0),
    "XFS": (b"XFSB", "XFS", 0),
    "btrfs": (bytes(65536 + 64) + b"_BHRfS_M", "btrfs", 0),
    "LUKS": (b"LUKS\xba\xbe", "LUKS", 0),
    "LVM": (bytes(512) + b"LABELONE", "LVM", 0),
    "swap": (bytes(4086) + b"SWAPSPACE2", "Linux swap", 0),
    "ZFS": (bytes(131072) + (0x00BAB10C).to_bytes(8, "little"), "ZFS", 0),
}


@pytest.mark.parametrize("case", KNOWN)
def test_a_file_system_is_recognised_with_windows_number(case):
    begin, name, number = KNOWN[case]
    found = recognise_bytes(begin.ljust(PROBE, b"\0"))
    assert (found.name, found.type_number) == (name, number)


@given(st.binary(max_size=600))
@settings(max_examples=200)
def test_arbitrary_bytes_never_raise(data):
    recognise_bytes(data)


@given(st.integers(0, 2000))
@settings(max_examples=50)
def test_a_partition_of_any_length_can_be_looked_at(length):
    for begin, _, _ in KNOWN.values():
        recognise_bytes(begin[:length])


def test_our_own_boot_sector_is_no_foreign_file_system():
    sector = boot_sector.encode(BootSector("11111111-2222-4333-8444-555555555555", "NTFS", "data"))
    assert recognise_bytes(sector.ljust(PROBE, b"\0")) is None


@pytest.mark.foreign
@pytest.mark.parametrize("kind", ["ext2", "ext3", "ext4"])
def test_what_mke2fs_makes_is_recognised(foreign, tmp_path, kind):
    path = tmp_path / "disk"
    subprocess.run([foreign("mke2fs"), "-q", "-t", kind, path, "8M"], check=True)
    with open(path, "rb") as file:
        assert file_systems.recognise_bytes(file.read(PROBE)).name == kind


@pytest.mark.foreign
def test_what_mkswap_makes_is_recognised(foreign, tmp_path):
    path = tmp_path / "disk"
    path.write_bytes(bytes(1 << 20))
    subprocess.run([foreign("mkswap"), path], check=True, capture_output=True)
    assert recognise_bytes(path.read_bytes()[:PROBE]).name == "Linux swap"
