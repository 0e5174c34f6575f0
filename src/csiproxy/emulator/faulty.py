"""Both halves of the node's port, with the faults that were ordered."""

from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

from csiproxy.emulator.faults import Faults
from csiproxy.emulator.namespace import MountedDirectory, NodeNamespace
from csiproxy.emulator.places import Places
from csiproxy.errors import CimError, Win32Error
from csiproxy.host.cim import Instance, Result, Session, Value
from csiproxy.host.win32 import Entry, EntryKind, StorageDevice

T = TypeVar("T")

# The steps of the namespace, each named like its call.
NAMESPACE_STEPS = (
    "describe",
    "remove_link",
    "set_link",
    "set_mount_point",
    "delete_mount_point",
    "mounted",
    "mount_points",
    "final_path",
    "storage_device",
)


class FaultySession:
    """:class:`csiproxy.host.cim.Session` whose steps may fail as ordered."""

    def __init__(self, session: Session, faults: Faults) -> None:
        self._session = session
        self._faults = faults

    def instances(self, class_name: str, /, **where: bool | int | str) -> list[Instance]:
        """Step: the class's name."""
        return self._faults.step(
            class_name, lambda: self._session.instances(class_name, **where), _cim(class_name)
        )

    def associated(
        self, instance: Instance, association: str, result_class: str, result_role: str = ""
    ) -> list[Instance]:
        """Step: the name of the class that is asked for."""
        return self._faults.step(
            result_class,
            lambda: self._session.associated(instance, association, result_class, result_role),
            _cim(result_class),
        )

    def invoke(self, target: Instance | str, method: str, /, **parameters: Value) -> Result:
        """Step: ``Class.Method``; a code is its return value."""
        class_name = target if isinstance(target, str) else target.class_name
        return self._faults.step(
            f"{class_name}.{method}",
            lambda: self._session.invoke(target, method, **parameters),
            lambda code: Result(code, {}),
        )


class FaultyNamespace:
    """:class:`csiproxy.emulator.namespace.NodeNamespace` whose steps may fail as ordered."""

    def __init__(self, namespace: NodeNamespace, faults: Faults) -> None:
        self._namespace = namespace
        self._faults = faults

    def places(self) -> Places:
        """No step: nothing is asked of the node."""
        return self._namespace.places()

    def describe(self, directory: int, names: Sequence[str]) -> list[Entry]:
        """What host names are."""
        return self._step("describe", lambda: self._namespace.describe(directory, names))

    def remove_link(self, directory: int, name: str, kind: EntryKind) -> None:
        """Remove a link or mount point."""
        self._step("remove_link", lambda: self._namespace.remove_link(directory, name, kind))

    def set_link(self, directory: int, name: str, target: str, replace: bool) -> None:
        """Make a symbolic link."""
        self._step("set_link", lambda: self._namespace.set_link(directory, name, target, replace))

    def set_mount_point(self, directory: int, name: str, volume: str) -> None:
        """Mount a volume."""
        self._step("set_mount_point", lambda: self._namespace.set_mount_point(directory, name, volume))

    def delete_mount_point(self, directory: int, name: str, volume: str) -> None:
        """Unmount a volume."""
        self._step("delete_mount_point", lambda: self._namespace.delete_mount_point(directory, name, volume))

    def mounted(self, directory: int, name: str) -> MountedDirectory:
        """Where a mounted volume's files are."""
        return self._step("mounted", lambda: self._namespace.mounted(directory, name))

    def mount_points(self, volume: str) -> list[str]:
        """Where a volume is mounted."""
        return self._step("mount_points", lambda: self._namespace.mount_points(volume))

    def final_path(self, directory: int) -> str:
        """Where an open directory is now."""
        return self._step("final_path", lambda: self._namespace.final_path(directory))

    def storage_device(self, path: str) -> StorageDevice:
        """Ask the driver of a disk."""
        return self._step("storage_device", lambda: self._namespace.storage_device(path))

    def _step(self, name: str, call: Callable[[], T]) -> T:
        def fail(code: int) -> NoReturn:
            raise Win32Error(code, name, "as ordered")

        return self._faults.step(name, call, fail)


def _cim(class_name: str) -> Callable[[int], NoReturn]:
    def fail(code: int) -> NoReturn:
        raise CimError(code, f"a query of {class_name}", "as ordered")

    return fail
