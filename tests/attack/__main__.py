"""``python -m tests.attack``: attack a proxy in every way that the suite knows, and print what came of it.

Without ``--endpoints`` each attack gets a node and a proxy of its own.
"""

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from fnmatch import fnmatch

from tests.attack import deputy, exhaustion, injection, race, replay, squatting
from tests.attack.suite import Attack, Result, attack_foreign, attack_own, table
from tests.attack.target import Target, own

TRIES = 100_000

ATTACKS: tuple[Attack, ...] = (
    *injection.ATTACKS,
    *squatting.ATTACKS,
    *deputy.ATTACKS,
    *exhaustion.ATTACKS,
    *replay.ATTACKS,
)
RACE = Attack("race of links", "nothing outside is touched")


def main(argv: Sequence[str]) -> int:
    """Give 0 when the proxy withstood everything, 1 when it did not."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description="Attack a proxy.")
    parser.add_argument(
        "--tries",
        type=int,
        default=TRIES,
        help=f"calls of the race, and at most of each other attack; default {TRIES}",
    )
    parser.add_argument(
        "--seed", type=int, help="of everything that is by chance (interleaving is the host's)"
    )
    parser.add_argument(
        "--only", default="*", metavar="PATTERN", help="attacks whose names match, like 'CVE*'"
    )
    parser.add_argument(
        "--endpoints", metavar="DIR", help="attack the proxy whose sockets are in DIR, instead of our own"
    )
    parser.add_argument(
        "--pid", type=int, default=0, help="with --endpoints: its process, to look at what it uses"
    )
    parser.add_argument("--audit-log", default="", metavar="FILE", help="with --endpoints: its audit records")
    parser.add_argument("--keep", action="store_true", help="leave the directory of the race")
    given = parser.parse_args(argv)
    seed = random.randrange(1 << 20) if given.seed is None else given.seed
    print(f"seed {seed}, {given.tries} tries", flush=True)
    foreign = Target(given.endpoints, given.pid, given.audit_log) if given.endpoints else None
    rows: list[tuple[Attack, Result]] = []
    for attack in (*ATTACKS, RACE):
        if not fnmatch(attack.name, given.only):
            continue
        if foreign is not None:
            result = attack_foreign(attack, foreign, given.tries, seed)
        elif attack is RACE:
            result = _race(given.tries, seed, keep=given.keep)
        else:
            with own() as made:
                result = attack_own(attack, made, given.tries, seed)
        rows.append((attack, result))
        print(f"  {attack.name}: {result.verdict}, {result.tries} tries", flush=True)
        for problem in result.problems:
            print(f"    {problem}")
    print(table(rows))
    return 1 if any(result.problems for _, result in rows) else 0


def _race(tries: int, seed: int, *, keep: bool) -> Result:
    directory = tempfile.mkdtemp(prefix="cp-")
    report = race.run(directory, race.Plan(tries, seed))
    race.tell(report)
    if keep:
        print(f"everything is in {directory}")
    else:
        shutil.rmtree(directory)
    return Result(report.tries, report.escapes, seconds=report.seconds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
