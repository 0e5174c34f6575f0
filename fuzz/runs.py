"""Engine processes, a few at a time, and what they say."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from fuzz.corpus import CRASHES, HERE

_GRACE = 120  # seconds beyond its time that an engine may need to load its corpus and to end
_LOG_END = 6000
_IN_MEMORY = "/dev/shm"  # some targets write files all the time
_TROUBLE = re.compile(r"=== Uncaught Python exception|==\d+== ?ERROR|Traceback \(most recent call last\)")
_EXECUTIONS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_COVERAGE = re.compile(r"cov: (\d+)")


@dataclass(frozen=True, slots=True)
class Run:
    """One target's run: what was tried and covered, the files that broke a promise, and what its
    log says of that."""

    name: str
    broken: bool
    executions: int
    coverage: int
    crashes: tuple[str, ...]
    log: str


def fuzz(names: Sequence[str], seconds: int, jobs: int, report: Callable[[Run], None]) -> Iterator[Run]:
    """Run every target; ``report`` hears of each as soon as it has ended."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda name: _reported(_run(name, seconds), report), names)


def _reported(run: Run, report: Callable[[Run], None]) -> Run:
    report(run)
    return run


def _run(name: str, seconds: int) -> Run:
    before = set(_files(name))
    command = [sys.executable, "-m", "fuzz.engine", name, str(seconds)]
    with tempfile.TemporaryDirectory(dir=_IN_MEMORY if os.path.isdir(_IN_MEMORY) else None) as scratch:
        status, output = _engine(command, scratch, seconds)
    text = output.decode("utf-8", "replace")
    return Run(
        name,
        status != 0,
        max(map(int, _EXECUTIONS.findall(text)), default=0),
        max(map(int, _COVERAGE.findall(text)), default=0),
        tuple(sorted(set(_files(name)) - before)),
        _trouble(text),
    )


def _engine(command: Sequence[str], scratch: str, seconds: int) -> tuple[int, bytes]:
    """Run an engine to its end; its exit status and what it said."""
    try:
        done = subprocess.run(
            command,
            cwd=os.path.dirname(HERE),
            env={**os.environ, "TMPDIR": scratch},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds + _GRACE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return -1, (error.output or b"") + b"\nthe engine did not end"
    return done.returncode, done.stdout


def _trouble(log: str) -> str:
    """The log from what went wrong on; its end where nothing says so."""
    found = _TROUBLE.search(log)
    return log[found.start() :][:_LOG_END] if found else log[-_LOG_END:]


def _files(name: str) -> list[str]:
    """The inputs of a target that broke a promise, in this run or an earlier one."""
    if not os.path.isdir(CRASHES):
        return []
    return [
        os.path.join(CRASHES, file)
        for file in os.listdir(CRASHES)
        if re.fullmatch(rf"{re.escape(name)}-(crash|timeout|oom|leak)-[0-9a-f]+", file)
    ]
