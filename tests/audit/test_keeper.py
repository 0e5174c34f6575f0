"""Work is done when it is due, once however often it was asked for, and nothing ends the thread."""

import threading

from csiproxy.audit.keeper import Keeper


def test_work_is_done_in_a_thread_of_its_own():
    keeper, threads, done = Keeper(), [], threading.Event()

    def work() -> None:
        threads.append(threading.current_thread())
        done.set()

    keeper.ask(work)
    assert done.wait(60)
    assert threads != [threading.current_thread()]
    keeper.close(60)


def test_what_is_asked_for_twice_is_done_once_and_again_later():
    keeper, gate, done, count = Keeper(), threading.Event(), threading.Event(), []

    def hold() -> None:
        gate.wait(60)

    def work() -> None:
        count.append(1)
        done.set()

    keeper.ask(hold)
    for _ in range(5):
        keeper.ask(work)
    gate.set()
    assert done.wait(60)
    assert len(count) == 1
    done.clear()
    keeper.ask(work)
    assert done.wait(60)
    keeper.close(60)
    assert len(count) == 2


def test_a_failure_does_not_end_it():
    keeper, done = Keeper(), threading.Event()

    def fail() -> None:
        raise RuntimeError("this work is broken")

    keeper.ask(fail)
    keeper.ask(done.set, 0.01)
    assert done.wait(60)
    keeper.close(60)


def test_the_end_waits_for_nothing_that_is_not_due():
    keeper, done = Keeper(), threading.Event()
    keeper.ask(done.set, 3600)
    keeper.close(60)
    keeper.ask(done.set)
    assert not done.is_set()


def test_it_needs_no_thread_until_there_is_work():
    before = threading.active_count()
    Keeper().close(60)
    assert threading.active_count() == before
