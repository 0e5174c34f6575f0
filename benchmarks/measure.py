"""What every benchmark measures with: processor time of a process, rounds by turns, medians, tables."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True)
class Row:
    """One figure: what it is, what was measured, its target ("" for none), and whether it is met."""

    figure: str
    value: str
    target: str = ""
    met: bool | None = None


def processor_seconds(process: int) -> float:
    """What a process has used of the processors so far, with threads that have ended, to the nanosecond.

    The number is the clock's that clock_getcpuclockid(3) gives for another process.
    """
    return time.clock_gettime_ns(~process << 3 | 2) / 1e9


def resident_bytes(process: int) -> int:
    """The resident memory of a process, with what it shares of files (the interpreter's own among them)."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("Rss:")).split()[1])


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
    with running:  # closes the pipe in the end
        try:
            if not running.stdout or not running.stdout.readline():
                raise RuntimeError(f"{command[0]} did not start")
            yield running
        finally:
            running.terminate()
            try:
                running.wait(10)
            except subprocess.TimeoutExpired:
                running.kill()


@contextmanager
def directory() -> Iterator[Path]:
    """A directory with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="b", dir="/tmp") as name:
        yield Path(name)


def by_turns(rounds: int, subjects: Mapping[str, Callable[[], Result]]) -> dict[str, list[Result]]:
    """Measure each subject once a round, another one first each time."""
    found: dict[str, list[Result]] = {name: [] for name in subjects}
    names = list(subjects)
    for turn in range(rounds):
        for at in range(len(names)):
            name = names[(turn + at) % len(names)]
            found[name].append(subjects[name]())
    return found


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' ratios: what disturbs a round disturbs both."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))


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
