"""Statuses and deadlines in headers, both ways."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from csiproxy.errors import Code
from csiproxy.rpc.status import (
    RpcError,
    decode_details,
    decode_message,
    encode_details,
    encode_message,
    encode_timeout,
    parse_timeout,
    status_code,
)


def test_an_error_shows_its_code_and_its_message() -> None:
    error = RpcError(Code.NOT_FOUND, "disk 7 does not exist", b"details")
    assert str(error) == "NOT_FOUND: disk 7 does not exist"
    assert (error.code, error.message, error.details) == (Code.NOT_FOUND, "disk 7 does not exist", b"details")


@pytest.mark.parametrize("code", Code)
def test_every_code_is_read_back(code: Code) -> None:
    assert status_code(b"%d" % code) is code


@pytest.mark.parametrize(
    "value", [b"", b"17", b"99", b"-1", b"1.0", b"x", b"0000000000000000005", "٣".encode()]
)
def test_what_is_no_code_is_unknown(value: bytes) -> None:
    assert status_code(value) is Code.UNKNOWN


@given(st.text(st.characters(exclude_categories=("Cs",))))
@example("100%")
@example("%41")
@example(" ")
@example(" two words ")
def test_a_message_survives_the_wire(text: str) -> None:
    encoded = encode_message(text, 1 << 20)
    assert all(0x20 <= byte <= 0x7E for byte in encoded)
    assert encoded == encoded.strip(b" ")
    assert decode_message(encoded) == text


@given(st.text(), st.integers(0, 50))
def test_a_long_message_is_cut_between_characters(text: str, size: int) -> None:
    encoded = encode_message(text, size)
    assert len(encoded) <= size
    whole = text.encode("utf-8", "replace").decode()
    assert whole.startswith(decode_message(encoded))


@given(st.binary())
@example(b"%")
@example(b"%4")
@example(b"%zz")
@example(b"%+1")
@example(b"%ff%e2%82")
def test_any_bytes_are_read_as_a_message(value: bytes) -> None:
    decode_message(value)


def test_a_broken_escape_stays_as_it_is() -> None:
    assert decode_message(b"50% of %4x is %C3%BC") == "50% of %4x is ü"


@given(st.binary())
def test_details_survive_the_wire_without_padding(details: bytes) -> None:
    encoded = encode_details(details)
    assert b"=" not in encoded
    assert b"\n" not in encoded
    assert decode_details(encoded) == details
    assert decode_details(encoded + b"=" * (-len(encoded) % 4)) == details


@given(st.binary())
def test_any_bytes_are_read_as_details(value: bytes) -> None:
    decode_details(value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"1H", 3600),
        (b"2M", 120),
        (b"3S", 3),
        (b"4m", 0.004),
        (b"5u", 5e-6),
        (b"6n", 6e-9),
        (b"0n", 0),
        (b"99999999H", 359999996400),
    ],
)
def test_each_unit_of_a_timeout_is_known(value: bytes, seconds: float) -> None:
    assert parse_timeout(value) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "value", [b"", b"S", b"1", b"1s", b"-1S", b"1.5S", b" 1S", b"123456789S", b"1SS", "١S".encode()]
)
def test_a_malformed_timeout_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match="grpc-timeout"):
        parse_timeout(value)


@given(st.binary(max_size=12))
def test_any_bytes_are_a_timeout_or_a_value_error(value: bytes) -> None:
    try:
        assert parse_timeout(value) >= 0
    except ValueError:
        return


@given(st.floats(0, 3e11))
def test_a_timeout_is_never_shortened_and_hardly_lengthened(seconds: float) -> None:
    encoded = encode_timeout(seconds)
    assert len(encoded) <= 9
    back = parse_timeout(encoded)
    assert back >= seconds or math.isclose(back, seconds, rel_tol=1e-6)
    assert back <= seconds + max(1e-6, seconds / 1000)


def test_a_timeout_in_the_past_and_one_beyond_all_are_bounded() -> None:
    assert encode_timeout(-5) == b"0u"
    assert encode_timeout(1e15) == b"99999999H"
