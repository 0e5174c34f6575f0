r"""Between Windows paths and host paths: drives, volumes, and the text of a link.

A Windows path here has the form ``C:\…`` or ``\\?\Volume{guid}\…``, without a last backslash.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from csiproxy.emulator import hostdir, places
from csiproxy.emulator.hostdir import windows_errors
from csiproxy.emulator.places import Places
from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host import paths
from csiproxy.host.win32 import StorageDevice

# A link whose target has no place on this host leads here, where nobody can ever put anything.
NOWHERE = "/dev/null"


class VolumeDirectories(Protocol):
    """What the namespace asks of the node's disks."""

    def volume_directory(self, volume: str) -> str:
        """The host directory with a volume's files; Win32Error 1168, 21 or 1005 where there is none."""
        ...

    def known_volume_directories(self) -> Mapping[str, str]:
        """Host directory to volume name of every volume that can be mounted now."""
        ...

    def storage_device(self, path: str) -> StorageDevice:
        """The disk whose MSFT_Disk.Path this is."""
        ...


class ShareDirectories(Protocol):
    """What the namespace asks of the node's shares."""

    def directory(self, server: str, share: str) -> str:
        """The host directory of a share's files, whether they are there now or not."""
        ...

    def require_usable(self, server: str, share: str, call: str) -> None:
        """Refuse with ERROR_NOT_SUPPORTED (50) when a share is mapped whose files cannot be shown."""
        ...


@dataclass(frozen=True, slots=True)
class Where:
    """One directory: its host path without links, and its Windows path."""

    host: str
    windows: str


class HostMap:
    """The map of one node.  Volumes come and go, so it asks the disks every time."""

    def __init__(
        self, where: Places, volumes: VolumeDirectories, shares: ShareDirectories | None = None
    ) -> None:
        self._places = where
        self._volumes = volumes
        self._shares = shares

    def locate(self, directory: int, call: str) -> Where:
        """Where an open directory is now; on no drive and no volume is ERROR_ACCESS_DENIED (5)."""
        host = hostdir.location(directory, call)
        # Drives first: they are known without reading a disk, and what is on both is named by its drive.
        for roots in (self._drive_roots, self._volume_roots):
            windows = places.windows_path(host, roots(), call)
            if windows is not None:
                return Where(host, windows)
        raise Win32Error(WindowsCode.ACCESS_DENIED, call, "the directory is on no drive and no volume")

    def host_path(self, windows: str) -> str | None:
        """The host path of a path that :meth:`locate` made; None when its volume is not here now."""
        found = self._taken_apart(windows)
        return places.host_path(*found) if found else None

    @contextmanager
    def parent_of(self, windows: str) -> Iterator[tuple[int, str] | None]:
        """The open directory and the name in it of a path below a root, as :meth:`locate` made it.

        None when its volume is not here now.  OSError when the way there does not exist any more: no link on
        it is followed.
        """
        found = self._taken_apart(windows)
        if found is None:
            yield None
            return
        root, names = found
        directory = os.open(root, hostdir.OPEN_DIRECTORY)
        try:
            for name in names[:-1]:
                below = hostdir.open_below(directory, name)
                os.close(directory)
                directory = below
            yield directory, names[-1]
        finally:
            os.close(directory)

    def _taken_apart(self, windows: str) -> tuple[str, list[str]] | None:
        """The host directory of the root that a path is under, and the names below it."""
        for roots in (self._drive_roots, self._volume_roots):
            for directory, root in roots().items():
                if windows == root or windows.startswith(root + "\\"):
                    return directory, [part for part in windows[len(root) :].split("\\") if part]
        return None

    def link_text(self, parent: str, target: str, call: str) -> str:
        r"""What a link of the host in ``parent`` must hold to lead where Windows' link to ``target`` leads.

        ``C:\…`` and a share give a relative text; an unknown drive has no place on the host and dangles.
        """
        share = paths.split_share(target, call)
        if share is not None:
            return self._to_share(parent, share, call)
        drive, parts = paths.split(target, call)
        root = self._places.drives.get(drive)
        if root is None:
            return places.host_path(NOWHERE, [drive, *parts])
        return os.path.relpath(places.host_path(root, _spelt(root, parts, call)), parent)

    def _to_share(self, parent: str, parts: list[str], call: str) -> str:
        """To the files of a share, which are there while it is mapped."""
        server, share, *rest = parts
        if self._shares is None:
            return places.host_path(NOWHERE, ["UNC", *parts])
        self._shares.require_usable(server, share, call)
        return os.path.relpath(places.host_path(self._shares.directory(server, share), rest), parent)

    def _drive_roots(self) -> Mapping[str, str]:
        return self._places.roots

    def _volume_roots(self) -> dict[str, str]:
        """Host directory to Windows root of all volumes that can be mounted now."""
        return {
            os.path.realpath(directory): volume.removesuffix("\\")
            for directory, volume in self._volumes.known_volume_directories().items()
        }


def destination(parent: str, text: str) -> str:
    """The host path that a link with this text, in a directory with this host path, leads to."""
    return os.path.normpath(os.path.join(parent, text))


def _spelt(root: str, parts: list[str], call: str) -> list[str]:
    """Names below a host directory as the host spells them, as far as they are real directories.

    From the first that is missing or a link on, names stay as they are given.
    """
    spelt: list[str] = []
    with windows_errors(call):
        directory = os.open(root, hostdir.OPEN_DIRECTORY)
    try:
        for part in parts:
            name = hostdir.find(directory, part, call)
            if name is None:
                break
            spelt.append(name)
            try:
                below = hostdir.open_below(directory, name)
            except OSError:
                break
            os.close(directory)
            directory = below
    finally:
        os.close(directory)
    return spelt + parts[len(spelt) :]
