"""The name tag on a volume formatted here: read back as written, and taken for nothing else."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.emulator import boot_sector
from csiproxy.emulator.boot_sector import BootSector, BootSectorError, decode, encode

BOOT = BootSector("11111111-2222-4333-8444-555555555555", "NTFS", "data", 1_700_000_000, 4096)


@given(
    st.builds(
        BootSector,
        st.uuids().map(str),
        st.sampled_from(["", "NTFS", "FAT32"]),
        st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=32),
        st.integers(0, 2**64 - 1),
        st.sampled_from([512, 4096, 65536, 2 << 20]),
    )
)
def test_it_is_read_back_as_written(boot):
    assert len(encode(boot)) == 512
    assert decode(encode(boot)) == boot


@given(st.binary(max_size=600))
def test_other_bytes_are_not_of_this_format(data):
    if data[3:11] != boot_sector.OEM_NAME:
        assert decode(data) is None


@given(st.integers(0, 511), st.integers(1, 255))
def test_a_changed_byte_is_noticed(at, bits):
    sector = bytearray(encode(BOOT))
    sector[at] ^= bits
    if 3 <= at < 11:
        assert decode(bytes(sector)) is None
    else:
        with pytest.raises(BootSectorError):
            decode(bytes(sector))


@pytest.mark.parametrize("label", ["x" * 129, "ü" * 65])
def test_a_label_that_does_not_fit_is_refused(label):
    with pytest.raises(ValueError, match="label"):
        encode(BootSector(BOOT.directory, "NTFS", label))


@pytest.mark.foreign
def test_blkid_takes_it_for_neither_a_file_system_nor_a_disk(foreign, tmp_path):
    path = tmp_path / "volume"
    path.write_bytes(encode(BOOT).ljust(1 << 20, b"\0"))
    done = subprocess.run([foreign("blkid"), "-p", path], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
