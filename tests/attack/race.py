"""The race: attackers swap, clients fire, a watcher looks, and in the end everything is counted."""

import itertools
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from tests.attack import canaries
from tests.attack.client import OK, Client, Outcome
from tests.attack.ground import DROP, KNOWN, KUBELET, MADE, OUTSIDE, TOPS, Ground, prepare
from tests.attack.openings import Openings

from csiproxy.emulator import connect
from csiproxy.emulator.control import Control
from csiproxy.host.win32 import EntryKind, Win32
from csiproxy.testing.processes import Program

ROOT = Path(__file__).parents[2]
LOOK_SECONDS = 0.1
STOP_SECONDS = 60.0
_MOST_TOLD = 50


@dataclass(frozen=True)
class Plan:
    """How the race is run."""

    tries: int
    seed: int
    attackers: int = 2
    clients: int = 4


@dataclass
class Report:
    """What came of it.  ``escapes`` is empty when nothing outside was touched and every call was answered."""

    seconds: float = 0.0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    swaps: Counter[str] = field(default_factory=Counter)
    noted: int = 0
    looks: int = 0
    kernel: bool = False
    names: bool = False
    strangers: Counter[str] = field(default_factory=Counter)
    escapes: list[str] = field(default_factory=list)

    @property
    def tries(self) -> int:
        """All calls that were answered."""
        return self.outcomes.total()

    def escaped(self, *what: str) -> None:
        """Note escapes; the first of many say enough."""
        self.escapes += what[: max(0, _MOST_TOLD - len(self.escapes))]


class Watcher(threading.Thread):
    """Looks at what must stay as it is, all the time.

    ``suspects`` are the processes that must not open what is outside: the proxy, and the node that walks
    for it.
    """

    def __init__(self, ground: Ground, report: Report) -> None:
        super().__init__(name="watcher")
        self._report = report
        self._ended = threading.Event()
        self._ground = ground
        self._before = canaries.all_below(ground.kept)
        self._contents = canaries.contents(self._before)
        self._openings = Openings(
            path
            for path in canaries.all_below([ground.beyond])
            if os.path.isdir(path) and not os.path.islink(path)
        )
        self.suspects: frozenset[int] = frozenset()
        report.kernel, report.names = self._openings.sees, self._openings.names_processes
        report.strangers = self._openings.strangers

    def run(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        self._report.looks += 1
        self._report.escaped(*self._openings.seen(self.suspects), *canaries.changed(self._before))

    def end(self) -> None:
        """Look for the last time, at contents, too."""
        self._ended.set()
        self.join()
        self._look()
        self._openings.close()
        now = canaries.all_below(self._ground.kept)
        self._report.escaped(*(f"{path} is new outside" for path in now.keys() - self._before.keys()))
        if canaries.contents(now) != self._contents:
            self._report.escaped("a file outside has another content")


def run(directory: str, plan: Plan, progress: Callable[[int], None] = lambda _: None) -> Report:
    """Run the race in an empty directory, whose path leaves room for a socket's name."""
    ground = prepare(directory)
    report = Report()
    watcher = Watcher(ground, report)
    started = monotonic()
    with _processes(ground) as (endpoints, suspects):
        watcher.suspects = suspects
        with _attackers(ground, plan, report):
            watcher.start()
            try:
                _fire(ground, endpoints, plan, report, progress)
            finally:
                report.seconds = monotonic() - started
        watcher.end()
        _look_at_links(ground, connect.connect(ground.node, start=False).win32, report)
    _look_at_audit(ground, report)
    return report


def tell(report: Report) -> None:
    """Print what was tried, what succeeded, what was refused and why, and what escaped."""
    swaps = report.swaps.total() - report.swaps["in vain"]
    rate = report.tries / report.seconds
    print(f"{report.tries} tries in {report.seconds:.1f} s ({rate:.0f}/s), {swaps} swaps")
    print("swaps: " + ", ".join(f"{name} {count}" for name, count in report.swaps.most_common()))
    by_outcome: Counter[str] = Counter()
    by_rpc: dict[str, Counter[bool]] = {}
    for (rpc, outcome), count in report.outcomes.items():
        by_outcome[outcome] += count
        by_rpc.setdefault(rpc, Counter())[outcome == OK] += count
    print("outcomes: " + ", ".join(f"{name} {count}" for name, count in by_outcome.most_common()))
    for rpc in sorted(by_rpc):
        print(f"  {rpc:<52} {by_rpc[rpc][True]:>7} ok {by_rpc[rpc][False]:>7} refused")
    kernel = (
        "the kernel names who opens" if report.names
        else "the kernel tells of openings, and not whose they are" if report.kernel
        else "this host does not tell of openings"
    )  # fmt: skip
    print(f"audited escape attempts: {report.noted}; looks at the outside: {report.looks} ({kernel})")
    for stranger, count in report.strangers.most_common():
        print(f"opened by a stranger: {count} times by process {stranger}")
    print("ESCAPES:" if report.escapes else "nothing outside the prefix was touched")
    for escape in report.escapes:
        print(f"  {escape}")


@contextmanager
def _processes(ground: Ground) -> Iterator[tuple[str, frozenset[int]]]:
    """The node and its proxy, each a process; gives the directory of the sockets, and both pids."""
    log = os.path.join(ground.directory, "log")
    host = f"emulator:{ground.node}"
    node = Program("node", ("emulator", "run", "--state", ground.node), log)
    try:
        trail = ("--audit-log", os.path.join(ground.directory, "audit"))
        proxy = Program("proxy", ("serve", "--host", host, "--caller-rate", "1000000", *trail), log)
        try:
            yield os.path.join(ground.node, "endpoints"), frozenset((node.pid, proxy.pid))
        finally:
            proxy.stop()
    finally:
        with Control(ground.node) as control:
            control.stop()
        node.wait()


@contextmanager
def _attackers(ground: Ground, plan: Plan, report: Report) -> Iterator[None]:
    children: list[subprocess.Popen[str]] = []
    with ExitStack() as stack:
        for number in range(plan.attackers):
            command = (ground.directory, str(plan.seed * 1000 + number), *ground.volumes)
            child = subprocess.Popen(
                [sys.executable, "-m", "tests.attack.attacker", *command],
                cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            children.append(stack.enter_context(child))
        try:
            yield
        finally:
            for child in children:
                output, _ = child.communicate(timeout=STOP_SECONDS)
                told = json.loads(output) if child.returncode == 0 else {"done": {}, "left": []}
                if child.returncode:
                    report.escaped(f"an attacker ended with {child.returncode}, so nothing is proved")
                report.swaps.update(told["done"])
                report.escaped(*told["left"])


def _fire(
    ground: Ground, endpoints: str, plan: Plan, report: Report, progress: Callable[[int], None]
) -> None:
    count = itertools.count(1)

    def take() -> bool:
        number = next(count)
        progress(number)
        return number <= plan.tries

    clients = [Client(ground, endpoints, plan.seed * 1000 + number, take) for number in range(plan.clients)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
        report.outcomes.update(client.results.outcomes)
        report.escaped(*client.results.wrong)


def _look_at_audit(ground: Ground, report: Report) -> None:
    """Every call has its record, and none made the proxy itself fail."""
    with open(os.path.join(ground.directory, "audit"), "rb") as file:
        records = [record for record in map(json.loads, file) if "rpc" in record]
    if len(records) != report.tries:
        report.escaped(f"{report.tries} calls left {len(records)} audit records")
    report.noted = sum(
        any(note["event"] == "escape-attempt" for note in record["notes"]) for record in records
    )
    with open(os.path.join(ground.directory, "log"), "rb") as file:
        log = file.read().decode("utf-8", "replace")
    if "incident" in log or "Traceback" in log:
        report.escaped(f"a process failed: {log[-2000:]}")


def _look_at_links(ground: Ground, win32: Win32, report: Report) -> None:
    """Links of clients lead under the prefix; volumes are mounted there, and outside where they were."""
    outside = {ground.secret: OUTSIDE, ground.volumes[0]: KNOWN}
    for volume in (*ground.volumes, ground.secret):
        points = win32.mount_points(volume)
        allowed = (OUTSIDE,) if volume == ground.secret else (KUBELET, KNOWN, DROP)
        wrong = [point for point in points if not point.startswith(allowed)]
        report.escaped(*(f"{volume} is mounted at {point}" for point in wrong))
        if volume in outside and not any(point.startswith(outside[volume]) for point in points):
            report.escaped(f"{volume} is not mounted outside any more, but at {points}")
    for top in TOPS:
        _look_below(win32, top, report)


def _look_below(win32: Win32, path: str, report: Report) -> None:
    with win32.open_root(path) as directory:
        for entry in win32.entries(directory):
            here = f"{path}\\{entry.name}"
            made = entry.name.startswith(MADE) and entry.kind.is_link
            if made and not entry.target.startswith(KUBELET + "\\"):
                report.escaped(f"{here} leads to {entry.target}")
            elif entry.kind is EntryKind.DIRECTORY:
                _look_below(win32, here, report)
