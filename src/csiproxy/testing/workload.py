"""The pod's own process: writes through the pod's path and reads back, again and again.

    python -m csiproxy.testing.workload write PATH      until told to finish, on standard input
    python -m csiproxy.testing.workload continue PATH   the same, after what an earlier one wrote, if anything
    python -m csiproxy.testing.workload verify PATH     look at what another one wrote

It says what it did as one line of JSON for each line that it is told (``report``, ``finish``), and ends when
its standard input does.  It knows nothing of the proxy: it has a directory, as a container has.
"""

import json
import os
import sys
import threading
from hashlib import sha256

FILE = "journal"
RECORD_BYTES = 1024
PAUSE_SECONDS = 0.005


class Corrupt(Exception):
    """What was read is not what was written."""


def record(number: int) -> bytes:
    """Return the record of that number, whose every byte its number decides."""
    head = f"{number:012d} ".encode("ascii")
    return (head + sha256(head).hexdigest().encode("ascii") * 16)[: RECORD_BYTES - 1] + b"\n"


def checksum(directory: str) -> tuple[int, str]:
    """Read the journal and return its records and SHA-256; raise :class:`Corrupt` for a wrong record."""
    digest = sha256()
    number = 0
    with open(os.path.join(directory, FILE), "rb") as journal:
        while data := journal.read(RECORD_BYTES):
            if data != record(number):
                raise Corrupt(f"record {number} is not what was written")
            digest.update(data)
            number += 1
    return number, digest.hexdigest()


class Writer:
    """Appends and reads back in a thread of its own, through a file that stays open and through the path.

    ``written`` are the records that are there already, None where there must be no journal yet; ``cycles``
    goes on from there.
    """

    def __init__(self, directory: str, written: int | None = None) -> None:
        self._path = os.path.join(directory, FILE)
        self._mode = "xb" if written is None else "ab"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.cycles = written or 0
        self.problem = ""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self) -> None:
        """Finish the cycle that runs, and no more."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            with open(self._path, self._mode, buffering=0) as journal:
                while not self._stop.wait(PAUSE_SECONDS):
                    self._cycle(journal.fileno())
        except (OSError, Corrupt) as error:
            self.problem = f"{type(error).__name__}: {error}"

    def _cycle(self, journal: int) -> None:
        expected = record(self.cycles)
        if os.write(journal, expected) != RECORD_BYTES:
            raise Corrupt("a record was written in part only")
        os.fsync(journal)
        with open(self._path, "rb") as reader:
            reader.seek(self.cycles * RECORD_BYTES)
            if reader.read() != expected:
                raise Corrupt(f"record {self.cycles} reads back differently")
        self.cycles += 1


def _say(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def _written(directory: str) -> int:
    """The records that an earlier workload wrote, each looked at; 0 on a fresh volume."""
    return checksum(directory)[0] if os.path.exists(os.path.join(directory, FILE)) else 0


def _write(directory: str, written: int | None = None) -> None:
    writer = Writer(directory, written)
    writer.start()
    for line in sys.stdin:
        if line.strip() == "finish":
            break
        _say(cycles=writer.cycles, problem=writer.problem)
    writer.finish()
    records, digest = checksum(directory)
    _say(cycles=writer.cycles, problem=writer.problem, records=records, sha256=digest)


def main(arguments: list[str]) -> int:
    """Run one of the roles; exit code 1 and a line of text when the files are not what they should be."""
    role, directory = arguments
    try:
        if role == "write":
            _write(directory)
        elif role == "continue":
            _write(directory, _written(directory))
        else:
            records, digest = checksum(directory)
            _say(cycles=0, problem="", records=records, sha256=digest)
    except (OSError, Corrupt) as error:
        sys.stderr.write(f"workload: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
