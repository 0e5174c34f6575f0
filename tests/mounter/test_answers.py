"""What failures say about a mount."""

import pytest

from csiproxy.errors import Code, CsiProxyError, NotFound, PermissionDenied, Unavailable
from csiproxy.mounter.answers import is_corrupted_mount, is_refusal


@pytest.mark.parametrize("code", [53, 54, 59, 64, 65, 66, 67, 1219, 1326, 10064])
def test_a_lost_other_end_is_a_corrupted_mount(code):
    assert is_corrupted_mount(Unavailable("the server does not answer", code))
    error = OSError(5, "lost")
    error.winerror = code
    assert is_corrupted_mount(error)


def test_nothing_else_is():
    assert not is_corrupted_mount(NotFound("gone"))
    assert not is_corrupted_mount(OSError(5, "lost"))
    assert not is_corrupted_mount(ValueError("53"))


def test_a_refusal_is_told_from_a_node_that_does_not_answer():
    assert is_refusal(NotFound("gone"))
    assert is_refusal(CsiProxyError("a Go server's text"))
    assert CsiProxyError.code is Code.UNKNOWN
    assert not is_refusal(Unavailable("no answer"))
    assert not is_refusal(PermissionDenied("outside"))
