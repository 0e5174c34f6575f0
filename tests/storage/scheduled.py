"""Halves of a host that let a test act at a chosen call: a scheduler that always schedules the same way."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from csiproxy.errors import HostUnreachable
from csiproxy.host.cim import Instance, Result, Session, Value
from csiproxy.host.win32 import Directory, Entry, EntryKind, StorageDevice, Win32


class ScheduledWin32(Win32):
    """Hands every call to the real host, after telling ``before`` its number (from 0) and its name.

    ``listed`` are all names that were seen in directories.
    """

    def __init__(self, win32: Win32, before: Callable[[int, str], None] | None = None) -> None:
        self._win32 = win32
        self._before = before
        self.calls: list[str] = []
        self.listed: set[str] = set()

    def _tell(self, call: str) -> None:
        number = len(self.calls)
        self.calls.append(call)
        if self._before:
            self._before(number, call)

    def open_root(self, path: str) -> Directory:
        self._tell("open_root")
        return self._win32.open_root(path)

    def open_child(self, parent: Directory, name: str) -> Directory:
        self._tell("open_child")
        return self._win32.open_child(parent, name)

    def open_mounted(self, parent: Directory, name: str) -> Directory:
        self._tell("open_mounted")
        return self._win32.open_mounted(parent, name)

    def entry(self, parent: Directory, name: str) -> Entry:
        self._tell("entry")
        return self._win32.entry(parent, name)

    def entries(self, directory: Directory) -> list[Entry]:
        self._tell("entries")
        found = self._win32.entries(directory)
        self.listed |= {entry.name for entry in found}
        return found

    def create_directory(self, parent: Directory, name: str) -> None:
        self._tell("create_directory")
        self._win32.create_directory(parent, name)

    def remove(self, parent: Directory, name: str, kind: EntryKind) -> None:
        self._tell("remove")
        self._win32.remove(parent, name, kind)

    def set_link(self, parent: Directory, name: str, target: str, *, replace: bool) -> None:
        self._tell("set_link")
        self._win32.set_link(parent, name, target, replace=replace)

    def set_mount_point(self, parent: Directory, name: str, volume: str) -> None:
        self._tell("set_mount_point")
        self._win32.set_mount_point(parent, name, volume)

    def delete_mount_point(self, parent: Directory, name: str, volume: str) -> None:
        self._tell("delete_mount_point")
        self._win32.delete_mount_point(parent, name, volume)

    def mount_points(self, volume: str) -> list[str]:
        self._tell("mount_points")
        return self._win32.mount_points(volume)

    def final_path(self, directory: Directory) -> str:
        self._tell("final_path")
        return self._win32.final_path(directory)

    def storage_device(self, path: str) -> StorageDevice:
        self._tell("storage_device")
        return self._win32.storage_device(path)

    def mutex(self, name: str, seconds: float) -> AbstractContextManager[None]:
        self._tell("mutex")
        return self._win32.mutex(name, seconds)

    def remember(self, mark: str) -> None:
        self._tell("remember")
        self._win32.remember(mark)

    def remembers(self, mark: str) -> bool:
        self._tell("remembers")
        return self._win32.remembers(mark)

    def forget(self, mark: str) -> None:
        self._tell("forget")
        self._win32.forget(mark)

    def marks(self, beginning: str) -> list[str]:
        self._tell("marks")
        return self._win32.marks(beginning)


class LossySession(Session):
    """Does every call, but loses the answer to the ``lost``-th method call (from 0): the host goes silent."""

    def __init__(self, session: Session, lost: int = -1) -> None:
        self._session = session
        self._lost = lost
        self.invoked: list[str] = []

    def instances(self, class_name: str, /, **where: bool | int | str) -> list[Instance]:
        return self._session.instances(class_name, **where)

    def associated(
        self, instance: Instance, association: str, result_class: str, result_role: str = ""
    ) -> list[Instance]:
        return self._session.associated(instance, association, result_class, result_role)

    def invoke(self, target: Instance | str, method: str, /, **parameters: Value) -> Result:
        class_name = target if isinstance(target, str) else target.class_name
        self.invoked.append(f"{class_name}.{method}")
        result = self._session.invoke(target, method, **parameters)
        if len(self.invoked) - 1 == self._lost:
            raise HostUnreachable(f"the answer to {self.invoked[-1]} was lost")
        return result
