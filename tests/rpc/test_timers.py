"""Timers on a clock that the test holds."""

import pytest

from csiproxy.rpc.timers import Timers


class Item:
    def __init__(self, heard: list[float]) -> None:
        self.over = False
        self.heard = heard

    def due(self, now: float) -> None:
        self.heard.append(now)


@pytest.fixture
def woken() -> list[int]:
    return []


@pytest.fixture
def timers(woken: list[int]) -> Timers:
    return Timers(lambda: woken.append(1))


def test_without_timers_the_poller_may_sleep_for_ever(timers: Timers) -> None:
    assert timers.timeout(0.0) is None


def test_the_earliest_timer_decides(timers: Timers) -> None:
    for when in (5.0, 3.0, 4.0):
        timers.add(when, Item([]))
    assert timers.timeout(1.0) == 2.0
    assert timers.timeout(10.0) == 0.0


def test_what_is_due_is_told_once_and_in_order(timers: Timers) -> None:
    first: list[float] = []
    second: list[float] = []
    timers.add(2.0, Item(second))
    timers.add(1.0, Item(first))
    timers.expire(0.5)
    assert (first, second) == ([], [])
    timers.expire(1.5)
    assert (first, second) == ([1.5], [])
    timers.expire(9.0)
    assert (first, second) == ([1.5], [9.0])
    assert timers.timeout(9.0) is None


def test_what_is_over_is_neither_waited_for_nor_told(timers: Timers) -> None:
    heard: list[float] = []
    item = Item(heard)
    timers.add(1.0, item)
    timers.add(5.0, Item([]))
    item.over = True
    assert timers.timeout(0.0) == 5.0
    timers.expire(2.0)
    assert heard == []


def test_an_earlier_timer_wakes_a_sleeping_poller_and_a_later_one_does_not(
    timers: Timers, woken: list[int]
) -> None:
    timers.add(5.0, Item([]))
    assert woken == []  # nobody sleeps yet
    timers.timeout(0.0)
    timers.add(6.0, Item([]))
    assert woken == []
    timers.add(4.0, Item([]))
    assert woken == [1]
    timers.expire(0.0)
    timers.add(3.0, Item([]))
    assert woken == [1]  # awake, it will look anyway


def test_a_first_timer_wakes_a_poller_that_sleeps_for_ever(timers: Timers, woken: list[int]) -> None:
    timers.timeout(0.0)
    timers.add(4.0, Item([]))
    assert woken == [1]


def test_timers_of_what_is_over_do_not_pile_up(timers: Timers) -> None:
    for number in range(10_000):
        item = Item([])
        timers.add(1000.0 + number, item)
        item.over = True
    assert len(timers._heap) < 200


def test_a_timer_may_add_another_while_it_is_told(timers: Timers) -> None:
    class Again(Item):
        def due(self, now: float) -> None:
            super().due(now)
            if len(self.heard) < 3:
                timers.add(now, self)

    heard: list[float] = []
    timers.add(1.0, Again(heard))
    for _ in range(5):
        timers.expire(1.0)
    assert heard == [1.0, 1.0, 1.0]
