"""A call's time, its end, and what it notes."""

import time

import pytest

from csiproxy.errors import Cancelled, DeadlineExceeded
from csiproxy.operations.context import Context


def test_a_call_without_a_deadline_may_wait_as_long_as_it_likes():
    context = Context()
    context.check()
    assert context.remaining(60.0) == 60.0


def test_a_deadline_bounds_every_wait():
    context = Context(deadline=time.monotonic() + 1000)
    context.check()
    assert 0 < context.remaining(5000.0) <= 1000
    assert context.remaining(1.0) == 1.0


def test_a_deadline_that_has_passed_ends_the_call_and_leaves_no_time():
    context = Context(deadline=time.monotonic())
    assert context.remaining(60.0) == 0.0
    with pytest.raises(DeadlineExceeded):
        context.check()


@pytest.mark.parametrize("left", [None, 1000.0])
def test_a_client_that_is_gone_ends_the_call_before_its_deadline(left):
    deadline = None if left is None else time.monotonic() + left
    with pytest.raises(Cancelled):
        Context(deadline=deadline, cancelled=lambda: True).check()


def test_a_call_that_is_cancelled_because_its_deadline_has_passed_says_that():
    with pytest.raises(DeadlineExceeded):
        Context(deadline=time.monotonic(), cancelled=lambda: True).check()


def test_notes_are_kept_in_order_with_their_facts():
    context = Context()
    context.note("bringing-online", disk=3, is_read_only=True)
    context.note("brought-online", disk=3)
    assert [(note.event, dict(note.facts)) for note in context.notes] == [
        ("bringing-online", {"disk": 3, "is_read_only": True}),
        ("brought-online", {"disk": 3}),
    ]
    assert Context().notes == []
