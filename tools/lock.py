"""Write requirements/*.txt: what `make` installs, every package with its version and the hashes of its files.

    python -m tools.lock [--upgrade]

One file for the program itself (run), one for each extra that `make` installs, and one for what builds it
(backend), for every system and Python that is supported, all of them with the same versions.  What is locked
stays until pyproject.toml asks for something else; with --upgrade everything becomes what is newest.
"""

import argparse
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = ROOT / "requirements"
EVERYTHING = "everything"
EXTRAS = ("test", "lint", "docs", "bench", "fuzz", "release")
EDITABLE = "editables"  # what hatchling makes editable installations with
HEADER = "# Written by tools/lock.py (make lock) from pyproject.toml.  Not for hands.\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.lock", description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest of everything")
    upgrade = parser.parse_args().upgrade
    LOCKS.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".in") as backend:
        build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
        backend.write("\n".join([*build, EDITABLE, ""]))
        backend.flush()
        whole = ["pyproject.toml", backend.name, "--all-extras"]
        _compile(EVERYTHING, [*whole, *(["--upgrade"] if upgrade else [])])
        same = ["--constraints", str(LOCKS / f"{EVERYTHING}.txt"), "--upgrade"]
        _compile("backend", [backend.name, *same])
        _compile("run", ["pyproject.toml", *same])
        for extra in EXTRAS:
            _compile(extra, ["pyproject.toml", "--extra", extra, *same])


def _compile(name: str, options: list[str]) -> None:
    lock = LOCKS / f"{name}.txt"
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
    command += ["--no-header", "--no-annotate", "--python-version", "3.11", "--output-file", str(lock)]
    subprocess.run([*command, *options], cwd=ROOT, check=True)
    lock.write_text(HEADER + lock.read_text().removeprefix(HEADER))


if __name__ == "__main__":
    main()
