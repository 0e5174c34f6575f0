"""A fresh interpreter, to see what an import brings with it."""

import subprocess
import sys

from tools.generate_protos import SOURCE


def run(code):
    """Run code with warnings as errors and return the words that it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()
