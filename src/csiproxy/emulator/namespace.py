"""What the emulated node's files and links are asked of the node, in its process or over its socket."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from csiproxy.emulator.places import Places
from csiproxy.host.win32 import Entry, EntryKind, StorageDevice


@dataclass(frozen=True, slots=True)
class MountedDirectory:
    """The host directory that holds a mounted volume's files, and its identity to check after opening it."""

    directory: str
    device: int
    inode: int


class NodeNamespace(Protocol):
    """What :class:`~csiproxy.emulator.win32.EmulatedWin32` asks of the node; failures are Win32Error.

    ``directory`` is an open descriptor of a directory, which the call does not close.
    """

    def places(self) -> Places:
        """Where drives and locks are."""
        ...

    def describe(self, directory: int, names: Sequence[str]) -> list[Entry]:
        """What host names are; names that are not there are left out."""
        ...

    def remove_link(self, directory: int, name: str, kind: EntryKind) -> None:
        """Remove a link or mount point that still is of ``kind``."""
        ...

    def set_link(self, directory: int, name: str, target: str, replace: bool) -> None:
        """As :meth:`csiproxy.host.win32.Win32.set_link`."""
        ...

    def set_mount_point(self, directory: int, name: str, volume: str) -> None:
        """As :meth:`csiproxy.host.win32.Win32.set_mount_point`."""
        ...

    def delete_mount_point(self, directory: int, name: str, volume: str) -> None:
        """As :meth:`csiproxy.host.win32.Win32.delete_mount_point`."""
        ...

    def mounted(self, directory: int, name: str) -> MountedDirectory:
        """Where the files of the volume mounted at ``name`` are."""
        ...

    def mount_points(self, volume: str) -> list[str]:
        """As :meth:`csiproxy.host.win32.Win32.mount_points`."""
        ...

    def final_path(self, directory: int) -> str:
        """As :meth:`csiproxy.host.win32.Win32.final_path`."""
        ...

    def storage_device(self, path: str) -> StorageDevice:
        """As :meth:`csiproxy.host.win32.Win32.storage_device`."""
        ...
