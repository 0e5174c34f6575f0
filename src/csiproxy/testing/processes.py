"""Processes of demonstrations: started, watched until they are ready, and ended without exception."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Self, TypeVar

from csiproxy.errors import HostUnreachable

T = TypeVar("T")

READY_SECONDS = 30.0
STOP_SECONDS = 15.0
ANSWER_SECONDS = 15.0


class ProcessFailed(Exception):
    """A process did not start, answer or end as it should.  The text names its log."""


def until(condition: Callable[[], object], otherwise: str, seconds: float = READY_SECONDS) -> None:
    """Wait for what is bound to happen; ProcessFailed with the text when it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise ProcessFailed(otherwise)
        time.sleep(0.01)


def patiently(question: Callable[[], T]) -> T:
    """Ask a node that may be starting again at the moment."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            return question()
        except HostUnreachable:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


class Program:
    """A ``csi-proxy`` command that says when it is ready.  What it prints goes to the log file."""

    def __init__(self, name: str, arguments: Sequence[str], log: str) -> None:
        self.name = name
        self._log = log
        reader, writer = os.pipe()
        try:
            with open(log, "ab") as output:
                self._child = subprocess.Popen(  # noqa: S603  the command is this program's own
                    [sys.executable, "-m", "csiproxy", *arguments, "--ready-fd", str(writer)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=(writer,),
                )
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        try:
            self._await_ready(reader)
        except BaseException:
            self.kill()
            raise
        finally:
            os.close(reader)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    def kill(self) -> int:
        """``kill -9``; return the exit status (minus the signal's number)."""
        self._child.kill()
        return self._child.wait(STOP_SECONDS)

    def signal_kill(self) -> None:
        """``kill -9``, without waiting."""
        self._child.kill()

    def signal_end(self) -> None:
        """Ask it to end, without waiting."""
        self._child.terminate()

    def wait_for_end(self) -> int:
        """Return its exit status once it has ended, however long that takes."""
        return self._child.wait()

    def stop(self) -> int:
        """Ask it to end and return its exit code; one that does not end is killed, which is a failure."""
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Return its exit code once it has ended; one that does not end is killed, which is a failure."""
        try:
            return self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ProcessFailed(f"the {self.name} did not end within {STOP_SECONDS:g} s") from None

    def _await_ready(self, reader: int) -> None:
        if not select.select([reader], [], [], READY_SECONDS)[0]:
            raise ProcessFailed(f"the {self.name} was not ready within {READY_SECONDS:g} s; see {self._log}")
        if os.read(reader, 16) != b"READY\n":
            raise ProcessFailed(f"the {self.name} ended at its start: {_last_line(self._log)}")


@dataclass(frozen=True, slots=True)
class Report:
    """What a workload says: cycles of writing and reading back, and of what it found in the end."""

    cycles: int
    problem: str
    records: int = 0
    sha256: str = ""


class Workload:
    """The pod's process on a directory.  ``role`` is ``write``, ``continue`` or ``verify``."""

    def __init__(self, role: str, directory: str, log: str) -> None:
        with open(log, "ab") as errors:
            self._child = subprocess.Popen(  # noqa: S603  the command is this program's own
                [sys.executable, "-m", "csiproxy.testing.workload", role, directory],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=0,
            )
        self._log = log
        self._received = b""

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    def report(self) -> Report:
        """Ask how far it is; raise :class:`ProcessFailed` when it has met an error or does not answer."""
        self._tell("report")
        return self._report()

    def go_on_until(self, cycles: int) -> Report:
        """Wait until it has done that many cycles in all."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while (report := self.report()).cycles < cycles:
            if time.monotonic() > deadline:
                raise ProcessFailed(f"the workload stands still at {report.cycles} cycles")
            time.sleep(0.01)
        return report

    def finish(self) -> Report:
        """Let it finish, and return what it has written."""
        self._tell("finish")
        return self.result()

    def result(self) -> Report:
        """What it says at its end."""
        report = self._report()
        self.close()
        return report

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End it, whatever it does; twice is fine."""
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                stream.close()
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait(STOP_SECONDS)

    def _tell(self, word: str) -> None:
        try:
            os.write(_pipe(self._child.stdin), f"{word}\n".encode("ascii"))
        except BrokenPipeError:
            raise ProcessFailed(f"the workload has ended: {_last_line(self._log)}") from None

    def _report(self) -> Report:
        report = Report(**json.loads(self._line()))
        if report.problem:
            raise ProcessFailed(f"the workload met an error: {report.problem}")
        return report

    def _line(self) -> bytes:
        output = _pipe(self._child.stdout)
        while b"\n" not in self._received:
            if not select.select([output], [], [], ANSWER_SECONDS)[0]:
                raise ProcessFailed(f"the workload does not answer; see {self._log}")
            data = os.read(output, 4096)
            if not data:
                raise ProcessFailed(f"the workload has ended: {_last_line(self._log)}")
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        return line


def _pipe(stream: IO[bytes] | None) -> int:
    if stream is None or stream.closed:
        raise ProcessFailed("the workload was ended already")
    return stream.fileno()


def _last_line(log: str) -> str:
    with open(log, "rb") as file:
        lines = file.read()[-4096:].decode("utf-8", "replace").strip().splitlines()
    return f"{lines[-1]} (its log: {log})" if lines else f"it said nothing in {log}"
