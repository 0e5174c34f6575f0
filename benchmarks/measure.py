"""What every benchmark measures with: processor time of a process, rounds by turns, medians, tables."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Row:
    """One figure: what it is, what was measured, its target ("" for none), and whether it is met."""

    figure: str
    value: str
    target: str = ""
    met: bool | None = None


def processor_seconds(process: int) -> float:
    """What a process and its threads have used of the processors so far."""
    total = 0
    for thread in os.listdir(f"/proc/{process}/task"):
        try:
            total += int(Path(f"/proc/{process}/task/{thread}/schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total / 1e9


def all_processor_seconds(process: int) -> float:
    """The same with threads that have ended, in the clock's coarser ticks."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident_bytes(process: int) -> int:
    """The memory of a process that is its own: resident, less what it shares as files."""
    fields = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return 1024 * int(next(line for line in fields if line.startswith("Rss:")).split()[1])


@contextmanager
def process(
    command: Sequence[str], *, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A server that prints a line once it answers."""
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", **(environment or {})},
    )
    try:
        assert running.stdout is not None
        if not running.stdout.readline():
            raise RuntimeError(f"{command[0]} did not start")
        yield running
    finally:
        running.terminate()
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        running.stdout.close()


@contextmanager
def directory() -> Iterator[Path]:
    """A directory with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="b", dir="/tmp") as name:
        yield Path(name)


def by_turns(rounds: int, subjects: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Measure each subject once a round, another one first each time."""
    found: dict[str, list[float]] = {name: [] for name in subjects}
    names = list(subjects)
    for turn in range(rounds):
        for at in range(len(names)):
            name = names[(turn + at) % len(names)]
            found[name].append(subjects[name]())
    return found


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' ratios: what disturbs a round disturbs both."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))


def timed(work: Callable[[], object]) -> float:
    """Seconds that some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def python(*arguments: str) -> list[str]:
    """A command that runs this interpreter."""
    return [sys.executable, *arguments]


def table(rows: Sequence[Row]) -> str:
    """A Markdown table."""
    lines = ["| figure | measured | target | |", "|---|---|---|---|"]
    for row in rows:
        mark = "" if row.met is None else "met" if row.met else "missed"
        lines.append(f"| {row.figure} | {row.value} | {row.target} | {mark} |")
    return "\n".join(lines)
