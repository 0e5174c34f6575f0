"""A program that is started again whenever it ends, as kubelet does with a container."""

from collections.abc import Sequence
from threading import Condition, Thread
from typing import Final

from csiproxy.testing.processes import STOP_SECONDS, ProcessFailed, Program

_PAUSE: Final = 0.1
"""Seconds before a program that ended is started again."""


class Supervised:
    """A program under supervision; ``starts`` counts how often it was started."""

    def __init__(self, name: str, arguments: Sequence[str], log: str) -> None:
        self.name = name
        self._arguments = tuple(arguments)
        self._log = log
        self._changed = Condition()
        self._over = False
        self._program: Program | None = Program(name, arguments, log)
        self.starts = 1
        self._thread = Thread(target=self._watch, name=f"supervise-{name}", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """The process that runs now; 0 while it is being started again."""
        program = self._program
        return program.pid if program else 0

    def kill(self) -> None:
        """``kill -9`` it and return when its successor runs."""
        with self._changed:
            before = self.starts
            if self._program is not None:
                self._program.signal_kill()
            self._changed.wait_for(lambda: self.starts > before or self._over)

    def close(self) -> None:
        """End it for good."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
            program = self._program
            if program is not None:
                program.signal_end()
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive() and program is not None:
            program.signal_kill()
            self._thread.join()

    def _watch(self) -> None:
        while True:
            program = self._program
            if program is not None:
                program.wait_for_end()
            with self._changed:
                self._program = None
                if self._changed.wait_for(lambda: self._over, _PAUSE):
                    return
            self._start()

    def _start(self) -> None:
        try:
            program = Program(self.name, self._arguments, self._log)
        except ProcessFailed:
            return  # what it needs is not there yet; it is tried again
        with self._changed:
            self._program = program
            self.starts += 1
            if self._over:
                program.signal_end()
            self._changed.notify_all()
