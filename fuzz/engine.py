"""One target under atheris, in a process of its own: ``python -m fuzz.engine NAME SECONDS``.

The engine ends its process itself, whether or not it found something, so it cannot share one with anybody.
"""

import importlib
import os
import sys
import warnings

from fuzz.catalogue import CATALOGUE

SLOWEST_INPUT = 10  # seconds
MEMORY_MIB = 2048


def main(name: str, seconds: int) -> None:
    """Fuzz until the time is over (exit 0) or a promise is broken (another status, and a file)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        atheris = importlib.import_module("atheris")
        with atheris.instrument_imports(include=["csiproxy", "fuzz.targets"]):
            from fuzz import corpus
            from fuzz.catalogue import load

            target = load(name)
    flags = [
        f"-max_total_time={seconds}",
        f"-max_len={CATALOGUE[name].largest}",
        f"-timeout={SLOWEST_INPUT}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-artifact_prefix={os.path.join(corpus.CRASHES, name)}-",
        "-print_final_stats=1",
        "-verbosity=1",
        "-reload=0",
    ]
    atheris.Setup([sys.argv[0], *flags, *corpus.prepare(target)], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
