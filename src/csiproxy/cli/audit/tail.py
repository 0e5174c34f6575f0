"""``csi-proxy audit tail``: the last calls and events of a trail, and those that come."""

import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress

import click

from csiproxy.audit import files
from csiproxy.audit.calls import Call
from csiproxy.cli.audit.trail import row, trail_argument
from csiproxy.cli.output import Output, output_option
from csiproxy.host.names import printable

_PAUSE = 0.2


@click.command("tail")
@trail_argument
@click.option(
    "-n", "--lines", type=click.IntRange(0, 100_000), default=20, show_default=True, help="how many"
)
@click.option("-f", "--follow", is_flag=True, help="go on with what comes, until Ctrl-C")
@output_option
@click.pass_obj
def tail(output: Output, /, trail: str, lines: int, *, follow: bool) -> None:
    """Show the last calls and events, one a line; with -o json as the records are."""
    last: deque[bytes] = deque(maxlen=lines)
    at = _Place(trail)
    for file in files.all_files(trail):
        if file.number:
            last.extend(files.lines(file.path))
    last.extend(at.new())
    for line in last:
        _write(line, plain=output.json)
    sys.stdout.flush()
    while follow:
        for line in at.new():
            _write(line, plain=output.json)
        sys.stdout.flush()
        time.sleep(_PAUSE)


class _Place:
    """Where the reading of a growing file is; files that were put aside are read to their end first.

    A file is open while its lines are read only: Windows renames no file that somebody has open.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: tuple[int, int] | None = None
        self._at = 0

    def new(self) -> Iterator[bytes]:
        """The whole lines since the last time."""
        for path in (*self._put_aside(), self._path):
            with suppress(FileNotFoundError):  # between being put aside and begun anew, or no longer kept
                yield from self._lines(path)

    def _put_aside(self) -> list[str]:
        """The full files from the one that is being read on."""
        if self._file is None or _identity(self._path) == self._file:
            return []
        full = [file.path for file in files.archives(self._path)]
        known = [_identity(path) == self._file for path in full]
        return full[known.index(True) :] if True in known else []

    def _lines(self, path: str) -> Iterator[bytes]:
        with open(path, "rb") as file:
            found = os.fstat(file.fileno())
            if self._file != (found.st_dev, found.st_ino):
                self._file, self._at = (found.st_dev, found.st_ino), 0
            file.seek(self._at)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._at += len(line)
                yield line


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _write(line: bytes, *, plain: bool) -> None:
    record = files.record_of(line)
    if plain:
        sys.stdout.write(line.decode("utf-8", "replace"))
    elif record is None:
        sys.stdout.write(printable(f"? {line[:200].decode('utf-8', 'replace').rstrip()}") + "\n")
    elif "rpc" in record:
        started = "… " if record.get("phase") == "begin" else ""
        moment, rpc, caller, about, outcome = row(Call(record))
        sys.stdout.write(f"{moment}  {started}{printable(rpc)}  {about}  {outcome}  [{printable(caller)}]\n")
    else:
        facts = " ".join(
            f"{name}={value}"
            for name, value in record.items()
            if name not in ("time", "event", "seq", "hash", "configuration", "signature", "digest")
        )
        moment = str(record.get("time"))[:19].replace("T", " ")
        sys.stdout.write(printable(f"{moment}  {record.get('event')}  {facts}") + "\n")
