"""An emulated node, for the benchmarks that need the whole program."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from benchmarks.measure import directory, process, python
from csiproxy.emulator import connect
from csiproxy.emulator.control import Control

NO_HURRY = ("--caller-rate", "99999999")
"""A benchmark calls more often than any driver; the rate is looked at all the same."""


@dataclass(frozen=True)
class Node:
    """A running node: its directory, a directory for other files, and what its operator holds."""

    path: Path
    work: Path
    control: Control

    def proxy(self, audit_log: str = "/dev/null") -> AbstractContextManager[Popen[str]]:
        """A proxy that serves every contract."""
        flags = ("--host", f"emulator:{self.path}", "--audit-log", audit_log, *NO_HURRY)
        return process(python("-m", "csiproxy", "serve", *flags))

    def endpoint(self, name: str) -> Path:
        """The socket of an endpoint, named as in ``filesystem-v1``."""
        return self.path / "endpoints" / f"csi-proxy-{name}.sock"


@contextmanager
def emulated_node() -> Iterator[Node]:
    """A fresh node, which is stopped in the end."""
    with directory() as work:
        path = work / "n"
        connect.connect(str(path))
        with Control(str(path)) as control:
            try:
                yield Node(path, work, control)
            finally:
                control.stop()
