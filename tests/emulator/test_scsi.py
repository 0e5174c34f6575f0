"""Commands as the standards spell them, and answers as any target may give them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.emulator import scsi
from csiproxy.emulator.scsi import ScsiError
from csiproxy.host.win32 import Association, CodeSet, IdentifierType


@pytest.mark.parametrize(
    ("cdb", "hexadecimal"),
    [
        (scsi.inquiry(), "12 00 00 00ff 00"),
        (scsi.inquiry(0x83), "12 01 83 00ff 00"),
        (scsi.inquiry(0), "12 01 00 00ff 00"),
        (scsi.report_luns(), "a0 00 00 000000 00000808 0000"),
        (scsi.read_capacity(), "9e 10 0000000000000000 00000020 00 00"),
        (scsi.mode_sense(), "1a 00 3f 00 c0 00"),
        (scsi.read(0x0102030405, 7), "88 00 0000000102030405 00000007 00 00"),
        (scsi.write(1, 0x800), "8a 00 0000000000000001 00000800 00 00"),
        (scsi.synchronize_cache(), "35 00 00000000 00 0000 00"),
    ],
)
def test_a_command_is_what_the_standard_says(cdb, hexadecimal):
    assert cdb == bytes.fromhex(hexadecimal)
    assert len(cdb) in (6, 10, 12, 16)


def test_an_inquiry_tells_type_vendor_and_product():
    data = bytes((0x20, 0, 5, 2, 31, 0, 0, 0)) + b"IET     VIRTUAL-DISK    0001"
    assert scsi.parse_inquiry(data) == scsi.Inquiry(0, "IET", "VIRTUAL-DISK")


def test_luns_are_listed_in_order_and_only_those_addressed_as_usual():
    luns = [
        bytes((0, 3)) + bytes(6),
        bytes((0x41, 2)) + bytes(6),  # flat space, 258
        bytes((0, 0)) + bytes(6),
        bytes((0x80, 1)) + bytes(6),  # logical unit addressing
        bytes((0xC1, 1)) + bytes(6),  # well-known
        bytes((0, 1, 0, 1)) + bytes(4),  # behind a bridge
    ]
    data = (8 * len(luns)).to_bytes(4, "big") + bytes(4) + b"".join(luns)
    assert scsi.parse_luns(data) == [0, 3, 258]
    assert scsi.parse_luns(data[:-20]) == [0, 3, 258]


def test_a_capacity_is_the_last_block_and_one_more():
    data = (131071).to_bytes(8, "big") + (512).to_bytes(4, "big") + bytes(20)
    assert scsi.parse_capacity(data) == scsi.Capacity(131072, 512)
    assert scsi.parse_capacity(data).size == 64 << 20


def test_a_capacity_of_blocks_without_bytes_is_refused():
    with pytest.raises(ScsiError, match="no bytes"):
        scsi.parse_capacity(bytes(32))


@pytest.mark.parametrize(
    ("data", "protected"),
    [(b"", False), (b"\x03\x00", False), (b"\x03\x00\x00\x00", False), (b"\x03\x00\x90\x00", True)],
)
def test_write_protection_stands_in_the_header(data, protected):
    assert scsi.parse_write_protected(data) is protected


def test_a_serial_number_is_read_from_its_page_alone():
    assert scsi.parse_serial(b"\x00\x80\x00\x06 beaf1\0\0junk") == "beaf1"
    assert scsi.parse_serial(b"\x00\x80\x00\x03a\x1bc") == "a?c"
    assert scsi.parse_serial(b"\x00\x83\x00\x02ab") == ""
    assert scsi.parse_serial(b"") == ""


def test_designators_are_read_with_their_kind():
    first = bytes((0x52, 0xA1, 0, 3)) + b"IET"
    second = bytes((0x01, 0x13, 0, 2)) + b"\x60\x01"
    unknown = bytes((0x01, 0x0E, 0, 1)) + b"x"
    page = first + unknown + second + bytes((1, 3, 0, 9)) + b"cut"
    found = scsi.parse_identifiers(b"\x00\x83" + len(page).to_bytes(2, "big") + page)
    assert [(one.code_set, one.type, one.association, one.identifier) for one in found] == [
        (CodeSet.ASCII, IdentifierType.VENDOR_ID, Association.TARGET, b"IET"),
        (CodeSet.BINARY, IdentifierType.FCPH_NAME, Association.PORT, b"\x60\x01"),
    ]


PARSERS = (
    scsi.parse_inquiry,
    scsi.parse_luns,
    scsi.parse_capacity,
    scsi.parse_write_protected,
    scsi.parse_serial,
    scsi.parse_identifiers,
)


@given(st.binary(max_size=300))
def test_no_answer_of_a_target_breaks_a_parser(data):
    for parse in PARSERS:
        try:
            parse(data)
        except ScsiError as error:
            assert str(error)


@given(st.binary(min_size=36, max_size=300))
def test_texts_of_a_target_are_printable(data):
    found = scsi.parse_inquiry(data)
    assert found.vendor.isprintable()
    assert found.product.isprintable()
    assert scsi.parse_serial(data).isprintable()
