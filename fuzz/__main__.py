"""``python -m fuzz``: fuzz targets side by side, list them, or replay one input."""

import argparse
import importlib.util
import os
import sys
import traceback
from collections.abc import Sequence

from fuzz.catalogue import CATALOGUE, load
from fuzz.runs import Run, fuzz

SECONDS = 60
_EPILOG = """\
An input that breaks a promise is written to fuzz/crashes/. What it was is seen with
  python -m fuzz --target NAME --replay FILE"""


def main(argv: Sequence[str]) -> int:
    """Give 0 when every promise held, 1 when one was broken, 2 when the engine is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m fuzz",
        description="Fuzz everything that parses, guided by coverage.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--target", action="append", choices=tuple(CATALOGUE), help="only this one; repeatable"
    )
    time = parser.add_mutually_exclusive_group()
    time.add_argument("--seconds", type=int, default=SECONDS, help=f"for each target; default {SECONDS}")
    time.add_argument("--total", type=int, help="seconds for all of them together, in equal parts")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at the same time")
    parser.add_argument("--replay", metavar="FILE", help="try this one input, without the engine")
    parser.add_argument("--list", action="store_true", help="say what the targets promise")
    given = parser.parse_args(argv)
    names: list[str] = given.target or list(CATALOGUE)
    if given.list:
        width = max(map(len, names))
        sys.stdout.writelines(f"{name.ljust(width)}  {CATALOGUE[name].promise}\n" for name in names)
        return 0
    if given.replay is not None:
        if len(names) != 1:
            parser.error("--replay takes one --target")
        return _replay(names[0], given.replay)
    jobs = max(1, min(given.jobs, len(names)))
    seconds = max(1, given.total * jobs // len(names)) if given.total else given.seconds
    return _fuzz(names, seconds, jobs)


def _replay(name: str, path: str) -> int:
    with open(path, "rb") as file:
        data = file.read()
    try:
        load(name).run(data)
    except Exception:  # noqa: BLE001  whatever it is, it is what was looked for
        traceback.print_exc()
        return 1
    sys.stdout.write(f"{name}: every promise holds for the {len(data)} bytes of {path}\n")
    return 0


def _fuzz(names: Sequence[str], seconds: int, jobs: int) -> int:
    if importlib.util.find_spec("atheris") is None:
        sys.stderr.write("fuzzing needs atheris (pip install atheris): it runs on Linux and macOS\n")
        return 2
    sys.stdout.write(f"{len(names)} targets, {seconds} s each, {jobs} at the same time\n")
    broken = [run for run in fuzz(names, seconds, jobs, _report) if run.broken]
    sys.stdout.write(f"{len(names) - len(broken)} of {len(names)} targets kept their promises\n")
    return 1 if broken else 0


def _report(run: Run) -> None:
    sys.stdout.write(f"{run.name}: {run.executions} executions, {run.coverage} points covered\n")
    if run.broken:
        sys.stdout.write(f"{run.log}\n{run.name}: BROKEN\n")
    for path in run.crashes:
        sys.stdout.write(f"  replay: python -m fuzz --target {run.name} --replay {os.path.relpath(path)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
