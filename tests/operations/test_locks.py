"""One operation at a time on an object: in order, not for ever, and nothing is left behind.

No test waits for time to pass: every thread says when it has come as far as it should.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from csiproxy.emulator import locks as node_locks
from csiproxy.errors import (
    Aborted,
    Cancelled,
    CsiProxyError,
    DeadlineExceeded,
    HostUnreachable,
    Unavailable,
    Win32Error,
    WindowsCode,
)
from csiproxy.operations.context import Context
from csiproxy.operations.locks import WAITERS, Locks

# A thread that has not come this far by then never will.
FAR = 30


@pytest.fixture
def directory(tmp_path) -> str:
    return str(tmp_path)


@pytest.fixture
def locks(directory) -> Locks:
    return proxy(directory)


def proxy(directory: str, **options) -> Locks:
    """The locks of one proxy on the node whose lock files are in ``directory``."""
    return Locks(lambda name, seconds: node_locks.held(directory, name, seconds), **options)


class Caller:
    """A thread that takes a lock and keeps it until it is told to let go."""

    def __init__(
        self, locks: Locks, name: str, context: Context | None = None, log: list | None = None
    ) -> None:
        self.context = context or Context()
        self.inside = threading.Event()
        self.go = threading.Event()
        self.error: BaseException | None = None
        self._log = log
        self._thread = threading.Thread(target=self._run, args=(locks, name), daemon=True)
        self._thread.start()

    def _run(self, locks: Locks, name: str) -> None:
        try:
            with locks.hold(self.context, name):
                if self._log is not None:
                    self._log.append(self)
                self.inside.set()
                assert self.go.wait(FAR)
        except BaseException as error:  # noqa: BLE001 - whoever waits for the thread looks at it
            self.error = error

    def enter(self) -> "Caller":
        assert self.inside.wait(FAR)
        return self

    def leave(self) -> "Caller":
        self.go.set()
        return self.end()

    def end(self) -> "Caller":
        self._thread.join(FAR)
        assert not self._thread.is_alive()
        return self


class Watched(Context):
    """A context that tells when its call has begun to wait."""

    def __init__(self, deadline: float | None = None) -> None:
        self.gone = threading.Event()
        self.asked = threading.Semaphore(0)
        super().__init__(deadline=deadline, cancelled=self.gone.is_set)

    def remaining(self, at_most: float) -> float:
        self.asked.release()
        return super().remaining(at_most)

    def waits(self) -> "Watched":
        assert self.asked.acquire(timeout=FAR)
        return self


def queue(locks: Locks, name: str, count: int, log: list | None = None) -> list[Caller]:
    """Callers that wait, in the order in which they came."""
    waiting = []
    for _ in range(count):
        context = Watched()
        waiting.append(Caller(locks, name, context, log))
        context.waits()
    return waiting


def assert_free(locks: Locks, name: str) -> None:
    """The object can be had at once, and nothing remembers it afterwards."""
    with locks.hold(Context(deadline=time.monotonic() + FAR), name):
        pass
    assert locks._queues == {}


def test_one_object_is_held_by_one_caller_and_others_are_free(locks):
    holder = Caller(locks, "disk 1").enter()
    [second] = queue(locks, "disk 1", 1)
    with locks.hold(Context(), "disk 2"):
        assert not second.inside.is_set()
    holder.leave()
    second.enter().leave()
    assert_free(locks, "disk 1")


def test_waiters_get_their_turns_in_the_order_in_which_they_came(locks):
    log: list[Caller] = []
    holder = Caller(locks, "disk 1").enter()
    waiting = queue(locks, "disk 1", 6, log)
    for caller in waiting:
        caller.go.set()
    holder.leave()
    for caller in waiting:
        caller.end()
    assert log == waiting


def test_sixteen_may_wait_and_the_next_is_told_to_come_back(locks):
    assert WAITERS == 16
    holder = Caller(locks, "disk 1").enter()
    waiting = queue(locks, "disk 1", 16)
    with pytest.raises(Aborted) as caught, locks.hold(Context(), "disk 1"):
        pytest.fail("the lock was given away")
    assert caught.value.windows_code == WindowsCode.BUSY
    with locks.hold(Context(), "disk 2"):
        pass  # the limit is one object's own
    for caller in [holder, *waiting]:
        caller.go.set()
    for caller in [holder, *waiting]:
        assert caller.end().error is None
    assert_free(locks, "disk 1")


def test_a_deadline_ends_the_wait(locks):
    holder = Caller(locks, "disk 1").enter()
    with pytest.raises(DeadlineExceeded), locks.hold(Context(deadline=time.monotonic()), "disk 1"):
        pytest.fail("the lock was given away")
    holder.leave()
    assert_free(locks, "disk 1")


def test_a_cancelled_caller_leaves_the_queue_and_the_next_moves_up(locks):
    holder = Caller(locks, "disk 1").enter()
    context = Watched()
    quitter = Caller(locks, "disk 1", context)
    context.waits()
    [last] = queue(locks, "disk 1", 1)
    context.gone.set()
    assert isinstance(quitter.end().error, Cancelled)
    holder.leave()
    last.enter().leave()
    assert_free(locks, "disk 1")


def test_a_caller_that_is_gone_by_its_turn_does_not_hold_the_lock(locks):
    with pytest.raises(Cancelled), locks.hold(Context(cancelled=lambda: True), "disk 1"):
        pytest.fail("the lock was given to nobody")
    assert_free(locks, "disk 1")


def test_a_wait_ends_after_its_limit_with_the_code_of_a_busy_object(directory):
    locks = proxy(directory, seconds=0.0)
    holder = Caller(proxy(directory), "disk 1").enter()  # another proxy; its queue is not ours
    with pytest.raises(Aborted), locks.hold(Context(), "disk 1"):
        pytest.fail("the lock was given away")
    holder.leave()
    inside = Caller(locks, "disk 1").enter()
    with pytest.raises(Aborted) as caught, locks.hold(Context(), "disk 1"):
        pytest.fail("the lock was given away")
    assert caught.value.windows_code == WindowsCode.BUSY
    inside.leave()
    assert_free(locks, "disk 1")


def test_another_proxys_hold_is_respected_and_its_end_noticed(directory):
    ours, theirs = proxy(directory), proxy(directory)
    holder = Caller(theirs, "disk 1").enter()
    [second] = queue(ours, "disk 1", 1)
    with ours.hold(Context(), "disk 2"):
        assert not second.inside.is_set()
    holder.leave()
    second.enter().leave()
    assert_free(ours, "disk 1")


class Refusing:
    """A mutex of the node that another proxy holds: it says so at once, as often as it is asked."""

    def __init__(self, code: int = WindowsCode.WAIT_TIMEOUT, then: Callable[[], None] = lambda: None) -> None:
        self.waits: list[float] = []
        self._code = code
        self._then = then

    @contextmanager
    def __call__(self, name: str, seconds: float) -> Iterator[None]:
        self.waits.append(seconds)
        self._then()
        raise Win32Error(self._code, "WaitForSingleObject")
        yield


def test_the_wait_for_another_proxy_takes_the_limit_and_no_longer():
    mutex = Refusing()
    locks = Locks(mutex, seconds=5)
    with pytest.raises(Aborted) as caught, locks.hold(Context(), "disk 1"):
        pytest.fail("the lock was given away")
    assert caught.value.windows_code == WindowsCode.WAIT_TIMEOUT
    assert sum(mutex.waits) == 5
    assert locks._queues == {}


def test_a_deadline_ends_the_wait_for_another_proxy_as_a_deadline(directory):
    ours = proxy(directory)
    holder = Caller(proxy(directory), "disk 1").enter()
    with pytest.raises(DeadlineExceeded), ours.hold(Context(deadline=time.monotonic() + 0.05), "disk 1"):
        pytest.fail("the lock was given away")
    holder.leave()
    assert_free(ours, "disk 1")


def test_a_client_that_goes_away_ends_the_wait_for_another_proxy():
    gone = threading.Event()
    mutex = Refusing(then=gone.set)
    locks = Locks(mutex)
    with pytest.raises(Cancelled), locks.hold(Context(cancelled=gone.is_set), "disk 1"):
        pytest.fail("the lock was given away")
    assert len(mutex.waits) == 1
    assert locks._queues == {}


def test_a_mutex_that_fails_is_judged_and_nothing_is_left_behind(directory):
    locks = Locks(Refusing(WindowsCode.ACCESS_DENIED))
    with pytest.raises(CsiProxyError) as caught, locks.hold(Context(), "disk 1"):
        pytest.fail("the lock was given away")
    assert caught.value.windows_code == WindowsCode.ACCESS_DENIED
    assert locks._queues == {}


@pytest.mark.parametrize("failure", [ValueError("x"), KeyboardInterrupt(), Aborted("x")], ids=repr)
def test_an_exception_of_the_holder_passes_and_frees_the_lock(locks, directory, failure):
    with pytest.raises(type(failure)) as caught, locks.hold(Context(), "disk 1"):
        raise failure
    assert caught.value is failure
    assert_free(locks, "disk 1")
    assert_free(proxy(directory), "disk 1")  # the node's mutex is free as well


def test_a_node_that_dies_while_the_lock_is_held_is_unavailable_and_the_queue_goes_on():
    @contextmanager
    def mutex(name: str, seconds: float) -> Iterator[None]:
        yield
        raise HostUnreachable("the node has gone")

    locks = Locks(mutex)
    with pytest.raises(Unavailable), locks.hold(Context(), "disk 1"):
        pass
    assert locks._queues == {}


def test_many_callers_of_two_proxies_never_hold_an_object_together(directory):
    inside: list[int] = []
    most: list[int] = []

    def work(locks: Locks) -> None:
        for _ in range(10):
            with locks.hold(Context(), "disk 1"):
                inside.append(1)
                time.sleep(0)  # let others run
                most.append(len(inside))
                inside.pop()

    proxies = [proxy(directory), proxy(directory)]
    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(work, locks) for locks in proxies * 4]
    for call in calls:
        call.result()
    assert set(most) == {1}
    for locks in proxies:
        assert locks._queues == {}
