"""The look at everything between two stretches of lives, when no pod lives and no call runs."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.soak import residue
from tests.soak.ground import Ground
from tests.soak.plan import Store
from tests.soak.residue import IDLE_CONNECTIONS, Footprint
from tests.soak.trail import Trail

# How long what ends by itself may take to end (seconds): threads, sessions that are logged out of.
SETTLING = 60.0
_PAUSE = 0.1
# Notes of changes that are over go with the next one, so the last few may be there.
_NOTES_FOR_EACH = 4


@dataclass(frozen=True)
class Baseline:
    """What was there before the lives that count."""

    node: Footprint
    proxy: Footprint
    locks: tuple[str, ...]
    files: tuple[str, ...]


def node_grown(was: Footprint, now: Footprint, *, keeps_sessions: bool) -> Iterator[str]:
    """What a node has more than before."""
    yield from _grown("node", was, now)
    # Each connection of the proxy to the node is a socket at both ends, and a thread of the node.
    extra = (now.threads - now.sockets) - (was.threads - was.sockets)
    if extra > keeps_sessions:
        yield f"the node has {extra} threads more than before that serve no connection"


def proxy_grown(was: Footprint, now: Footprint, workers: int) -> Iterator[str]:
    """What a proxy has more than before; threads that have run calls wait a while for more."""
    yield from _grown("proxy", was, now)
    if (more := now.threads - was.threads) > workers + 2:
        yield f"the proxy has {more} threads more than before"


def _grown(name: str, was: Footprint, now: Footprint) -> Iterator[str]:
    if more := now.others - was.others:
        yield f"the {name} has descriptors more than before: {dict(more)}"
    if (sockets := now.sockets - was.sockets) > IDLE_CONNECTIONS:
        yield f"the {name} has {sockets} sockets more than before"
    yield from (f"the {name} has a child: {child}" for child in now.children)


class Inspector:
    """Compares a ground with what it was."""

    def __init__(self, ground: Ground, workers: int) -> None:
        self._ground = ground
        self._workers = workers
        self._trail = Trail(ground.keeper.trail)
        self._drive = Path(ground.node.path, "c")
        node, proxy = ground.processes
        self._baseline = Baseline(
            residue.footprint(node),
            residue.footprint(proxy),
            tuple(residue.locks(ground.node.path)),
            tuple(residue.tree(self._drive)),
        )

    @property
    def records(self) -> int:
        return self._trail.records.total()

    def look(self, settling: float = SETTLING) -> list[str]:
        """What is left that should not be; what ends by itself has ``settling`` seconds to."""
        self._ground.clear_faults()
        end = time.monotonic() + settling
        while True:
            try:
                found = list(self._faults())
            except OSError as error:  # a process that is looked at has just been killed
                found = [f"something has gone: {error}"]
            if not found or time.monotonic() > end:
                return found
            time.sleep(_PAUSE)

    def _faults(self) -> Iterator[str]:
        ground, directory = self._ground, self._ground.directory
        if not ground.keeper.is_up:
            yield "no proxy runs"
            return
        ground.control.close()  # its idle connections are ours, not the node's
        node, proxy = ground.processes
        before = self._baseline
        yield from node_grown(
            before.node, residue.footprint(node), keeps_sessions=ground.store is Store.ISCSI
        )
        yield from proxy_grown(before.proxy, residue.footprint(proxy), self._workers)
        yield from (f"a mount is left: {line}" for line in residue.mounts(directory / "node"))
        yield from (f"a loop device is left: {line}" for line in residue.loop_devices(directory))
        known = {os.getpid(), node, proxy}
        yield from (f"a process is left: {line}" for line in residue.strangers(directory / "node", known))
        yield from self._state()
        yield from self._sessions()
        yield from (f"a proxy has ended by itself: {ended}" for ended in ground.keeper.unexplained)
        for log in (ground.keeper.log, directory / "node.log"):
            if text := log.read_text(errors="replace").strip():
                yield f"{log.name} says: {text[-2000:]}"
        self._trail.read()
        yield from self._trail.faults(ground.tally, ground.keeper.serial)
        yield from self._trail.changes()

    def _state(self) -> Iterator[str]:
        node = self._ground.node.path
        rows = residue.rows(node)
        if rows.links:
            yield f"{rows.links} rows of links are left"
        if rows.changes > _NOTES_FOR_EACH * self._workers:
            yield f"{rows.changes} notes of changes are left"
        if rows.disks != 1 or rows.offline:
            yield f"{rows.disks - 1} disks and {rows.offline} offline partitions are left"
        if more := set(residue.locks(node)) - set(self._baseline.locks):
            yield f"locks or marks are left: {sorted(more)}"
        if more := set(residue.tree(self._drive)) - set(self._baseline.files):
            yield f"drive C: has more than before: {sorted(more)[:5]}"

    def _sessions(self) -> Iterator[str]:
        ground = self._ground
        if ground.target:
            for iqn in ground.iqns:
                if count := ground.target.sessions(iqn):
                    yield f"{count} sessions with {iqn} are left"
        if ground.samba and (left := residue.connections(ground.samba.port)):
            yield f"{left} connections to the SMB server are left"
