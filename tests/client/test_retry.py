"""What may be made again, and the pauses in between."""

import pytest

from csiproxy.client.retry import NO_RETRY, Retry, may_repeat
from csiproxy.errors import Code
from csiproxy.rpc.client_protocol import Unprocessed
from csiproxy.rpc.status import RpcError


def test_pauses_double_up_to_the_longest_and_are_one_less_than_the_attempts():
    pauses = list(Retry(attempts=6, first=1.0, longest=4.0).pauses())
    assert len(pauses) == 5
    for pause, whole in zip(pauses, (1.0, 2.0, 4.0, 4.0, 4.0), strict=True):
        assert whole / 2 <= pause <= whole
    assert list(NO_RETRY.pauses()) == []


@pytest.mark.parametrize(
    ("error", "repeatable", "may"),
    [
        (RpcError(Code.UNAVAILABLE, "lost"), True, True),
        (RpcError(Code.UNAVAILABLE, "lost"), False, False),
        (Unprocessed(Code.UNAVAILABLE, "never looked at"), False, True),
        (RpcError(Code.ABORTED, "held by another"), False, True),
        (RpcError(Code.NOT_FOUND, "no such disk"), True, False),
        (RpcError(Code.DEADLINE_EXCEEDED, "too late"), True, False),
        (RpcError(Code.UNKNOWN, "a Go server's text"), True, False),
    ],
)
def test_only_what_passes_and_cannot_have_happened_twice_is_made_again(error, repeatable, may):
    assert may_repeat(error, repeatable=repeatable) is may
