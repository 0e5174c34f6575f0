"""A proxy that dies at a chosen step: the halves of its host count every call and let none pass after death.

A kill after a step is a kill before the next one, as nothing that lies between them leaves the process; so
the kills before each step and the one after the last are all there are.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from csiproxy.host.cim import Session
from csiproxy.host.win32 import Win32


class Killed(BaseException):
    """The process is no more; nothing may catch it."""


class Life:
    """How long a proxy lives: it dies before its step ``last`` (from 0), with None of old age."""

    def __init__(self, last: int | None = None) -> None:
        self.steps: list[str] = []
        self.over = False
        self._last = last

    def step(self, name: str) -> None:
        """Pass one call on to the host; whoever is dead calls nobody, on no way out."""
        if self.over or len(self.steps) == self._last:
            self.over = True
            raise Killed(f"before {name}")
        self.steps.append(name)


class Mortal:
    """One half of a host, whose calls are steps of a life."""

    def __init__(self, half: Session | Win32, life: Life) -> None:
        self._half = half
        self._life = life

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self._half, name)

        def call(*arguments: object, **named: object) -> object:
            self._life.step(name if name != "invoke" else f"{name} {arguments[1]}")
            return method(*arguments, **named)

        return call


class MortalWin32(Mortal):
    """The Win32 half.  To enter its lock and to leave it are steps; a kill frees it, as the kernel does."""

    def mutex(self, name: str, seconds: float) -> AbstractContextManager[None]:
        return self._hold(name, seconds)

    @contextmanager
    def _hold(self, name: str, seconds: float) -> Iterator[None]:
        self._life.step("mutex")
        with self._half.mutex(name, seconds):
            yield
            self._life.step("release")
