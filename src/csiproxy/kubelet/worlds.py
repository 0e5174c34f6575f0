"""What should be registered and what is: two tables by socket, and the difference between them."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock

from csiproxy.kubelet.paths import key
from csiproxy.mounter.paths import normalised


@dataclass(frozen=True, slots=True)
class Wanted:
    """A socket that is there.  A socket that is made again at the same path has a new ``generation``."""

    path: str
    generation: int


class DesiredWorld:
    """The sockets that are there."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._wanted: dict[str, Wanted] = {}
        self._generations = itertools.count(1)

    def add(self, path: str) -> None:
        """A socket was made: whatever was registered there before is another one."""
        with self._lock:
            self._wanted[key(path)] = Wanted(normalised(path), next(self._generations))

    def remove(self, path: str) -> bool:
        """Whatever stood there is gone; False when that was nothing that mattered."""
        with self._lock:
            return self._wanted.pop(key(path), None) is not None

    def agree(self, before: Mapping[str, Wanted], found: Iterable[str]) -> bool:
        """Make up for what no event told of, after a look at the directory; True when that was something.

        ``before`` is the snapshot taken before the look: what was made during it is nobody's loss.
        """
        with self._lock:
            there = {key(path): path for path in found}
            gone = [at for at, socket in before.items() if at not in there and self._wanted.get(at) == socket]
            new = there.keys() - self._wanted.keys()
            for lost in gone:
                del self._wanted[lost]
            for path in new:
                self._wanted[path] = Wanted(normalised(there[path]), next(self._generations))
            return bool(gone or new)

    def snapshot(self) -> dict[str, Wanted]:
        """Everything, by key."""
        with self._lock:
            return dict(self._wanted)


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that was taken: through which socket, and what it said of itself."""

    socket: Wanted
    kind: str
    name: str
    endpoint: str


class ActualWorld:
    """The plugins that are registered."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._plugins: dict[str, Plugin] = {}

    def add(self, plugin: Plugin) -> None:
        """A plugin was taken."""
        with self._lock:
            self._plugins[key(plugin.socket.path)] = plugin

    def remove(self, plugin: Plugin) -> None:
        """It is no longer."""
        with self._lock:
            self._plugins.pop(key(plugin.socket.path), None)

    def snapshot(self) -> dict[str, Plugin]:
        """Everything, by key."""
        with self._lock:
            return dict(self._plugins)


@dataclass(frozen=True, slots=True)
class Difference:
    """What has to be done: first let go of plugins, then take what is there."""

    unregister: tuple[Plugin, ...]
    register: tuple[Wanted, ...]


def difference(desired: DesiredWorld, actual: ActualWorld) -> Difference:
    """Compare the two worlds."""
    wanted, plugins = desired.snapshot(), actual.snapshot()
    gone = tuple(plugin for at, plugin in plugins.items() if wanted.get(at) != plugin.socket)
    kept = {plugin.socket for plugin in plugins.values()} - {plugin.socket for plugin in gone}
    return Difference(gone, tuple(socket for socket in wanted.values() if socket not in kept))
