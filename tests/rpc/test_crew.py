"""Threads that lead, watch and run, with real threads and calls that wait for each other."""

from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from threading import Barrier, Event, Lock

import pytest

from csiproxy.rpc.crew import Crew, Job
from csiproxy.rpc.limits import Limits

PATIENCE = 20.0
LIMITS = Limits(blocking_threads=4, quick_threads=2, queued_calls=3)


class Way:
    """What calls are answered through; ``sent`` has the number of replies that went together, each time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: list[Task] = []
        self.sent: list[int] = []

    def answer(self, task: "Task", *, hold: bool) -> None:
        with self._lock:
            self._held.append(task)
        if not hold:
            self.flush()

    def flush(self) -> None:
        with self._lock:
            together, self._held = self._held, []
            if together:
                self.sent.append(len(together))
        for task in together:
            task.done.set()


class Task:
    """A call that does what the test wants; it is done when its reply is sent."""

    def __init__(
        self,
        work: Callable[[], object],
        *,
        quick: bool = False,
        kind: str = "any",
        client: str = "one",
        connection: Way | None = None,
    ) -> None:
        self.work = work
        self.client = client
        self.connection = connection or Way()
        self.quick = quick
        self.kind = kind
        self.done = Event()
        self.released = Event()
        self.refused = Event()

    def run(self, *, hold: bool = False) -> None:
        self.work()
        self.connection.answer(self, hold=hold)

    def release(self) -> None:
        self.released.set()
        self.connection.flush()

    def refuse(self) -> None:
        self.refused.set()


class Stage:
    """A crew and what happens to it: calls in batches, as if read from a connection."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.batches: SimpleQueue[Sequence[Job]] = SimpleQueue()
        self.crew = Crew(self.batches.get, limits)
        self.crew.start()
        self.exits = Event()

    def happen(self, *tasks: Task) -> None:
        self.batches.put(tasks)

    def hang(self, count: int, *, quick: bool = False) -> list[Task]:
        """Start calls that hang until :attr:`exits` is set, and wait until they run."""
        tasks = []
        for _ in range(count):
            running = Event()
            task = Task(
                lambda running=running: (running.set(), self.exits.wait(PATIENCE)), quick=quick, kind="hangs"
            )
            self.happen(task)
            assert running.wait(PATIENCE)
            tasks.append(task)
        return tasks

    def stop(self, timeout: float = PATIENCE) -> bool:
        return self.crew.stop(lambda: self.batches.put(()), timeout)


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.exits.set()
    assert made.stop()


def test_calls_are_run(stage: Stage) -> None:
    tasks = [Task(lambda: None) for _ in range(200)]
    for task in tasks:
        stage.happen(task)
    assert all(task.done.wait(PATIENCE) for task in tasks)


def test_a_call_that_hangs_keeps_nobody_from_being_served(stage: Stage) -> None:
    stage.hang(1)
    for _ in range(20):
        task = Task(lambda: None)
        stage.happen(task)
        assert task.done.wait(PATIENCE)


def test_calls_of_one_batch_run_beside_each_other_when_they_block(stage: Stage) -> None:
    together = Barrier(LIMITS.blocking_threads)
    tasks = [Task(lambda: together.wait(PATIENCE)) for _ in range(LIMITS.blocking_threads)]
    stage.happen(*tasks)
    assert all(task.done.wait(PATIENCE) for task in tasks)


def test_calls_of_a_kind_that_is_known_to_block_run_beside_each_other(stage: Stage) -> None:
    together = Barrier(LIMITS.blocking_threads)
    for _ in range(3):
        tasks = [Task(lambda: together.wait(PATIENCE), kind="slow") for _ in range(LIMITS.blocking_threads)]
        for task in tasks:
            stage.happen(task)
        assert all(task.done.wait(PATIENCE) for task in tasks)


def test_a_kind_that_is_short_again_is_served_like_any_other(stage: Stage) -> None:
    (task,) = stage.hang(1)
    stage.exits.set()
    assert task.done.wait(PATIENCE)
    for _ in range(50):
        short = Task(lambda: None, kind="hangs")
        stage.happen(short)
        assert short.done.wait(PATIENCE)


def test_no_more_blocking_calls_run_than_the_limit(stage: Stage) -> None:
    lock, running, most = Lock(), 0, 0

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        stage.exits.wait(0.02)
        with lock:
            running -= 1

    tasks = [Task(work) for _ in range(LIMITS.blocking_threads + LIMITS.queued_calls)]
    stage.happen(*tasks)
    assert all(task.done.wait(PATIENCE) for task in tasks)
    assert most <= LIMITS.blocking_threads


def test_quick_calls_are_served_while_every_blocking_thread_hangs(stage: Stage) -> None:
    stage.hang(LIMITS.blocking_threads)
    waiting = Task(lambda: None)
    stage.happen(waiting)
    for _ in range(20):
        quick = Task(lambda: None, quick=True)
        stage.happen(quick)
        assert quick.done.wait(PATIENCE)
    assert not waiting.done.is_set()
    stage.exits.set()
    assert waiting.done.wait(PATIENCE)


def test_blocking_calls_are_served_while_every_quick_thread_hangs(stage: Stage) -> None:
    stage.hang(LIMITS.quick_threads, quick=True)
    task = Task(lambda: None)
    stage.happen(task)
    assert task.done.wait(PATIENCE)


def test_what_finds_no_room_in_the_line_is_refused_and_the_rest_is_run(stage: Stage) -> None:
    stage.hang(LIMITS.blocking_threads)
    waiting = [Task(lambda: None) for _ in range(LIMITS.queued_calls)]
    beyond = Task(lambda: None)
    stage.happen(*waiting, beyond)
    assert beyond.refused.wait(PATIENCE)
    stage.exits.set()
    assert all(task.done.wait(PATIENCE) for task in waiting)
    assert not beyond.done.is_set()


def test_a_call_in_line_can_be_withdrawn_and_makes_room(stage: Stage) -> None:
    hanging = stage.hang(LIMITS.blocking_threads)
    waiting = [Task(lambda: None) for _ in range(LIMITS.queued_calls)]
    probe = Task(lambda: None, quick=True)
    stage.happen(*waiting, probe)
    assert probe.done.wait(PATIENCE)
    assert stage.crew.withdraw(waiting[0])
    assert not stage.crew.withdraw(waiting[0])
    assert not stage.crew.withdraw(hanging[0])
    late = Task(lambda: None)
    stage.happen(late)
    stage.exits.set()
    assert late.done.wait(PATIENCE)
    assert not waiting[0].done.is_set()


def test_threads_are_bounded_whatever_hangs(stage: Stage) -> None:
    stage.hang(LIMITS.blocking_threads)
    stage.hang(LIMITS.quick_threads, quick=True)
    stage.happen(*(Task(lambda: None) for _ in range(LIMITS.queued_calls)))
    assert len(stage.crew._threads) <= LIMITS.blocking_threads + LIMITS.quick_threads + 3


def test_threads_that_are_not_needed_end() -> None:
    stage = Stage(Limits(thread_idle_seconds=0.02, blocking_threads=8))
    together = Barrier(8)
    tasks = [Task(lambda: together.wait(PATIENCE)) for _ in range(8)]
    stage.happen(*tasks)
    assert all(task.done.wait(PATIENCE) for task in tasks)
    ended = Event()
    for _ in range(2000):
        if len(stage.crew._threads) <= 3:
            break
        ended.wait(0.01)
    assert len(stage.crew._threads) <= 3  # who leads, who watches, and one to spare
    task = Task(lambda: None)
    stage.happen(task)
    assert task.done.wait(PATIENCE)
    assert stage.stop()


def test_waiting_for_the_end_of_calls(stage: Stage) -> None:
    assert stage.crew.wait_idle(0)
    stage.hang(2)
    assert not stage.crew.wait_idle(0.01)
    stage.exits.set()
    assert stage.crew.wait_idle(PATIENCE)


def test_stopping_tells_whether_something_still_hangs() -> None:
    stage = Stage()
    stage.hang(1)
    assert not stage.stop(0.05)
    stage.exits.set()


def test_stopping_an_idle_crew_ends_its_threads() -> None:
    stage = Stage()
    assert stage.stop()
    assert stage.crew._threads == set()


# --- one client and the others --------------------------------------------------------------------------

SHARED = Limits(
    blocking_threads=4,
    blocking_threads_per_client=3,
    quick_threads=2,
    queued_calls=5,
    queued_calls_per_client=3,
)


@pytest.fixture
def shared() -> Iterator[Stage]:
    made = Stage(SHARED)
    yield made
    made.exits.set()
    assert made.stop()


def test_one_client_does_not_get_all_threads(shared: Stage) -> None:
    shared.hang(3)
    mine, others = Task(lambda: None), Task(lambda: None, client="other")
    shared.happen(mine)
    shared.happen(others)
    assert others.done.wait(PATIENCE)
    assert not mine.done.is_set()
    shared.exits.set()
    assert mine.done.wait(PATIENCE)


def test_a_client_gets_its_next_thread_when_one_of_its_calls_ends(shared: Stage) -> None:
    one = Event()
    long = Task(lambda: one.wait(PATIENCE))
    shared.hang(2)
    shared.happen(long)
    waiting = [Task(lambda: None) for _ in range(3)]
    shared.happen(*waiting)
    one.set()
    assert all(task.done.wait(PATIENCE) for task in waiting)


def test_one_client_does_not_fill_the_line(shared: Stage) -> None:
    shared.hang(3)
    mine = [Task(lambda: None) for _ in range(4)]
    shared.happen(*mine)
    assert mine[3].refused.wait(PATIENCE)
    others = Task(lambda: None, client="other")
    shared.happen(others)
    assert others.done.wait(PATIENCE)
    assert [task.refused.is_set() for task in mine] == [False, False, False, True]


# --- replies that go together ---------------------------------------------------------------------------


def test_replies_of_quick_calls_of_one_batch_go_together(stage: Stage) -> None:
    way = Way()
    tasks = [Task(lambda: None, quick=True, connection=way) for _ in range(3)]
    stage.happen(*tasks)
    assert all(task.done.wait(PATIENCE) for task in tasks)
    assert way.sent == [3]


def test_a_reply_does_not_wait_for_one_that_goes_another_way(stage: Stage) -> None:
    mine, other = Task(lambda: None, quick=True), Task(lambda: mine.done.wait(PATIENCE), quick=True)
    stage.happen(mine, other)
    assert other.done.wait(PATIENCE)
    assert mine.connection.sent == [1]


def test_a_reply_does_not_wait_for_a_call_that_may_block(stage: Stage) -> None:
    way = Way()
    mine = Task(lambda: None, quick=True, connection=way)
    blocks = Task(lambda: mine.done.wait(PATIENCE), connection=way)
    stage.happen(mine, blocks)
    assert blocks.done.wait(PATIENCE)
    assert way.sent == [1, 1]


def test_what_waits_for_a_calls_reply_does_not_wait_for_its_turn(stage: Stage) -> None:
    stage.hang(LIMITS.quick_threads, quick=True)
    waits = Task(lambda: None, quick=True)
    stage.happen(waits)
    assert waits.released.wait(PATIENCE)
    assert not waits.done.is_set()


def test_what_waits_for_the_reply_of_a_kind_that_takes_long_does_not_wait(stage: Stage) -> None:
    [known] = stage.hang(1, quick=True)
    again = Task(lambda: stage.exits.wait(PATIENCE), quick=True, kind=known.kind)
    stage.happen(again)
    assert again.released.wait(PATIENCE)


@pytest.mark.parametrize("known", [False, True], ids=["hangs for the first time", "is known to take long"])
def test_a_held_reply_goes_out_when_the_call_that_it_waits_for_hangs(stage: Stage, known: bool) -> None:
    if known:
        stage.hang(1, quick=True)
    way = Way()
    mine = Task(lambda: None, quick=True, connection=way)
    hangs = Task(lambda: mine.done.wait(PATIENCE), quick=True, kind="hangs", connection=way)
    stage.happen(mine, hangs)
    assert hangs.done.wait(PATIENCE)
    assert way.sent == [1, 1]
