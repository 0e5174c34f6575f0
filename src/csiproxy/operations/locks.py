"""One operation at a time on a disk or volume: first come, first served, and nobody waits for ever."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from csiproxy.errors import Aborted, Win32Error, WindowsCode
from csiproxy.operations.context import Context
from csiproxy.storage.codes import judged

# More callers than this for one object means that something hangs; the next one is told so at once.
WAITERS = 16
# Kubelet gives up after about two minutes; an earlier, clear answer lets it retry with back-off.
WAIT_SECONDS = 60.0
# How soon a wait notices that its client has gone.
_NOTICE_SECONDS = 0.1
# The same for the lock among proxies: each wait for it costs calls of the host, and rejoins at the end.
_SHARED_NOTICE_SECONDS = 1.0

Mutex = Callable[[str, float], AbstractContextManager[None]]


class Locks:
    """Locks by object name.  Threads of this process queue; other proxies of the node are kept out too.

    ``mutex`` is the host's lock that all proxies share (``Win32.mutex``).
    """

    def __init__(self, mutex: Mutex, *, waiters: int = WAITERS, seconds: float = WAIT_SECONDS) -> None:
        self._mutex = mutex
        self._waiters = waiters
        self._seconds = seconds
        self._guard = threading.Lock()
        self._queues: dict[str, deque[threading.Event]] = {}

    @contextmanager
    def hold(self, context: Context, name: str) -> Iterator[None]:
        """Hold an object (``disk 3``) while inside.

        Aborted (170) when too many wait already or the wait takes too long; the client's deadline and
        cancellation end the wait as well.
        """
        turn = self._join(name)
        try:
            waited = self._wait(context, name, turn)
            with judged(f"lock {name}"):
                held = self._enter(context, name, self._seconds - waited)
            try:
                yield
            finally:
                with judged(f"unlock {name}"):
                    held.__exit__(None, None, None)
        finally:
            self._leave(name, turn)

    def _join(self, name: str) -> threading.Event:
        turn = threading.Event()
        with self._guard:
            queue = self._queues.setdefault(name, deque())
            if len(queue) > self._waiters:
                raise Aborted(f"{self._waiters} operations wait for {name} already; try again later")
            queue.append(turn)
            if queue[0] is turn:
                turn.set()
        return turn

    def _wait(self, context: Context, name: str, turn: threading.Event) -> float:
        """Wait for the turn; how many seconds that took, as far as it matters."""
        waited = 0.0
        while not turn.wait(context.remaining(_NOTICE_SECONDS)):
            context.check()
            waited += _NOTICE_SECONDS
            if waited >= self._seconds:
                raise Aborted(f"another operation has held {name} for {self._seconds:.0f} s; try again")
        context.check()
        return waited

    def _enter(self, context: Context, name: str, seconds: float) -> AbstractContextManager[None]:
        """Enter the lock that keeps other proxies out; in slices, so that the wait notices a client's end."""
        while True:
            part = context.remaining(min(seconds, _SHARED_NOTICE_SECONDS))
            held = self._mutex(name, part)
            try:
                held.__enter__()
            except Win32Error as error:
                seconds -= part
                if error.windows_code != WindowsCode.WAIT_TIMEOUT or seconds <= 0:
                    raise
            else:
                return held
            context.check()

    def _leave(self, name: str, turn: threading.Event) -> None:
        with self._guard:
            queue = self._queues[name]
            queue.remove(turn)
            if queue:
                queue[0].set()
            else:
                del self._queues[name]
