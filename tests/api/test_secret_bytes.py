"""Secrets are taken out of requests' bytes as protobuf would read them."""

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.api import versions
from csiproxy.api.redaction import is_secret
from csiproxy.api.secret_bytes import marked, secret_numbers, take_out

SMB = versions.contract("smb/v1").methods()["/v1.Smb/NewSmbGlobalMapping"].request
NUMBERS = secret_numbers(SMB.DESCRIPTOR)
REQUESTS = [
    method.request for contract in versions.CONTRACTS for method in contract.methods().values()
    if secret_numbers(method.request.DESCRIPTOR)
]  # fmt: skip
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


@pytest.mark.parametrize("request_class", REQUESTS, ids=lambda one: one.DESCRIPTOR.full_name)
@given(st.data())
def test_what_is_left_has_marks_in_their_places(request_class, data) -> None:
    request = request_class()
    secrets = []
    for field in request.DESCRIPTOR.fields:
        if field.type == field.TYPE_STRING:
            setattr(request, field.name, data.draw(TEXTS))
            if is_secret(field):
                secrets.append(field.name)
    found = take_out(request.SerializeToString(), secret_numbers(request.DESCRIPTOR))
    assert found is not None
    clean = request_class.FromString(found.message)
    for field in request.DESCRIPTOR.fields:
        was, now = getattr(request, field.name), getattr(clean, field.name)
        if field.name in secrets:
            assert marked(now, found.secrets).decode() == was
            assert not was or set(now[1:]) <= {"*"}
        else:
            assert now == was


def read(raw: bytes):
    """What protobuf makes of bytes, None where they are no message."""
    try:
        return SMB.FromString(raw)
    except DecodeError:
        return None


@given(st.binary(max_size=60))
def test_bytes_are_read_as_protobuf_reads_them(raw: bytes) -> None:
    found, expected = take_out(raw, NUMBERS), read(raw)
    clean = read(found.message) if found else None
    assert (clean is None) is (expected is None)
    if found and clean and expected:
        assert marked(clean.password, found.secrets).decode() == expected.password
        assert clean.remote_path == expected.remote_path


@pytest.mark.parametrize(
    "raw",
    [
        b"\x22",
        b"\x22\x05abc",
        b"\x22\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x22\x02\xff\xfe",
        b"\x26",
        b"\x23",
        b"\x80" * 11,
        b"\x22\x01a" * 101,
    ],
)
def test_no_message(raw: bytes) -> None:
    assert take_out(raw, NUMBERS) is None


def test_the_last_of_several_counts_as_in_protobuf() -> None:
    raw = b"\x22\x03one\x22\x03two"
    found = take_out(raw, NUMBERS)
    assert found is not None
    assert bytes(marked(SMB.FromString(found.message).password, found.secrets)) == b"two"
    assert [bytes(secret) for secret in found.secrets] == [b"one", b"two"]
