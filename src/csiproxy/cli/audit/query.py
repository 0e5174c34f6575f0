"""``csi-proxy audit query``: the calls of a trail that are about something."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from csiproxy.audit import files, kubernetes
from csiproxy.audit.calls import Call, calls_of
from csiproxy.audit.subjects import path_of
from csiproxy.cli.audit.trail import COLUMNS, Moment, row, trail_argument
from csiproxy.cli.failure import Failure, Problem
from csiproxy.cli.output import Output, console, output_option, table

Test = Callable[[Call], bool]
EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What calls are wanted; None and "" are no condition."""

    disk: int | None = None
    volume: str = ""
    path: str = ""
    pod: str = ""
    claim: str = ""
    caller: str = ""
    rpc: str = ""
    outcome: str = ""
    since: datetime | None = None
    until: datetime | None = None
    changes: bool = False

    def tests(self, volumes: frozenset[str]) -> list[Test]:
        """The conditions; ``volumes`` are the names of the claim's PersistentVolumes."""
        disk, path = str(self.disk), path_of(self.path)
        guid = self.volume.lower().removeprefix("\\\\?\\").strip("\\").removeprefix("volume").strip("{}")
        below = f"{path}\\"
        since, until = self.since or EVER, self.until or EVER
        conditions: tuple[tuple[object, Test], ...] = (
            (self.disk is not None, lambda call: disk in call.subjects.disks),
            (guid, lambda call: guid in call.subjects.volumes),
            (path, lambda call: any(f"{at}\\".startswith(below) for at in call.subjects.paths)),
            (self.pod, lambda call: self.pod.lower() in call.subjects.pods),
            (self.claim, lambda call: bool(volumes & call.subjects.persistent_volumes)),
            (self.caller, lambda call: _is_caller(call, self.caller)),
            (self.rpc, lambda call: self.rpc.lower() in call.rpc.lower()),
            (self.outcome, lambda call: _ended(call, self.outcome)),
            (self.since, lambda call: call.time >= since),
            (self.until, lambda call: call.time <= until),
            (self.changes, lambda call: not call.reads),
        )
        return [test for wanted, test in conditions if wanted]


@click.command("query")
@trail_argument
@click.option("--disk", type=click.IntRange(min=0), help="a disk's number")
@click.option("--volume", default="", metavar="ID", help=r"a volume: its GUID, or \\?\Volume{GUID}\ ")
@click.option("--path", default="", metavar="PATH", help="a path, and all below it")
@click.option("--pod", default="", metavar="UID", help="the pod with this UID")
@click.option(
    "--claim",
    default="",
    metavar="CLAIM",
    help="a PersistentVolume's name, a claim's UID or, with --kubernetes-log, namespace/name of a claim",
)
@click.option(
    "--caller", default="", metavar="TEXT", help="a process' number, or part of its program or account"
)
@click.option("--rpc", default="", metavar="TEXT", help="part of a method's name: MountVolume, v1.Disk")
@click.option(
    "--outcome", default="", metavar="STATUS", help="OK, NOT_FOUND, …; or: failed, refused, unfinished"
)
@click.option(
    "--since", type=Moment(), metavar="TIME", help="from a time on (2026-01-31T12:00:00Z, or 2h ago)"
)
@click.option("--until", type=Moment(), metavar="TIME", help="up to a time")
@click.option("--changes", is_flag=True, help="without calls that only ask")
@click.option("--kubernetes-log", metavar="FILE", type=click.Path(exists=True), help="a Kubernetes audit log")
@output_option
@click.pass_obj
def query(output: Output, /, trail: str, kubernetes_log: str | None, **wanted: object) -> None:
    """List the calls of a trail that fit all conditions, in the order of time.

    With -o json, whole records, one a line.
    """
    conditions = Wanted(**wanted)  # type: ignore[arg-type]  # the options are its fields
    tests = conditions.tests(_volumes(conditions.claim, kubernetes_log))
    found = sorted(
        (call for call in calls_of(files.all_files(trail)) if all(test(call) for test in tests)),
        key=lambda call: call.time,
    )
    if output.json:
        write_records(found)
    else:
        show(found)


def show(calls: list[Call]) -> None:
    """Print calls as a table."""
    console().print(table(COLUMNS, map(row, calls)))


def write_records(calls: list[Call]) -> None:
    """Write whole records, one a line."""
    for call in calls:
        sys.stdout.write(json.dumps(call.record) + "\n")


def _volumes(claim: str, log: str | None) -> frozenset[str]:
    if not claim:
        return frozenset()
    if "/" in claim:
        if log is None:
            raise Failure(
                Problem(
                    f"which volume the claim {claim} has is in Kubernetes' log: name it with --kubernetes-log"
                )
            )
        with open(log, "rb") as lines:
            volume = kubernetes.read(lines).volume_of(claim)
        if not volume:
            raise Failure(Problem(f"the log {log} does not tell which volume the claim {claim} has"))
        return frozenset({volume.lower()})
    return frozenset({claim.lower(), f"pvc-{claim.lower()}"})


def _is_caller(call: Call, text: str) -> bool:
    caller = call.record.get("caller")
    if not isinstance(caller, dict):
        return False
    if text.isdigit() and caller.get("pid") == int(text):
        return True
    return any(text.lower() in str(caller.get(part) or "").lower() for part in ("image", "account"))


def _ended(call: Call, outcome: str) -> bool:
    wanted = outcome.upper()
    if wanted == "FAILED":
        return call.outcome != "OK"
    return call.refused if wanted == "REFUSED" else call.outcome == wanted
