"""``python -m tools.wine``: prepare the bed.  With a program's command, run that in a prefix of its own."""

import subprocess
import sys
import tempfile
from pathlib import Path

from tools.wine.prefix import Prefix
from tools.wine.prepare import Unavailable, prepare


def main(arguments: list[str]) -> int:
    """Prepare; run what is asked for, ``python`` being the Windows Python."""
    try:
        bed = prepare()
    except Unavailable as problem:
        print(f"no Wine: {problem}", file=sys.stderr)
        return 1
    if not arguments:
        print(f"Wine: {bed.root}\nPython: {bed.python}\nfirst prefix: {bed.prefix}")
        return 0
    with tempfile.TemporaryDirectory() as scratch, Prefix(bed, Path(scratch, "prefix")) as prefix:
        program = prefix.python if arguments[0] == "python" else arguments[0]
        return subprocess.run(prefix.command(program, *arguments[1:]), env=prefix.environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
