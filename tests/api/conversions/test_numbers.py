"""Numbers that come as text are digits in range, or refused in one readable line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.calls import outcome
from tests.api.strategies import UNHURRIED

from csiproxy.api.conversions.numbers import disk_number, tcp_port
from csiproxy.errors import InvalidArgument


@UNHURRIED
@given(st.integers(0, 2**32 - 1), st.integers(0, 12))
def test_every_disk_number_is_read_from_decimal_text(number, zeros):
    assert disk_number("0" * zeros + str(number), "diskID") == number


NOT_NUMBERS = [
    "",
    " ",
    "-1",
    "+1",
    "1 ",
    " 1",
    "1\n",
    "0x1",
    "1e3",
    "1_0",
    "1.0",
    "٣",
    "²",
    "4294967296",
    "9" * 5000,
]


@pytest.mark.parametrize("text", NOT_NUMBERS)
def test_anything_else_is_no_disk_number(text):
    with pytest.raises(
        InvalidArgument, match="is not a disk number: give decimal digits, 0 to 4294967295"
    ) as caught:
        disk_number(text, "diskID")
    assert str(caught.value).startswith('diskID "')
    assert len(str(caught.value)) < 500


@UNHURRIED
@given(st.text())
def test_a_text_is_a_disk_number_or_refused_in_one_line(text):
    found = outcome(lambda: disk_number(text, "diskID"))
    if isinstance(found, InvalidArgument):
        assert str(found).isprintable()
        assert len(str(found)) < 800
    else:
        assert text.lstrip("0") == str(found).lstrip("0")
        assert 0 <= found < 2**32


@pytest.mark.parametrize(
    ("text", "port"), [("", 0), ("0", 0), ("3260", 3260), ("65535", 65535), ("00080", 80)]
)
def test_a_port_is_read_from_decimal_text_and_nothing_is_0(text, port):
    assert tcp_port(text, "target_portal_port") == port


@pytest.mark.parametrize("text", [*NOT_NUMBERS[1:], "65536", "iscsi"])
def test_anything_else_is_no_port(text):
    with pytest.raises(
        InvalidArgument, match=r"^target_portal_port .* is not a TCP port: give decimal digits, 1 to 65535"
    ):
        tcp_port(text, "target_portal_port")
