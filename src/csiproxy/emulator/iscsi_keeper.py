"""Keeps sessions alive: asks targets whether they are there, and logs in again to those that were lost."""

import threading

from csiproxy.emulator.initiator import Initiator, Session
from csiproxy.emulator.iscsi_status import IscsiFailure
from csiproxy.errors import HostError

# How often a session is asked whether its target is there, and the pauses between logins to one that is lost.
PING_SECONDS = 2.0
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 8.0
# A login that runs when the node stops ends by itself; nobody waits longer for it.
_STOP_SECONDS = 20.0


class Keeper:
    """A thread that looks after an initiator's sessions, from :meth:`start` until :meth:`stop`."""

    def __init__(self, initiator: Initiator) -> None:
        self._initiator = initiator
        self._stopping = threading.Event()
        self._pauses: dict[str, float] = {}  # by session
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, if it has not begun; sessions without a connection are tried at once."""
        with self._guard:
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._attend, name="iscsi", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Return when nothing is under way any more."""
        self._stopping.set()
        with self._guard:
            thread = self._thread
        if thread:
            thread.join(_STOP_SECONDS)

    def _attend(self) -> None:
        wait = 0.0
        while not self._stopping.wait(wait):
            wait = PING_SECONDS
            for session in self._initiator.sessions():
                if self._stopping.is_set():
                    return
                wait = min(wait, self._look_after(session))

    def _look_after(self, session: Session) -> float:
        """Ask or log in to one target; seconds until the next look."""
        alone = self._initiator.alone_with(session.target)
        if not alone.acquire(blocking=False):
            return PING_SECONDS  # somebody is with it
        try:
            if session not in self._initiator.sessions() or not session.chap.is_known:
                return PING_SECONDS
            if session.link and session.connected:
                session.link.ping()
            else:
                self._initiator.log_in(session)
        except (IscsiFailure, HostError):
            pause = self._pauses.get(session.id, FIRST_PAUSE)
            self._pauses[session.id] = min(2 * pause, LONGEST_PAUSE)
            return pause
        else:
            self._pauses.pop(session.id, None)
            return PING_SECONDS
        finally:
            alone.release()
