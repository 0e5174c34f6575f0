"""Both halves of a node's port over its socket."""

from collections.abc import Sequence
from typing import TypeVar

from csiproxy.emulator.namespace import MountedDirectory
from csiproxy.emulator.places import Places
from csiproxy.emulator.pool import Pool
from csiproxy.errors import HostUnreachable
from csiproxy.host.cim import Instance, Result, Value
from csiproxy.host.schema import SECRET_PARAMETERS
from csiproxy.host.win32 import Entry, EntryKind, StorageDevice

T = TypeVar("T")


class RemoteSession:
    """:class:`csiproxy.host.cim.Session` of a node in another process."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def instances(self, class_name: str, /, **where: bool | int | str) -> list[Instance]:
        """All instances of a class whose properties equal all of ``where``."""
        return every(Instance, self._pool.call("instances", class_name, where))

    def associated(
        self, instance: Instance, association: str, result_class: str, result_role: str = ""
    ) -> list[Instance]:
        """Objects of ``result_class`` joined to ``instance`` by ``association``."""
        found = self._pool.call("associated", instance, association, result_class, result_role)
        return every(Instance, found)

    def invoke(self, target: Instance | str, method: str, /, **parameters: Value) -> Result:
        """Call a method of an instance, or a static one of the class named."""
        secrets = {name: value for name, value in parameters.items() if name in SECRET_PARAMETERS}
        if not secrets:
            return one(Result, self._pool.call("invoke", target, method, parameters))
        plain = {name: value for name, value in parameters.items() if name not in secrets}
        texts = {name: value for name, value in secrets.items() if isinstance(value, str)}
        return one(Result, self._pool.call_with_secrets("invoke", target, method, plain, secrets=texts))


class RemoteNamespace:
    """:class:`csiproxy.emulator.namespace.NodeNamespace` of a node in another process."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def places(self) -> Places:
        """Where drives and locks are; no round trip, the node says it in its greeting."""
        return self._pool.greeting().places

    def describe(self, directory: int, names: Sequence[str]) -> list[Entry]:
        """What host names are; names that are not there are left out."""
        return every(Entry, self._pool.call("describe", tuple(names), descriptor=directory))

    def remove_link(self, directory: int, name: str, kind: EntryKind) -> None:
        """Remove a link or mount point that still is of ``kind``."""
        self._pool.call("remove_link", name, kind, descriptor=directory)

    def set_link(self, directory: int, name: str, target: str, replace: bool) -> None:
        """Make a symbolic link."""
        self._pool.call("set_link", name, target, replace, descriptor=directory)

    def set_mount_point(self, directory: int, name: str, volume: str) -> None:
        """Mount a volume."""
        self._pool.call("set_mount_point", name, volume, descriptor=directory)

    def delete_mount_point(self, directory: int, name: str, volume: str) -> None:
        """Unmount a volume."""
        self._pool.call("delete_mount_point", name, volume, descriptor=directory)

    def mounted(self, directory: int, name: str) -> MountedDirectory:
        """Where the files of the volume mounted at ``name`` are."""
        return one(MountedDirectory, self._pool.call("mounted", name, descriptor=directory))

    def mount_points(self, volume: str) -> list[str]:
        """The directories where a volume is mounted."""
        return every(str, self._pool.call("mount_points", volume))

    def final_path(self, directory: int) -> str:
        """Where an open directory is now."""
        return one(str, self._pool.call("final_path", descriptor=directory))

    def storage_device(self, path: str) -> StorageDevice:
        """Ask the driver of a disk."""
        return one(StorageDevice, self._pool.call("storage_device", path))


def one(kind: type[T], value: object) -> T:
    """An answer of the type that the call has; HostUnreachable for any other."""
    if not isinstance(value, kind):
        raise HostUnreachable(f"the node answered with a {type(value).__name__} instead of a {kind.__name__}")
    return value


def every(kind: type[T], value: object) -> list[T]:
    """An answer that is a sequence of values of one type."""
    return [one(kind, item) for item in (value if isinstance(value, (list, tuple)) else [one(list, value)])]
