"""One call at a time on a volume: the second is told so at once, as CSI has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from csiproxy.errors import Aborted


class VolumeLocks:
    """The volumes on which a call is going on."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._busy: set[str] = set()

    @contextmanager
    def hold(self, volume_id: str) -> Iterator[None]:
        """Hold a volume while inside; Aborted when another call does."""
        with self._lock:
            if volume_id in self._busy:
                raise Aborted(f"another operation on volume {volume_id} is going on; try again")
            self._busy.add(volume_id)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(volume_id)


class SharedLocks:
    """Locks for what several volumes have in common: a share, a target.  Callers wait for each other."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._locks: dict[str, tuple[Lock, int]] = {}

    @contextmanager
    def hold(self, name: str, seconds: float) -> Iterator[None]:
        """Hold it while inside; Aborted when it cannot be had in time."""
        with self._lock:
            lock, users = self._locks.get(name, (Lock(), 0))
            self._locks[name] = lock, users + 1
        try:
            if not lock.acquire(timeout=max(0.0, seconds)):
                raise Aborted(f"another operation has held {name} for {seconds:.0f} s; try again")
            try:
                yield
            finally:
                lock.release()
        finally:
            with self._lock:
                lock, users = self._locks.pop(name)
                if users > 1:
                    self._locks[name] = lock, users - 1
