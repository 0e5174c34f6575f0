"""``csi-proxy audit verify``: is a trail as it was written?"""

import os
from dataclasses import asdict

import click
from rich.console import Console

from csiproxy.audit import head
from csiproxy.audit import verification as looks
from csiproxy.audit.head import End
from csiproxy.audit.key import BadKey, Key
from csiproxy.audit.verification import Report
from csiproxy.cli.audit.trail import trail_argument
from csiproxy.cli.failure import FAILURE, SUCCESS, Failure, Problem
from csiproxy.cli.output import Output, output_option
from csiproxy.host.names import printable


@click.command("verify")
@trail_argument
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="FILE",
    help="the key that signed the trail; may be repeated for a trail of several keys; default: TRAIL.key "
    "where it can be read",
)
@click.option(
    "--head",
    "head_file",
    metavar="FILE",
    help="the head, which tells where the trail ends; default: TRAIL.head where there is one",
)
@click.option(
    "--unsigned",
    is_flag=True,
    help="go by the chain alone where key or head are not there to be read; what that cannot prove is told",
)
@output_option
@click.pass_obj
def verify(
    output: Output, /, trail: str, keys: tuple[str, ...], head_file: str | None, *, unsigned: bool
) -> int:
    """Find out whether records were changed, removed, added, put elsewhere or cut off.

    All files of the trail are read, oldest first; the service may go on meanwhile. The exit code is 0 where
    everything is as it was written, else 1. A key or head that is not there could have been taken away, so
    that is a finding as well, except with --unsigned.
    """
    report = looks.verify(trail, _keys(keys, trail), lambda: _head(head_file, trail), unsigned=unsigned)
    output.result(_plain(report), lambda console: _show(console, report))
    return FAILURE if report.findings else SUCCESS


def _keys(named: tuple[str, ...], trail: str) -> dict[str, bytes]:
    beside = f"{trail}.key"
    paths = named or ((beside,) if os.access(beside, os.R_OK) else ())
    found = {}
    for path in paths:
        with open(path, "rb") as file:
            try:
                key = Key.read(file.read(256))
            except BadKey as error:
                raise Failure(Problem(f"the file {path} {error}: name another one with --key")) from error
        found[key.id] = key.secret
    return found


def _head(named: str | None, trail: str) -> End | None:
    path = named or f"{trail}.head"
    if not named and not os.access(path, os.R_OK):
        return None
    with open(path, "rb") as file:
        found = head.read(file.read(head.SIZE))
    if found is None:
        raise Failure(Problem(f"the file {path} is no head: name another one with --head"))
    return found


def _plain(report: Report) -> dict[str, object]:
    return {
        "intact": not report.findings,
        "findings": [asdict(finding) for finding in report.findings],
        "notes": report.notes,
        "unproven": report.unproven,
        "files": report.files,
        "records": report.records,
        "checkpoints": report.checkpoints,
        "last": report.last.seq,
        "sealed": report.sealed,
    }


def _show(console: Console, report: Report) -> None:
    for finding in report.findings:
        where = f"{finding.file}:{finding.line}" if finding.line else finding.file
        console.print(printable(f"{where}: {finding.text}"), style="red")
    for note in report.notes:
        console.print(printable(f"note: {note}"))
    if not report.findings:
        for what in report.unproven:
            console.print(f"NOT PROVEN: {what}", style="yellow")
    counts = (("record", report.records), ("file", report.files), ("checkpoint", report.checkpoints))
    looked = ", ".join(f"{number} {what}{'' if number == 1 else 's'}" for what, number in counts)
    if report.findings:
        console.print(f"{looked}: NOT as they were written, findings: {len(report.findings)}")
    elif report.unproven:
        console.print(f"{looked}: one follows the other; more is not proven")
    else:
        console.print(f"{looked}: as they were written")
