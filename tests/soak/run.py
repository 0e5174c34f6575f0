"""A soak: stretches of lives, several at a time, and a look at everything after each."""

import os
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from queue import Empty, SimpleQueue

from tests.soak import residue
from tests.soak.ground import Finder, Ground
from tests.soak.inspection import Inspector
from tests.soak.kubelet import Stopped, Violation
from tests.soak.life import Pod
from tests.soak.plan import Store, plan
from tests.soak.trend import BOUND, trend
from tests.soak.volumes import volume

# Lives between two looks and samples of memory.
STRETCH = 100
KILL_EVERY = 50
# These many lives of each worker, before any sample is taken, load what is loaded once.
WARMING = 1
# Lives that fail after these many have failed would say nothing new.
MOST_VIOLATIONS = 3


@dataclass(frozen=True)
class Plan:
    """What is to be lived: lives ``first`` and those after it, then ``tail`` lives whose proxy lives, too.

    Of the others each ``kill_every``-th loses its proxy; after ``minutes`` no further stretch of them begins.
    """

    store: Store
    lives: int
    seed: int
    workers: int
    first: int = 0
    tail: int = 0
    stretch: int = STRETCH
    kill_every: int = KILL_EVERY
    minutes: float = inf


@dataclass
class Report:
    """What came of it.  Samples of memory are (lives so far, bytes)."""

    plan: Plan
    seconds: float = 0.0
    lives: int = 0
    calls: int = 0
    unanswered: int = 0
    records: int = 0
    retries: int = 0
    kills: int = 0
    faults: int = 0
    restarts: int = 0
    files: int = 0
    written: int = 0
    looks: int = 0
    node: list[tuple[int, int]] = field(default_factory=list)
    proxy: list[tuple[int, int]] = field(default_factory=list)
    resident: list[tuple[int, int, int]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


def replay(given: Plan, number: int, *, alone: bool) -> str:
    """The command that lives one life again; unless ``alone``, with those that had begun in its stretch."""
    first = number if alone else number - (number - given.first) % given.stretch
    kill_every = given.kill_every if number < given.first + given.lives else 0
    return (
        f"python -m tests.soak --store {given.store.value} --seed {given.seed} --first {first} "
        f"--lives {number - first + 1} --tail 0 --workers {1 if alone else given.workers} "
        f"--kill-every {kill_every}"
    )


class Soak:
    """Runs a plan below ``directory``; ``told`` hears after each life how many there have been."""

    def __init__(self, directory: Path, given: Plan, find: Finder, told: Callable[[int], object]) -> None:
        self._directory, self._plan, self._told = directory, given, told
        self._find = find
        self._stop = threading.Event()
        self._guard = threading.Lock()
        self.report = Report(given)

    def run(self) -> Report:
        began = time.monotonic()
        ground = Ground(self._directory, self._plan.store, self._plan.workers, self._find)
        try:
            self._run(ground)
        except BaseException:
            self._stop.set()
            raise
        finally:
            problems = ground.close()
            self._report(ground)
            self.report.seconds = time.monotonic() - began
        self.report.violations += problems + [f"left by the end: {line}" for line in self._left()]
        return self.report

    def _run(self, ground: Ground) -> None:
        given = self._plan
        self._live(ground, range(-WARMING * given.workers, 0), kill_every=0, quiet=True)
        inspector = Inspector(ground, given.workers)
        self._sample(ground)
        alone = given.first + given.lives
        end = time.monotonic() + given.minutes * 60
        if (
            self._stretches(ground, inspector, range(given.first, alone), given.kill_every, end)
            and given.tail
        ):
            self.report.proxy = self.report.proxy[-1:]  # of the one that stays
            self._stretches(ground, inspector, range(alone, alone + given.tail), kill_every=0)
        self._judge()

    def _stretches(
        self, ground: Ground, inspector: Inspector, numbers: range, kill_every: int, end: float = inf
    ) -> bool:
        """Live these lives with a look after each stretch, until ``end``; False when something is wrong."""
        for at in range(0, len(numbers), self._plan.stretch):
            if time.monotonic() > end:
                return True
            part = numbers[at : at + self._plan.stretch]
            self._live(ground, part, kill_every=kill_every)
            if self._stop.is_set() or self.report.violations:
                return False
            if found := inspector.look():
                self.report.violations += [f"after life {part[-1]}: {line}" for line in found]
                return False
            self.report.looks += 1
            self.report.records = inspector.records
            self._sample(ground)
        return True

    def _live(self, ground: Ground, numbers: range, *, kill_every: int, quiet: bool = False) -> None:
        """Live some lives; return when all have ended."""
        waiting: SimpleQueue[int] = SimpleQueue()
        for number in numbers:
            waiting.put(number)

        def work(worker: int) -> None:
            client = ground.client()
            try:
                while not self._stop.is_set() and len(self.report.violations) < MOST_VIOLATIONS:
                    number, store = waiting.get_nowait(), self._plan.store
                    life = plan(self._plan.seed, number, store, kill_every=kill_every, quiet=quiet)
                    pod = Pod(life, ground, volume(life, ground, worker), client, self._stop)
                    self._one(pod, counted=not quiet)
            except Empty:
                return
            finally:
                client.close()

        with ThreadPoolExecutor(self._plan.workers) as pool:
            try:
                for done in [pool.submit(work, worker) for worker in range(self._plan.workers)]:
                    done.result()
            except BaseException:
                self._stop.set()
                raise

    def _one(self, pod: Pod, *, counted: bool) -> None:
        life = pod.life
        try:
            pod.live()
        except Stopped:
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told with the command that repeats it
            text = str(error) if isinstance(error, Violation) else traceback.format_exc()
            with self._guard:
                self.report.violations.append(
                    f"life {life.number}: {text}\n  its plan: {life}\n"
                    f"  live it again alone: {replay(self._plan, life.number, alone=True)}\n"
                    f"  and among others: {replay(self._plan, life.number, alone=False)}"
                )
            return
        if counted:
            with self._guard:
                self.report.lives += 1
                self.report.files += len(life.files)
                self.report.written += sum(file.size for file in life.files)
            self._told(self.report.lives)

    def _sample(self, ground: Ground) -> None:
        node, proxy = ground.processes
        self.report.node.append((self.report.lives, residue.memory(node)))
        self.report.proxy.append((self.report.lives, residue.memory(proxy)))
        self.report.resident.append((self.report.lives, residue.resident(node), residue.resident(proxy)))

    def _judge(self) -> None:
        """Memory, over all lives of the node and over those of the proxy that was left alone."""
        for name, samples in (("node", self.report.node), ("proxy", self.report.proxy)):
            found = trend(samples)
            if found and not found.is_flat:
                self.report.violations.append(
                    f"the {name} grows by {found.per_life:.0f} bytes a life: {found.growth / 2**20:.1f} MiB "
                    f"in the later half, and {BOUND >> 20} are allowed"
                )

    def _left(self) -> list[str]:
        node = self._directory / "node"
        return [
            *residue.mounts(self._directory),
            *residue.loop_devices(self._directory),
            *residue.strangers(node, {os.getpid()}),
        ]

    def _report(self, ground: Ground) -> None:
        self.report.calls = ground.tally.calls
        self.report.unanswered = ground.tally.lost.total()
        self.report.kills = len(ground.keeper.deaths)
        self.report.faults = ground.counts["ordered"] - ground.counts["called off"]
        self.report.restarts = ground.counts["restarts"]
        self.report.retries = ground.counts["retries"]
