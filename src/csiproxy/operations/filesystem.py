"""Group filesystem: directories and links under the operator's prefixes."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from csiproxy.errors import FailedPrecondition, NotFound, Win32Error, WindowsCode
from csiproxy.host.win32 import Entry, EntryKind
from csiproxy.operations.context import Context
from csiproxy.operations.paths import MAX_LONG_PATH, Confinement, acting
from csiproxy.operations.smb import SmbGroup
from csiproxy.operations.volume import VolumeGroup
from csiproxy.storage.namespace import ConfinedPath, Leaving, Namespace
from csiproxy.storage.share_links import share_of

_MISSING = (WindowsCode.FILE_NOT_FOUND, WindowsCode.PATH_NOT_FOUND)


@dataclass(frozen=True, slots=True)
class PathExists:
    """Whether there is an entry; a link whose target is gone exists."""

    exists: bool


@dataclass(frozen=True, slots=True)
class IsSymlink:
    """Whether the path is a link or mount point that leads to something."""

    is_symlink: bool


class FilesystemGroup:
    """The RPCs of the newest filesystem version."""

    def __init__(
        self, namespace: Namespace, confinement: Confinement, shares: SmbGroup, volumes: VolumeGroup
    ) -> None:
        self._namespace = namespace
        self._confinement = confinement
        self._shares = shares
        self._volumes = volumes

    def path_exists(self, context: Context, *, path: str) -> PathExists:
        """Whether the path exists; links are not followed."""
        confined = self._confinement.confine(path)
        with acting(context, f"look for {confined}"):
            return PathExists(self._namespace.find(confined) is not None)

    def mkdir(self, context: Context, *, path: str) -> None:
        """Make a directory and its parents; an existing one is success."""
        confined = self._confinement.confine(path)
        with acting(context, f"make directory {confined}"):
            self._namespace.make_directories(confined)

    def rmdir(self, context: Context, *, path: str, force: bool) -> None:
        """Remove an empty directory or a link; with force, whatever is there, never what a link leads to."""
        confined = self._confinement.confine_change(path)
        with acting(context, f"remove {confined}"):
            if force:
                self._remove_all(context, confined)
            else:
                self._remove_one(context, confined)

    def _remove_all(self, context: Context, path: ConfinedPath) -> None:
        try:
            self._namespace.remove_tree(path, self._leaving(context, path))
        except Win32Error as error:
            if error.windows_code not in _MISSING:
                raise

    def _leaving(self, context: Context, top: ConfinedPath) -> Leaving:
        def leaving(path: ConfinedPath, entry: Entry) -> AbstractContextManager[None]:
            if entry.kind is EntryKind.MOUNT_POINT:
                self._volumes.guard_mount_point(path, entry.target, top)
                return nullcontext()
            return self._shares.leaving(context, path, entry.target)

        return leaving

    def _remove_one(self, context: Context, path: ConfinedPath) -> None:
        entry = self._namespace.find(path)
        if entry is not None and entry.kind.is_link:
            with self._shares.leaving(context, path, entry.target):
                self._namespace.remove_link(path, lambda target: target == entry.target)
        elif entry is not None and entry.kind is EntryKind.MOUNT_POINT:
            raise FailedPrecondition(
                f"a volume is mounted at {path}; unmount it first, or remove with force",
                WindowsCode.DIR_NOT_EMPTY,
            )
        else:
            self._namespace.remove_directory(path)

    def rmdir_contents(self, context: Context, *, path: str) -> None:
        """Remove everything in a directory, never what a link in it leads to."""
        confined = self._confinement.confine_change(path)
        with acting(context, f"empty {confined}"):
            self._namespace.empty(confined, self._leaving(context, confined))

    def create_symlink(self, context: Context, *, source_path: str, target_path: str) -> None:
        """Make a link at ``target_path`` to the existing directory ``source_path``."""
        source = self._confinement.confine(source_path)
        link = self._confinement.confine_change(target_path)
        with acting(context, f"link {link} to {source}"):
            require_linkable(self._namespace, source)
            self._namespace.link(link, str(source), replace_empty=False)

    def is_symlink(self, context: Context, *, path: str) -> IsSymlink:
        """Whether the path is a link or mount point with a living target; a missing path is NotFound."""
        confined = self._confinement.confine(path, limit=MAX_LONG_PATH, rooted=True)
        with acting(context, f"look at {confined}"):
            entry = self._namespace.entry(confined)
            if entry.kind is EntryKind.OTHER_REPARSE_POINT:
                context.note("reparse-point-of-unknown-kind", path=str(confined))
                return IsSymlink(False)
            try:
                return IsSymlink(
                    entry.kind.is_reparse_point and self._namespace.lives(confined, self._follow)
                )
            except _LeadsToShare:
                return IsSymlink(True)  # whether a share answers is not a question about this node

    def _follow(self, target: str) -> ConfinedPath:
        if share_of(target):
            raise _LeadsToShare
        return self._confinement.follow(target)


class _LeadsToShare(Exception):
    """A link on the way leads to a share, where nothing is looked for."""


def require_linkable(namespace: Namespace, source: ConfinedPath) -> None:
    """The end that a link is to lead to must be there: a directory, a link or a mount point."""
    try:
        entry = namespace.entry(source)
    except Win32Error as error:
        if error.windows_code not in _MISSING:
            raise
        raise NotFound(
            f"{source} does not exist, so nothing can be linked to it", error.windows_code
        ) from error
    if entry.kind is EntryKind.FILE:
        raise FailedPrecondition(f"{source} is a file; only directories are linked", WindowsCode.DIRECTORY)
    if entry.kind is EntryKind.OTHER_REPARSE_POINT:
        raise Win32Error(WindowsCode.REPARSE_POINT_ENCOUNTERED, "link", "its target is of unknown kind")
