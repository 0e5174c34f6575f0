"""A response's headers: well-formed or not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.rpc.hpack import Field
from csiproxy.rpc.request_head import Malformed
from csiproxy.rpc.response_head import parse_response

STATUS = (b":status", b"200")


def test_a_response_is_read() -> None:
    head = parse_response([STATUS, (b"content-type", b"application/grpc"), (b"content-length", b"8")])
    assert (head.status, head.content_length, head.informational) == (b"200", 8, False)
    assert head.fields[b"content-type"] == b"application/grpc"


@pytest.mark.parametrize("status", [b"100", b"103", b"199"])
def test_what_only_announces_a_response_is_told_apart(status: bytes) -> None:
    assert parse_response([(b":status", status)]).informational


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [(b"x", b"y")],
        [(b"x", b"y"), STATUS],
        [STATUS, STATUS],
        [STATUS, (b":path", b"/")],
        [(b":status", b"20")],
        [(b":status", b"2000")],
        [(b":status", b"2x0")],
        [(b":status", b"")],
        [(b":status", b"101")],
        [STATUS, (b"Upper", b"x")],
        [STATUS, (b"connection", b"close")],
        [STATUS, (b"x", b"a\r\nb")],
        [STATUS, (b"content-length", b"many")],
        [STATUS, (b"content-length", b"5"), (b"content-length", b"6")],
    ],
)
def test_what_is_malformed_is_refused(fields: list[Field]) -> None:
    with pytest.raises(Malformed):
        parse_response(fields)


@given(
    st.lists(
        st.tuples(st.binary(max_size=8) | st.sampled_from([b":status", b"te"]), st.binary(max_size=8)),
        max_size=5,
    )
)
def test_any_fields_are_a_response_or_malformed(fields: list[Field]) -> None:
    try:
        head = parse_response(fields)
    except Malformed:
        return
    assert (b":status", head.status) == fields[0]
