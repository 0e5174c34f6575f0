"""The handler for CSI drivers: which are registered, where they serve, and how they know this node."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from csiproxy.csi import v1_pb2
from csiproxy.csi.calling import Caller
from csiproxy.kubelet.registration import Introduction, Refused
from csiproxy.rpc.status import RpcError

PLUGIN_TYPE: Final = "CSIPlugin"
INFO_SECONDS: Final = 120.0
"""How long a driver may take to say how it knows the node."""
_VERSION = re.compile(r"\s*v?(\d{1,9})((?:\.\d{1,9})*)(?![\d.])")

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Driver:
    """A registered driver: its socket, the version of CSI, and what NodeGetInfo said (kubelet's CSINode)."""

    name: str
    endpoint: str
    version: Version
    node_id: str = ""
    max_volumes: int = 0
    topology: Mapping[str, str] = field(default_factory=dict)


def highest(versions: tuple[str, ...]) -> Version:
    """Return the highest version of CSI that is spoken here; Refused when its major version is not 1."""
    spoken = [version for text in versions if (version := _read(text)) and version[0] <= 1]
    if not versions:
        raise Refused("the driver names no version of CSI that it speaks")
    if not spoken or max(spoken)[0] != 1:
        raise Refused(f"the driver speaks CSI {', '.join(versions)}, and kubelet speaks 1")
    return max(spoken)


def _read(text: str) -> Version | None:
    found = _VERSION.match(text)
    return (int(found[1]), *(int(part) for part in found[2].split(".")[1:])) if found else None


class CsiDrivers:
    """Takes CSI drivers; ``dial`` gives what calls a driver's endpoint.

    ``changed`` is called after each change, from a worker of the watcher.
    """

    def __init__(self, dial: Callable[[str], Caller], changed: Callable[[], None] = lambda: None) -> None:
        self._dial = dial
        self._changed = changed
        self._lock = Lock()
        self._drivers: dict[str, Driver] = {}

    def get(self, name: str) -> Driver | None:
        """A driver that is registered; None when there is none of that name."""
        with self._lock:
            return self._drivers.get(name)

    def all(self) -> tuple[Driver, ...]:
        """Every driver that is registered."""
        with self._lock:
            return tuple(self._drivers.values())

    def validate(self, plugin: Introduction) -> None:
        """Refuse a driver of no version that is spoken here, or of a name that one no older has already."""
        version = highest(plugin.versions)
        there = self.get(plugin.name)
        if there is not None and version <= there.version:
            registered = ".".join(map(str, there.version))
            raise Refused(f"{plugin.name} of version {registered} is registered already at {there.endpoint}")

    def register(self, plugin: Introduction) -> None:
        """Take a driver: remember where it serves, and ask how it knows this node."""
        driver = Driver(plugin.name, plugin.endpoint, highest(plugin.versions))
        with self._lock:
            self._drivers[plugin.name] = driver
        try:
            known = self._ask(driver)
        except RpcError as error:
            self.deregister(plugin.name, plugin.endpoint)
            raise Refused(f"NodeGetInfo failed: {error}") from error
        with self._lock:
            if self._drivers.get(plugin.name) is driver:
                self._drivers[plugin.name] = known
        self._changed()

    def _ask(self, driver: Driver) -> Driver:
        caller = self._dial(driver.endpoint)
        try:
            info = caller.call(v1_pb2.NodeGetInfoRequest(), v1_pb2.NodeGetInfoResponse, timeout=INFO_SECONDS)
        finally:
            caller.close()
        if not info.node_id:
            raise Refused("NodeGetInfo gave no node id")
        topology = dict(info.accessible_topology.segments)
        return Driver(
            driver.name, driver.endpoint, driver.version, info.node_id, info.max_volumes_per_node, topology
        )

    def deregister(self, name: str, endpoint: str) -> None:
        """Let go of a driver, unless a newer one has taken its name meanwhile."""
        with self._lock:
            there = self._drivers.get(name)
            if there is None or there.endpoint != endpoint:
                return
            del self._drivers[name]
        self._changed()
