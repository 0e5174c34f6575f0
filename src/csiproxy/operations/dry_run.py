"""``--dry-run``: a host that answers every question and changes nothing.

A call goes its whole way, with its checks and locks, up to the first step that would change the node.  There
it ends with an error that names the step: no client may take a volume for mounted that is not.  A call that
needs no change, because it only asks or finds everything as it should be, succeeds as ever.
"""

from contextlib import AbstractContextManager

from csiproxy.errors import FailedPrecondition, Win32Error, WindowsCode
from csiproxy.host import Host
from csiproxy.host.cim import Instance, Result, Session, Value
from csiproxy.host.win32 import Directory, Entry, EntryKind, StorageDevice, Win32
from csiproxy.operations.rail import DRY_RUN

# Methods that look and change nothing that outlives the look.
_LOOKS = frozenset({"Refresh", "UpdateHostStorageCache", "GetSupportedSize", "GetAccessPaths"})


def rehearsed(host: Host) -> Host:
    """The host, without its changes."""
    return Host(RehearsedSession(host.cim), RehearsedWin32(host.win32))


def _stop(step: str) -> FailedPrecondition:
    return FailedPrecondition(
        f"this is a dry run: {step} would come next, and nothing was changed; {DRY_RUN.advice}",
        WindowsCode.NOT_SUPPORTED,
        rail=DRY_RUN.name,
    )


class RehearsedSession:
    """A CIM session whose changing methods are not called."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def instances(self, class_name: str, /, **where: bool | int | str) -> list[Instance]:
        """See :class:`~csiproxy.host.cim.Session`."""
        return self._session.instances(class_name, **where)

    def associated(
        self, instance: Instance, association: str, result_class: str, result_role: str = ""
    ) -> list[Instance]:
        """See :class:`~csiproxy.host.cim.Session`."""
        return self._session.associated(instance, association, result_class, result_role)

    def invoke(self, target: Instance | str, method: str, /, **parameters: Value) -> Result:
        """Call a method that only looks; FailedPrecondition for any other."""
        if method in _LOOKS:
            return self._session.invoke(target, method, **parameters)
        raise _stop(f"{target if isinstance(target, str) else target.class_name}.{method}")


class RehearsedWin32:
    """Windows' file and volume calls, without those that change something."""

    def __init__(self, win32: Win32) -> None:
        self._win32 = win32

    # --- questions, as in :class:`~csiproxy.host.win32.Win32`

    def open_root(self, path: str) -> Directory:
        """Open a configured prefix."""
        return self._win32.open_root(path)

    def open_child(self, parent: Directory, name: str) -> Directory:
        """Open a directory below another."""
        return self._win32.open_child(parent, name)

    def open_mounted(self, parent: Directory, name: str) -> Directory:
        """Open the root of a mounted volume."""
        return self._win32.open_mounted(parent, name)

    def entry(self, parent: Directory, name: str) -> Entry:
        """What a name is."""
        return self._win32.entry(parent, name)

    def entries(self, directory: Directory) -> list[Entry]:
        """All names in a directory."""
        return self._win32.entries(directory)

    def mount_points(self, volume: str) -> list[str]:
        """Where a volume is mounted."""
        return self._win32.mount_points(volume)

    def final_path(self, directory: Directory) -> str:
        """Where an open directory is."""
        return self._win32.final_path(directory)

    def storage_device(self, path: str) -> StorageDevice:
        """What a disk's driver says."""
        return self._win32.storage_device(path)

    def mutex(self, name: str, seconds: float) -> AbstractContextManager[None]:
        """Hold a lock of the node: a rehearsal waits its turn, too."""
        return self._win32.mutex(name, seconds)

    def remembers(self, mark: str) -> bool:
        """Whether there is a mark."""
        return self._win32.remembers(mark)

    def marks(self, beginning: str) -> list[str]:
        """The marks with a beginning."""
        return self._win32.marks(beginning)

    # --- notes about a change that does not come

    def remember(self, mark: str) -> None:
        """Nothing: the change that it is about ends the call."""

    def forget(self, mark: str) -> None:
        """Nothing, likewise."""

    # --- changes

    def create_directory(self, parent: Directory, name: str) -> None:
        """FailedPrecondition, or 183 as ever for what is there already."""
        self._require_free(parent, name, "create directory")
        raise _stop(f"making the directory '{name}'")

    def _require_free(self, parent: Directory, name: str, call: str) -> None:
        try:
            found = self._win32.entry(parent, name)
        except Win32Error as error:
            if error.windows_code != WindowsCode.FILE_NOT_FOUND:
                raise
            return
        raise Win32Error(WindowsCode.ALREADY_EXISTS, call, f"a {found.kind.value} is there")

    def remove(self, parent: Directory, name: str, kind: EntryKind) -> None:
        """FailedPrecondition."""
        raise _stop(f"removing the {kind.value} '{name}'")

    def set_link(self, parent: Directory, name: str, target: str, *, replace: bool) -> None:
        """FailedPrecondition, or 183 as ever for what is there already."""
        if not replace:
            self._require_free(parent, name, "set link")
        raise _stop(f"making the link '{name}'")

    def set_mount_point(self, parent: Directory, name: str, volume: str) -> None:
        """FailedPrecondition."""
        raise _stop(f"mounting {volume} at '{name}'")

    def delete_mount_point(self, parent: Directory, name: str, volume: str) -> None:
        """FailedPrecondition."""
        raise _stop(f"unmounting {volume} at '{name}'")
