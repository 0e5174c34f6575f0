"""``python -m tests.soak``: pods live where much goes wrong; nothing is lost, nothing is left."""

import argparse
import json
import math
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from tests import leaks
from tests.soak.plan import Store
from tests.soak.run import KILL_EVERY, STRETCH, Plan, Report, Soak
from tests.soak.trend import trend

WORKERS = 5
# How many lives are many: shares and LUNs need servers, real file systems drivers, and each life its time.
LIVES = {Store.DIRECTORY: 10_000, Store.IMAGE: 200, Store.SMB: 200, Store.ISCSI: 200}
# Where files are that nobody needs afterwards: in memory, where there is enough of it.
_IN_MEMORY, _ENOUGH = "/dev/shm", 2 << 30


def main(argv: Sequence[str]) -> int:
    """Give 0 when every promise held, 1 when one did not."""
    given = _parser().parse_args(argv)
    seed = random.randrange(1 << 32) if given.seed is None else given.seed
    for number in (signal.SIGTERM, signal.SIGINT):  # a shell's background has the latter ignored
        signal.signal(number, signal.default_int_handler)
    # On standard error: standard output is for the result.
    screen = Console(stderr=True, soft_wrap=True)
    reports = []
    for store in [Store(given.store)] if given.store else LIVES:
        lives = given.lives if given.lives is not None else LIVES[store]
        tail = given.tail if given.tail is not None else lives // 10
        plan = Plan(
            store,
            lives,
            seed,
            given.workers,
            given.first,
            tail,
            given.stretch,
            given.kill_every,
            given.minutes,
        )
        reports.append(_soak(screen, plan, keep=given.keep))
        if reports[-1].violations:
            break
    if given.output == "json":
        json.dump([figures(report) for report in reports], sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        for report in reports:
            show(Console(), report)
    return 1 if any(report.violations for report in reports) else 0


def _soak(screen: Console, plan: Plan, *, keep: bool) -> Report:
    screen.print(
        f"seed {plan.seed}: {plan.lives} lives on {plan.store.value}, {plan.workers} at a time; "
        f"the proxy is killed every {plan.kill_every}th, and left alone in {plan.tail} more"
    )
    directory = Path(tempfile.mkdtemp(prefix="cp-", dir=_parent()))
    with _secrets(), _progress(screen, plan) as told:
        soak = Soak(directory, plan, _find, told)
        try:
            report = soak.run()
        except KeyboardInterrupt:
            report = soak.report
            report.violations.append("somebody has stopped it")
        leaks.search(directory)
        report.violations += [f"a secret is in {place}" for place in leaks.found()]
    if report.violations or keep:
        screen.print(f"everything is in {directory}")
    else:
        shutil.rmtree(directory)
    return report


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument(
        "--store", choices=[store.value for store in Store], help="where volumes are; default: all in turn"
    )
    parser.add_argument("--lives", type=int, help="default: 10000 on the directory store, 200 elsewhere")
    parser.add_argument("--seed", type=int, help="chooses everything in the lives; default: by chance")
    parser.add_argument("--first", type=int, default=0, help="the number of the first life; default 0")
    parser.add_argument(
        "--tail", type=int, help="lives afterwards in which no proxy is killed; default: a tenth"
    )
    parser.add_argument("--workers", type=int, default=WORKERS, help=f"lives at a time; default {WORKERS}")
    parser.add_argument(
        "--stretch", type=int, default=STRETCH, help=f"lives between two looks; default {STRETCH}"
    )
    parser.add_argument(
        "--kill-every", type=int, default=KILL_EVERY, help=f"lives to each kill; default {KILL_EVERY}"
    )
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="begin no further stretch after so long"
    )
    parser.add_argument("--keep", action="store_true", help="leave the node's directory")
    parser.add_argument("-o", "--output", choices=["table", "json"], default="table")
    return parser


def _parent() -> str:
    room = os.path.isdir(_IN_MEMORY) and shutil.disk_usage(_IN_MEMORY).free > _ENOUGH
    return _IN_MEMORY if room else tempfile.gettempdir()


def _find(program: str) -> str:
    path = shutil.which(program, path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin:/sbin")
    if path is None:
        raise SystemExit(f"{program} is not installed: run make system-packages")
    return path


@contextmanager
def _secrets() -> Iterator[None]:
    """Have the passwords of this run noted, so that everything that is left can be searched for them."""
    handle, registry = tempfile.mkstemp(prefix="cp-secrets-")
    os.close(handle)
    os.environ[leaks.REGISTRY] = registry
    try:
        yield
    finally:
        del os.environ[leaks.REGISTRY]
        os.unlink(registry)


@contextmanager
def _progress(screen: Console, plan: Plan) -> Iterator[Callable[[int], object]]:
    """A bar for people; a pipe gets a line now and then."""
    total = plan.lives + plan.tail
    if not screen.is_terminal:
        every = max(1, total // 20)
        yield lambda lives: screen.print(f"  {lives} of {total} lives") if lives % every == 0 else None
        return
    columns = (TextColumn("lives"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen) as progress:
        task = progress.add_task("lives", total=total)
        told: Callable[[int], None] = lambda lives: progress.update(task, completed=lives)  # noqa: E731
        yield told


def figures(report: Report) -> dict[str, object]:
    """Everything as JSON has it; memory is bytes."""
    found = asdict(report)
    plan = found.pop("plan")
    plan["store"] = report.plan.store.value
    del plan["minutes"]
    trends = {name: trend(samples) for name, samples in (("node", report.node), ("proxy", report.proxy))}
    growth = {name: asdict(one) if one else None for name, one in trends.items()}
    return {"plan": plan, **found, "trends": growth, "held": not report.violations}


def show(screen: Console, report: Report) -> None:
    """The same as a table."""
    table = Table(
        "", "", title=f"soak: {report.plan.store.value}, seed {report.plan.seed}", show_header=False
    )
    rate = report.lives / report.seconds if report.seconds else 0.0
    for name, value in (
        ("lives", f"{report.lives} of {report.plan.lives + report.plan.tail} ({rate:.1f}/s)"),
        ("seconds", f"{report.seconds:.0f}"),
        ("calls", f"{report.calls}, {report.unanswered} of them without an answer"),
        ("audit records", f"{report.records}"),
        ("tries that failed and were made again", f"{report.retries}"),
        ("proxies killed", f"{report.kills}"),
        ("faults that happened", f"{report.faults}"),
        ("servers restarted", f"{report.restarts}"),
        ("files written and compared", f"{report.files} ({report.written / 2**20:.0f} MiB)"),
        ("looks at everything", f"{report.looks}"),
        ("memory of the node", _memory(report.node)),
        ("memory of the last proxy", _memory(report.proxy)),
        ("resident set of the node", _memory([(lives, node) for lives, node, _ in report.resident])),
        ("promises broken", f"{len(report.violations)}"),
    ):
        table.add_row(name, value)
    screen.print(table)
    for line in report.violations:
        screen.print(line, markup=False, highlight=False, soft_wrap=True)


def _memory(samples: Sequence[tuple[int, int]]) -> str:
    if not samples:
        return ""
    text = f"{samples[0][1] / 2**20:.1f} MiB first, {samples[-1][1] / 2**20:.1f} MiB last"
    found = trend(samples)
    return f"{text}, {found.per_life:+.0f} bytes a life in the later half" if found else text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
