"""Components that die at random while the play goes on; the seed decides which, in which order, and when."""

import random
from collections.abc import Callable, Mapping
from threading import Condition, Thread
from typing import Self

PAUSE = (0.05, 0.5)
"""Seconds between two deaths, at least and at most."""


class Disturbance:
    """Kills components in a thread, each as often as another, until ``count`` have died or it is left.

    ``died`` lists who died, in order; ``problem`` is why one could not be started again, None when all were.
    """

    def __init__(self, components: Mapping[str, Callable[[], None]], seed: int, count: int) -> None:
        self._components = components
        self._random = random.Random(seed)  # noqa: S311  it is to be repeatable, not secret
        self._count = count
        self._changed = Condition()
        self._over = False
        self._thread = Thread(target=self._run, name="disturbance", daemon=True)
        self.died: list[str] = []
        self.problem: Exception | None = None

    def order(self) -> list[str]:
        """Who dies, in order: all of them in turns, each turn shuffled."""
        names: list[str] = []
        while len(names) < self._count:
            names += self._random.sample(sorted(self._components), len(self._components))
        return names[: self._count]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._thread.join()

    def wait(self, deaths: int) -> None:
        """Wait until so many have died, or one could not be started again."""
        with self._changed:
            self._changed.wait_for(lambda: len(self.died) >= deaths or self._over)

    def _run(self) -> None:
        for name in self.order():
            with self._changed:
                if self._changed.wait_for(lambda: self._over, self._random.uniform(*PAUSE)):
                    return
            try:
                self._components[name]()
            except Exception as error:  # noqa: BLE001  whoever plays is told in the end
                self.problem = error
            with self._changed:
                self.died.append(name)
                self._over = self._over or self.problem is not None
                self._changed.notify_all()
