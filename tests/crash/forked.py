"""A process that forks, so that a node and its proxy together can die between any two calls of the system.

``python -m tests.crash.forked SCENARIO DIRECTORY STORE [SGDISK]`` plays the scenario undisturbed, counting
the calls with which the node and the proxy change anything outside of their process; then once for every such
call, with SIGKILL before it; each time starts both anew, makes the client's call again, and compares.  A
report in JSON goes to standard output.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import FrameType

from tests.crash import scenarios
from tests.crash.calls import Outcome, Request, perform
from tests.crash.picture import Picture, named, picture, table_faults, volume_places
from tests.crash.scenarios import Scenario, seeded_node
from tests.emulated import EmulatedNode

from csiproxy.emulator.volume import StoreKind

# What changes something outside of the process, or says that it is to last.
CHANGES = frozenset(
    [
        *(f"posix.{name}" for name in ("pwrite", "truncate", "ftruncate", "fsync", "chmod")),
        *(f"posix.{name}" for name in ("rename", "replace", "link", "symlink", "unlink", "mkdir", "rmdir")),
        "_posixsubprocess.fork_exec",
        "fcntl.ioctl",
        "Connection.execute",
        "Connection.executemany",
    ]
)
# Called through ctypes, which the interpreter does not tell of: the function around it is.
WRAPPED = "rename_with_flags"
REGULAR_END = 0


@dataclass
class Report:
    """What came of one scenario: the calls that change something, and what went wrong after which kill."""

    scenario: str
    steps: list[str]
    kills: int = 0
    faults: list[str] = field(default_factory=list)


class Steps:
    """A profile function that counts the calls that change something, and may end the process at one."""

    def __init__(self, last: int | None = None) -> None:
        self.names: list[str] = []
        self._last = last

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        name = ""
        if event == "c_call":
            name = ".".join(filter(None, (argument.__module__, argument.__qualname__)))
            name = name if name in CHANGES else ""
        elif event == "call" and frame.f_code.co_name == WRAPPED:
            name = WRAPPED
        if name:
            if len(self.names) == self._last:
                os.kill(os.getpid(), signal.SIGKILL)
            self.names.append(name)


class Play:
    """One scenario in one directory."""

    def __init__(self, scenario: Scenario, directory: Path, store: StoreKind, sgdisk: str) -> None:
        self._scenario = scenario
        self._directory = directory
        self._store = store
        self._sgdisk = sgdisk

    def prepare(self) -> Request:
        """Bring a node into the starting state, and stop it."""
        shutil.rmtree(self._directory, ignore_errors=True)
        node = seeded_node(self._directory, self._store)
        request = self._scenario(node)
        node.close()
        return request

    def disturbed(self, request: Request, last: int | None) -> tuple[int, list[str]]:
        """Make the call in a child that dies at the step; how it ended, and its steps when it did not die."""
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.close(reader)
                node = EmulatedNode(self._directory)
                steps = Steps(last)
                operations = self._operations(node)
                sys.setprofile(steps)
                perform(operations, request)
                sys.setprofile(None)
                os.write(writer, json.dumps(steps.names).encode())
                os._exit(REGULAR_END)
            except BaseException:  # noqa: BLE001 - a forked child must never go on as its parent
                traceback.print_exc()
            os._exit(1)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            told = pipe.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return status, json.loads(told) if told else []

    def repeated(self, request: Request) -> tuple[Outcome, Picture, str]:
        """Start the node and its proxy anew and make the call; also what was wrong with the disks before."""
        node = EmulatedNode(self._directory)
        try:
            faults = self._faults(node, ("after the start", self._sgdisk))
            outcome = perform(self._operations(node), request)
            faults += self._faults(node, ("in the end", self._sgdisk))
            faults += [table_faults(report.image) for report in node.machine.inventory()]
            outcome = replace(outcome, reply=named(outcome.reply, volume_places(node.host)))
            seen = picture(node.host, node.machine.inventory(), node.machine.directory)
        finally:
            node.close()
        return outcome, seen, "; ".join(filter(None, faults))

    def _operations(self, node: EmulatedNode):
        return node.operations(allow_reformat=self._scenario is scenarios.reformatting)

    def _faults(self, node: EmulatedNode, when: tuple[str, str]) -> list[str]:
        faults = [report.problem for report in node.machine.inventory()]
        said, sgdisk = when
        for report in node.machine.inventory() if sgdisk else ():
            # An offline disk is left as it is until it is brought online.
            checked = report.style == "GPT" and not report.offline
            if checked and (fault := sgdisk_fault(sgdisk, report.image)):
                faults.append(f"{said}: {fault}")
        return faults


# What sgdisk rightly says of every disk that was made larger, until the table is next written.
GROWN = "secondary header's self-pointer indicates that it doesn't reside at the end of the disk"


def sgdisk_fault(sgdisk: str, image: str) -> str:
    """What sgdisk has to say against an image; "" when it finds no problem."""
    done = subprocess.run([sgdisk, "-v", image], capture_output=True, text=True)
    said = " ".join(done.stdout.split())
    if "No problems found" in said or (GROWN in said and "Identified 1 problems" in said):
        return ""
    return said + done.stderr


def play(scenario: Scenario, directory: Path, store: StoreKind, sgdisk: str) -> Report:
    """Every kill of one scenario."""
    one = Play(scenario, directory, store, sgdisk)
    request = one.prepare()
    status, steps = one.disturbed(request, None)
    assert status == REGULAR_END
    again, wanted, fault = one.repeated(request)
    report = Report(scenario.__name__, steps)
    if fault:
        report.faults.append(f"undisturbed: {fault}")
    one.prepare()
    first = one.repeated(request)[0]
    for last in range(len(steps)):
        request = one.prepare()
        status, _ = one.disturbed(request, last)
        where = f"before step {last} ({steps[last]})"
        if status != -signal.SIGKILL:
            report.faults.append(f"{where}: the process was not killed but ended with {status}")
            continue
        report.kills += 1
        outcome, seen, fault = one.repeated(request)
        if fault:
            report.faults.append(f"{where}: {fault}")
        if outcome not in (first, again):
            report.faults.append(f"{where}: the repeated call gave {outcome}, not {first} or {again}")
        if seen != wanted:
            report.faults.append(f"{where}: {difference(seen, wanted)}")
    return report


def difference(seen: Picture, wanted: Picture) -> str:
    """The lines in which two pictures differ."""
    keys = sorted(key for key in seen | wanted if seen.get(key) != wanted.get(key))
    return "; ".join(f"{key} is {seen.get(key)!r} instead of {wanted.get(key)!r}" for key in keys)


def main(name: str, directory: str, store: str, sgdisk: str = "") -> None:
    scenario: Callable[..., Request] = getattr(scenarios, name)
    print(json.dumps(asdict(play(scenario, Path(directory), StoreKind(store), sgdisk))))


if __name__ == "__main__":
    main(*sys.argv[1:])
