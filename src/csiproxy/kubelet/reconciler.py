"""Making what is registered what should be: woken by changes, one operation a socket, with back-off."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Condition, Thread
from time import monotonic
from typing import Final

from csiproxy.kubelet.paths import key
from csiproxy.kubelet.registration import Refused, Registrar
from csiproxy.kubelet.worlds import ActualWorld, DesiredWorld, Wanted, difference
from csiproxy.rpc.status import RpcError

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 122.0
"""Seconds between tries: the first pause, and the longest of those that double; both are kubelet's."""
_WORKERS: Final = 8


@dataclass(slots=True)
class _Failure:
    """That a socket's last operation failed: when the next try is due, and the pause after that one."""

    socket: Wanted
    due: float
    pause: float


class Reconciler:
    """Compares the two worlds whenever it is woken and does what is missing.

    ``failed(socket, error)`` hears of each operation that failed; it is called from a worker and must not
    block.
    """

    def __init__(
        self,
        desired: DesiredWorld,
        actual: ActualWorld,
        registrar: Registrar,
        failed: Callable[[Wanted, Exception], None],
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self._desired = desired
        self._actual = actual
        self._registrar = registrar
        self._failed = failed
        self._first_pause = first_pause
        self._changed = Condition()
        self._woken = True
        self._over = False
        self._busy: set[str] = set()
        self._failures: dict[str, _Failure] = {}
        self._workers = ThreadPoolExecutor(_WORKERS, "plugin-registration")
        self._thread = Thread(target=self._run, name="plugin-reconciler", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Something has changed."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    def stop(self) -> None:
        """End, after the operations that run."""
        with self._changed:
            self._over = True
            self._changed.notify()
        self._thread.join()
        self._workers.shutdown()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._woken or self._over, self._pause())
                self._woken = False
                if self._over:
                    return
                self._begin_operations()

    def _pause(self) -> float | None:
        """Seconds until a try is due; None when only a change can bring work."""
        waiting = [failure.due for at, failure in self._failures.items() if at not in self._busy]
        return max(0.0, min(waiting) - monotonic()) if waiting else None

    def _begin_operations(self) -> None:
        wanted = difference(self._desired, self._actual)
        going = {key(plugin.socket.path) for plugin in wanted.unregister}
        there = {key(socket.path): socket for socket in wanted.register}
        for at, failure in list(self._failures.items()):
            if there.get(at) != failure.socket and at not in self._busy:
                del self._failures[at]  # it is gone, or another one: that one starts afresh
        for plugin in wanted.unregister:
            self._begin(plugin.socket, lambda plugin=plugin: self._registrar.unregister(plugin))  # type: ignore[misc]
        for at, socket in there.items():
            last = self._failures.get(at)
            if at not in going and (last is None or last.due <= monotonic()):
                self._begin(socket, lambda socket=socket: self._registrar.register(socket))  # type: ignore[misc]

    def _begin(self, socket: Wanted, operation: Callable[[], None]) -> None:
        at = key(socket.path)
        if at not in self._busy:
            self._busy.add(at)
            self._workers.submit(self._do, socket, operation)

    def _do(self, socket: Wanted, operation: Callable[[], None]) -> None:
        problem: Exception | None = None
        try:
            operation()
        except (RpcError, Refused, OSError) as error:
            problem = error
        except Exception as error:  # noqa: BLE001  one plugin's handler must not end the others' registration
            problem = error
        with self._changed:
            at = key(socket.path)
            self._busy.discard(at)
            before = self._failures.pop(at, None)
            if problem is not None:
                pause = before.pause if before else self._first_pause
                self._failures[at] = _Failure(socket, monotonic() + pause, min(2 * pause, LONGEST_PAUSE))
            self._woken = True
            self._changed.notify()
        if problem is not None:
            self._failed(socket, problem)
