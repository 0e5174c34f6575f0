"""A node's namespace on directories of the test, in this process."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.emulator.plain_volumes import PlainVolumes

from csiproxy.emulator import hostdir, links
from csiproxy.emulator.exchange import Exchange
from csiproxy.emulator.links import LinkTable
from csiproxy.emulator.places import Places
from csiproxy.emulator.reparse import Namespace
from csiproxy.emulator.state import State
from csiproxy.emulator.win32 import EmulatedWin32
from csiproxy.host.win32 import Directory


@dataclass
class Ground:
    """A drive C:, two volumes, and something outside of both that nobody may touch."""

    base: str
    state: State
    volumes: PlainVolumes
    namespace: Namespace
    win32: EmulatedWin32

    @property
    def drive(self) -> str:
        return os.path.join(self.base, "c")

    @property
    def outside(self) -> str:
        return os.path.join(self.base, "outside")

    def host(self, *names: str) -> str:
        """The host path of names on drive C:."""
        return os.path.join(self.drive, *names)

    def root(self, path: str = "C:\\") -> Directory:
        return self.win32.open_root(path)

    def restart(self) -> "Ground":
        """The same node after a kill: nothing in memory is left."""
        self.state.close()
        return start(self.base, self.volumes)


def start(base: str, volumes: PlainVolumes, exchange: Exchange | None = None) -> Ground:
    """A node on ``base``."""
    for name in ("c", "locks", "outside"):
        os.makedirs(os.path.join(base, name), exist_ok=True)
    state = State(os.path.join(base, "state.db"), links.SCHEMA)
    where = Places({"C": os.path.join(base, "c")}, os.path.join(base, "locks"))
    namespace = Namespace(LinkTable(state), volumes, where, exchange)
    namespace.recover()
    return Ground(base, state, volumes, namespace, EmulatedWin32(namespace))


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[int]:
    """A directory of the host, open."""
    descriptor = os.open(path, hostdir.OPEN_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_descriptors() -> int:
    """How many descriptors this process has open, garbage aside."""
    gc.collect()
    return len(os.listdir("/dev/fd"))
