"""``python -m tests.attack``: a race of attackers against a proxy at work, and what came of it."""

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from time import monotonic

from tests.attack.client import OK
from tests.attack.race import Plan, Report, run

TRIES = 100_000
_TOLD_EVERY = 5000


def main(argv: Sequence[str]) -> int:
    """Give 0 when nothing outside the prefix was touched, 1 when something was."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.attack", description="Race against a proxy at work."
    )
    parser.add_argument("--tries", type=int, default=TRIES, help=f"calls that are fired; default {TRIES}")
    parser.add_argument("--seed", type=int, help="of shots and swaps (their interleaving is the host's)")
    parser.add_argument("--attackers", type=int, default=2, help="processes that swap; default 2")
    parser.add_argument("--clients", type=int, default=4, help="threads that fire; default 4")
    parser.add_argument("--keep", action="store_true", help="leave the node's directory")
    given = parser.parse_args(argv)
    seed = random.randrange(1 << 20) if given.seed is None else given.seed
    plan = Plan(given.tries, seed, given.attackers, given.clients)
    print(f"seed {seed}: {plan.attackers} attackers against {plan.clients} clients, {plan.tries} tries")
    directory = tempfile.mkdtemp(prefix="cp-")
    started = monotonic()

    def progress(number: int) -> None:
        if number % _TOLD_EVERY == 0 and number <= plan.tries:
            print(f"  {number} tries, {number / (monotonic() - started):.0f}/s", flush=True)

    report = run(directory, plan, progress)
    tell(report)
    if given.keep:
        print(f"everything is in {directory}")
    else:
        shutil.rmtree(directory)
    return 1 if report.escapes else 0


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
    kernel = "told by the kernel, too" if report.kernel else "this host does not tell of openings"
    print(f"audited escape attempts: {report.noted}; looks at the outside: {report.looks} ({kernel})")
    print("ESCAPES:" if report.escapes else "nothing outside the prefix was touched")
    for escape in report.escapes:
        print(f"  {escape}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
