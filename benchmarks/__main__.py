"""``python -m benchmarks [--quick] [--json] [NAME …]``."""

import argparse
import json
import sys
from dataclasses import asdict

from benchmarks import audit_trail, core_call, path_exists, pods, sdk_call, start_and_memory, volume_life
from benchmarks.measure import table

BENCHMARKS = {
    "audit_trail": audit_trail.rows,
    "core_call": core_call.rows,
    "path_exists": path_exists.rows,
    "pods": pods.rows,
    "sdk_call": sdk_call.rows,
    "start_and_memory": start_and_memory.rows,
    "volume_life": volume_life.rows,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument(
        "--quick", action="store_true", help="one short round: shows that they run, not how fast"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    given = parser.parse_args()
    if unknown := set(given.names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(unknown)}")
    rounds, seconds = (1, 0.05) if given.quick else (7, 0.7)
    found = []
    for name, rows in BENCHMARKS.items():
        if not given.names or name in given.names:
            if sys.stderr.isatty():
                print(f"{name} …", file=sys.stderr)
            found += rows(rounds, seconds)
    print(json.dumps([asdict(row) for row in found]) if given.json else table(found))


if __name__ == "__main__":
    main()
