"""Token buckets and the bytes that all connections share."""

from threading import Thread

from hypothesis import given
from hypothesis import strategies as st

from csiproxy.rpc.allowance import Allowance, Budget


def test_a_burst_is_allowed_and_no_more() -> None:
    allowance = Allowance(3, 1.0, 0.0)
    assert [allowance.spend(0.0) for _ in range(4)] == [True, True, True, False]


def test_time_gives_back_at_the_rate() -> None:
    allowance = Allowance(2, 0.5, 0.0)
    assert allowance.spend(0.0)
    assert allowance.spend(0.0)
    assert not allowance.spend(1.0)
    assert allowance.spend(2.0)
    assert not allowance.spend(2.0)


def test_earning_never_goes_beyond_a_burst() -> None:
    allowance = Allowance(2, 0.001, 0.0)
    allowance.earn(1000)
    assert [allowance.spend(0.0) for _ in range(3)] == [True, True, False]
    allowance.earn(1)
    assert allowance.spend(0.0)


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 20)), max_size=50))
def test_nobody_gets_more_than_burst_rate_and_earnings(steps: list[tuple[float, int]]) -> None:
    allowance = Allowance(5, 2.0, 0.0)
    now = 0.0
    got = earned = 0
    for pause, tries in steps:
        now += pause
        got += sum(allowance.spend(now) for _ in range(tries))
        allowance.earn(1)
        earned += 1
    assert got <= 5 + 2.0 * now + earned


def test_a_clock_that_stands_or_goes_back_gives_nothing() -> None:
    allowance = Allowance(1, 100.0, 5.0)
    assert allowance.spend(5.0)
    assert not allowance.spend(1.0)


def test_a_budget_refuses_what_does_not_fit_and_takes_back() -> None:
    budget = Budget(10)
    assert budget.take(7)
    assert not budget.take(4)
    assert budget.take(3)
    budget.give(10)
    assert budget.held == 0


def test_threads_share_a_budget_without_loss() -> None:
    budget = Budget(1000)

    def churn() -> None:
        for _ in range(500):
            if budget.take(3):
                budget.give(3)

    threads = [Thread(target=churn) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert budget.held == 0


def test_a_part_of_a_budget_takes_from_the_whole() -> None:
    whole = Budget(10)
    one, other = Budget(7, whole), Budget(7, whole)
    assert one.take(6)
    assert not one.take(2)
    assert not other.take(5)
    assert other.held == 0
    assert other.take(4)
    assert whole.held == 10
    one.give(6)
    assert whole.held == 4
    assert other.take(3)
    other.give(7)
    assert whole.held == other.held == 0


def test_many_are_drawn_at_once_as_far_as_there_are_any() -> None:
    allowance = Allowance(10, 2.0, 0.0)
    assert allowance.draw(0.0, 4) == 4
    assert allowance.draw(0.0, 32) == 6
    assert allowance.draw(0.25, 32) == 0
    assert allowance.draw(1.0, 32) == 2
    assert allowance.draw(100.0, 32) == 10
