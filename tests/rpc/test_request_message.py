"""The one message of a request, whole and in parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rpc.wire import framed

from csiproxy.errors import Code
from csiproxy.rpc.request_message import fault, fault_so_far, too_large

LIMIT = 100


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", Code.UNIMPLEMENTED),
        (framed(b"")[:4], Code.INTERNAL),
        (framed(b"abc")[:-1], Code.INTERNAL),
        (framed(b"abc", flag=1), Code.INTERNAL),
        (framed(b"abc", flag=2), Code.INTERNAL),
        (framed(b"abc") + b"d", Code.UNIMPLEMENTED),
        (framed(b"abc") * 2, Code.UNIMPLEMENTED),
        (framed(bytes(LIMIT + 1)), Code.RESOURCE_EXHAUSTED),
        (b"\0\xff\xff\xff\xff", Code.RESOURCE_EXHAUSTED),
    ],
)
def test_what_is_not_one_message_has_its_status(data: bytes, code: Code) -> None:
    found = fault(data, LIMIT)
    assert found is not None
    assert found[0] is code


@given(st.binary(max_size=LIMIT))
def test_one_message_is_right_and_no_part_of_it_is_wrong_yet(message: bytes) -> None:
    data = framed(message)
    assert fault(data, LIMIT) is None
    assert [fault_so_far(data[:cut], LIMIT) for cut in range(len(data) + 1)] == [None] * (len(data) + 1)


@given(st.binary(max_size=130))
def test_what_is_wrong_so_far_stays_wrong(data: bytes) -> None:
    for cut in range(len(data)):
        found = fault_so_far(data[:cut], LIMIT)
        if found is not None:
            assert fault(data, LIMIT) is not None
            assert found == fault_so_far(data, LIMIT)


def test_a_size_beyond_the_limit_is_said_with_both() -> None:
    code, text = too_large("reply", 7, 5)
    assert (code, text) == (Code.RESOURCE_EXHAUSTED, "the reply of 7 bytes is larger than the limit of 5")
