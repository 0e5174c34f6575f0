"""The limits are complete, positive and explained."""

import inspect
from dataclasses import fields

import pytest

from csiproxy.rpc import limits
from csiproxy.rpc.limits import Limits


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
def test_a_limit_must_be_greater_than_zero(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Limits(**{name: 0})


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
def test_a_limit_gives_its_reason(name: str) -> None:
    source = inspect.getsource(limits)
    _, _, after = source.partition(f"    {name}: ")
    assert after.splitlines()[1].startswith('    """')


def test_one_request_and_one_reply_fit_into_what_is_held() -> None:
    defaults = Limits()
    assert defaults.message_bytes < defaults.outbox_bytes <= defaults.buffered_bytes_per_client
    assert defaults.message_bytes < defaults.buffered_bytes_per_client


def test_no_client_has_what_is_there_for_all() -> None:
    defaults = Limits()
    assert defaults.connections_per_client < defaults.connections
    assert defaults.buffered_bytes_per_client < defaults.buffered_bytes
    assert defaults.blocking_threads_per_client < defaults.blocking_threads
    assert defaults.streams < defaults.queued_calls_per_client < defaults.queued_calls
