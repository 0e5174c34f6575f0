"""Threads that take turns: one leads (waits for what happens), the others run calls or wait.

The leader runs the calls that it finds itself, so the thread that read a request also answers it.  Before a
call of a kind that is known to take long it hands the lead to another thread; before any other it does not,
because waking a thread costs more than a short call.  A watch looks on: when such a call takes longer than a
moment after all, the watch takes the lead, another thread becomes the watch, the former leader goes on as a
thread that runs calls, and the kind is known from then on (until a call of it is short again).

Calls that are left in line get threads, too: whoever takes one and leaves runnable ones calls one more
thread, so a chain of threads grows as long as calls block, and no thread wakes up when they do not.

Calls come in two kinds.  Quick ones (that cannot block) have threads of their own, so they are served
however many of the others hang.  Of each kind at most so many run, so many wait, and the rest is refused.
One client can have neither all threads of the others nor a whole line.
"""

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from enum import Enum
from queue import Empty, SimpleQueue
from threading import Condition, Lock, Thread, current_thread, get_ident
from time import monotonic, sleep
from typing import Final, Protocol

from csiproxy.rpc.limits import Limits

_LONG: Final = 0.0003
"""Seconds from which on a call that may block counts as long: several times what it and handing the lead
over cost."""
_STREAK: Final = 3
"""Long calls in a row that make a kind a long one, as a busy machine may keep any call waiting now and then;
one that took a tick is enough."""
_TICK: Final = 0.005
"""Seconds between two looks of the watch.  Each makes two threads want the interpreter at once, which costs
the leader about one short call."""
_BUSY_TICKS: Final = 2
"""Looks without a poll in between after which calls in line get help, although the leader comes along."""
_DROWSY_TICKS: Final = 10
"""Looks without any call after which the watch sleeps until it is called: an idle server does not tick."""
_KINDS: Final = 256
"""Kinds of calls that are remembered as long."""
_KEPT: Final = 1
"""Idle threads that stay for the next call that takes long."""


class Job(Protocol):
    """A call to be run.  Neither method raises."""

    @property
    def kind(self) -> Hashable:
        """What calls that take about the same time have in common: their method."""
        ...

    @property
    def quick(self) -> bool:
        """True when it cannot block."""
        ...

    @property
    def client(self) -> Hashable:
        """Whose call it is."""
        ...

    @property
    def connection(self) -> Hashable:
        """What it is answered through."""
        ...

    def run(self, *, hold: bool = False) -> None:
        """Serve the call; with ``hold`` its reply may wait until :meth:`release`, or the next reply."""
        ...

    def release(self) -> None:
        """Send the reply that was held, and whatever else is held for a reply."""
        ...

    def refuse(self) -> None:
        """Answer that there is no room."""
        ...


class _Role(Enum):
    LEAD = 1
    WATCH = 2
    RUN = 3
    LEAVE = 4


class _Lane:
    """One kind of calls: how many run, and who waits."""

    __slots__ = ("_held", "_room", "_room_share", "_share", "_threads", "running", "waiting")

    def __init__(self, threads: int, share: int, room: int, room_share: int) -> None:
        self._threads = threads
        self._share = share  # of one client
        self._room = room
        self._room_share = room_share
        self._held: dict[Hashable, int] = {}  # threads, by client
        self.running = 0
        self.waiting: deque[Job] = deque()

    @property
    def runnable(self) -> bool:
        """Whether a thread would find a call to run."""
        return self.running < self._threads and self._next() is not None

    def _next(self) -> int | None:
        """Find the first in line whose client may have another thread."""
        held, share = self._held, self._share
        for at, job in enumerate(self.waiting):
            if held.get(job.client, 0) < share:
                return at
        return None

    def admit(self, job: Job) -> bool:
        """Put a call in line; False when there is no room for it."""
        length = len(self.waiting)
        if length >= self._room + self._threads - self.running or (
            length >= self._room_share
            and sum(other.client is job.client for other in self.waiting) >= self._room_share
        ):
            return False
        self.waiting.append(job)
        return True

    def take(self) -> Job | None:
        """Take the next call that may run."""
        if not self.waiting or self.running >= self._threads:
            return None
        at = self._next()
        if at is None:
            return None
        job = self.waiting[at]
        del self.waiting[at]
        self._held[job.client] = self._held.get(job.client, 0) + 1
        self.running += 1
        return job

    def end(self, job: Job) -> None:
        """A call that was taken has ended."""
        self.running -= 1
        left = self._held[job.client] - 1
        if left:
            self._held[job.client] = left
        else:
            del self._held[job.client]


def _goes_with(job: Job, following: Job | None) -> bool:
    """Whether a reply may wait for the one that follows: the same way, and soon."""
    return following is not None and following.quick and following.connection is job.connection


class Crew:
    """The threads of a server.  ``lead`` waits for what happens and gives the calls that came of it."""

    def __init__(self, lead: Callable[[], Sequence[Job]], limits: Limits) -> None:
        self._lead = lead
        self._idle_seconds = limits.thread_idle_seconds
        self._lock = Lock()
        self._changed = Condition(self._lock)
        self._roles: SimpleQueue[_Role] = SimpleQueue()
        self._idle = 0  # threads that wait for a role and have not been given one
        self._calling = False  # a thread is under way to the line
        self._leader = 0  # its thread's ident
        self._current: Job | None = None  # what the leader runs
        self._hold = False  # the call behind it goes the same way and cannot block: one reply for both
        self._beat = 0  # changes with every call that the leader takes or ends
        self._streaks: dict[Hashable, int] = {}  # long calls in a row, by kind
        self._polls = 0
        self._asleep = False
        self._alarm = Lock()  # held while there is no reason to wake the watch
        self._alarm.acquire()
        self._watched = False  # somebody waits for the end of calls
        self._stopping = False
        self._threads: set[Thread] = set()
        line = limits.queued_calls, limits.queued_calls_per_client
        self._quick = _Lane(limits.quick_threads, limits.quick_threads, *line)
        self._blocking = _Lane(limits.blocking_threads, limits.blocking_threads_per_client, *line)

    def start(self) -> None:
        """Start leading and watching."""
        with self._lock:
            self._give(_Role.LEAD)
            self._give(_Role.WATCH)

    def withdraw(self, job: Job) -> bool:
        """Take a job out of the line; False when it is not waiting there."""
        with self._lock:
            try:
                self._lane(job).waiting.remove(job)
            except ValueError:
                return False
        return True

    def wait_idle(self, timeout: float) -> bool:
        """Wait until no call runs or waits; False when ``timeout`` seconds were not enough."""
        with self._changed:
            self._watched = True
            return self._changed.wait_for(self._is_idle, timeout)

    def _is_idle(self) -> bool:
        return not any((lane.running or lane.waiting) for lane in (self._quick, self._blocking))

    def stop(self, wake: Callable[[], None], timeout: float) -> bool:
        """End all threads (``wake`` gets the leader out of its wait); False when some did not end in time."""
        with self._lock:
            self._stopping = True
            self._rouse()
            threads = list(self._threads)
        for _ in threads:
            self._roles.put(_Role.LEAVE)
        wake()
        end = monotonic() + timeout
        for thread in threads:
            thread.join(max(0.0, end - monotonic()))
        return not any(thread.is_alive() for thread in threads)

    # --- one thread's life --------------------------------------------------------------------------

    def _live(self, role: _Role) -> None:
        while not self._stopping and role is not _Role.LEAVE:
            if role is _Role.LEAD:
                self._do_lead(get_ident())
            elif role is _Role.WATCH:
                if self._do_watch(get_ident()):
                    role = _Role.LEAD
                    continue
            else:
                self._do_run(self._first())
            role = self._wait()
        with self._lock:
            self._threads.discard(current_thread())

    def _do_lead(self, me: int) -> None:
        """Lead until somebody else does; then finish the call that took long, and go on running."""
        self._leader = me
        while not self._stopping:
            jobs = self._lead()
            self._polls += 1
            if not jobs:
                continue
            job = self._line_up(jobs)
            while job is not None:
                hold = self._hold  # a new leader may set it for its own call from here on
                held = job if hold else None
                began = monotonic()
                job.run(hold=hold)
                took = monotonic() - began
                with self._lock:
                    self._learn(job, took)
                    self._lane(job).end(job)
                    if self._watched:
                        self._changed.notify_all()
                    leads = self._leader == me
                    job = self._next_of_leader() if leads else self._pick_or_idle()
                    watched = self._leader == me
                if held is not None and not (watched and _goes_with(held, job)):
                    held.release()
                if not leads:
                    self._do_run(job)
                    return

    def _do_run(self, job: Job | None) -> None:
        while job is not None:
            job.run()
            with self._lock:
                self._lane(job).end(job)
                job = self._pick_or_idle()
                if self._watched:
                    self._changed.notify_all()

    def _do_watch(self, me: int) -> bool:
        """Watch the leader; True when it is this thread that leads now."""
        quiet = _DROWSY_TICKS
        busy = 0
        while not self._stopping:
            if quiet >= _DROWSY_TICKS:
                self._sleep()
                quiet = 0
            beat, polls = self._beat, self._polls
            sleep(_TICK)
            busy = busy + 1 if polls == self._polls else 0
            if self._current is None:
                quiet = quiet + 1 if beat == self._beat else 0
            elif (beat == self._beat or busy >= _BUSY_TICKS) and self._take_over(me, beat):
                return True
        return False

    def _sleep(self) -> None:
        with self._lock:
            if self._stopping or self._current is not None:
                return
            self._asleep = True
        self._alarm.acquire()

    def _take_over(self, me: int, beat: int) -> bool:
        """Take the lead if the leader still runs the same call, and get help for what is in line."""
        with self._lock:
            stuck = self._current if self._beat == beat else None
            if stuck is not None and self._give(_Role.WATCH):
                self._learn(stuck, _TICK)
                self._current = None
                self._leader = me
            else:
                stuck = None
            self._call_help()
        if stuck is None:
            return False
        stuck.release()  # what was held for this call's reply need not wait for it
        return True

    def _first(self) -> Job | None:
        with self._lock:
            self._calling = False
            return self._pick_or_idle()

    def _wait(self) -> _Role:
        while not self._stopping:
            try:
                return self._roles.get(timeout=self._idle_seconds)
            except Empty:
                with self._lock:
                    if self._idle > _KEPT:
                        self._idle -= 1
                        break
        return _Role.LEAVE

    def _line_up(self, jobs: Sequence[Job]) -> Job | None:
        """Put jobs in line, refuse what finds no room, and take one; None: every thread is busy."""
        with self._lock:
            refused = [job for job in jobs if not self._lane(job).admit(job)]
            mine = self._next_of_leader()
            at_once = mine is jobs[0] and self._current is mine
        if not at_once:  # what is held for its reply need not wait for its turn
            jobs[0].release()
        for job in refused:
            job.refuse()
        return mine

    # --- with the lock held -------------------------------------------------------------------------

    def _lane(self, job: Job) -> _Lane:
        return self._quick if job.quick else self._blocking

    def _pick(self) -> Job | None:
        return self._quick.take() or self._blocking.take()

    def _next_of_leader(self) -> Job | None:
        """Give the leader its next call, to be watched, or else after another thread has got the lead."""
        job = self._pick()
        self._beat += 1
        self._hold = job is not None and bool(self._quick.waiting) and _goes_with(job, self._quick.waiting[0])
        if self._streaks and job is not None and self._is_long(job) and self._give(_Role.LEAD):
            self._leader = 0
            self._current = None
            self._hold = False
            self._call_help()
            return job
        self._current = job
        if self._asleep and job is not None:
            self._rouse()
        return job

    def _is_long(self, job: Job) -> bool:
        return self._streaks.get(job.kind, 0) >= _STREAK

    def _learn(self, job: Job, took: float) -> None:
        """Count the long calls of a kind in a row; one that is short takes the kind off the list."""
        # What cannot block only computes, and two threads that compute get in each other's way.
        if took >= (_TICK if job.quick else _LONG):
            if len(self._streaks) >= _KINDS:
                self._streaks.clear()
            self._streaks[job.kind] = self._streaks.get(job.kind, 0) + (1 if took < _TICK else _STREAK)
        elif self._streaks:
            self._streaks.pop(job.kind, None)

    def _pick_or_idle(self) -> Job | None:
        job = self._pick()
        if job is None:
            self._idle += 1
        else:
            self._call_help()
        return job

    def _call_help(self) -> None:
        """Call one more thread when something could run."""
        if not self._calling and (self._quick.runnable or self._blocking.runnable):
            self._calling = self._give(_Role.RUN)

    def _rouse(self) -> None:
        if self._asleep:
            self._asleep = False
            self._alarm.release()

    def _give(self, role: _Role) -> bool:
        """Give a role to an idle thread or a new one; False when the system has no more threads."""
        if self._idle:
            self._idle -= 1
            self._roles.put(role)
            return True
        thread = Thread(target=self._live, args=(role,), name="csiproxy-rpc", daemon=True)
        self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError:
            self._threads.discard(thread)
            return False
        return True
