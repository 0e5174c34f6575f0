"""Walks below the configured prefixes, by handle, one component at a time.

Everything a client names by a path goes through here.  A walk opens each directory below the one before
and holds them all until the operation is done, so what was checked is what is used; a reparse point on
the way ends it.  The operation then acts on the last handle and one name.  Afterwards the handle's final
path must still lie under the prefix: if a directory on the way was moved elsewhere meanwhile, what was
done is undone and the call is refused.  (KEP-1122, review: link traversal, time of check to time of use.)
"""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Self

from csiproxy.errors import HostError, Win32Error, WindowsCode
from csiproxy.host.names import equality_key
from csiproxy.host.win32 import Directory, Entry, EntryKind, Win32

# A tree deeper than this is not removed: each level costs an open handle.
MAX_DEPTH = 256
# How many links a look-up follows before it calls them a loop.
MAX_HOPS = 8
CANT_RESOLVE_FILENAME = 1921
_LEADING = frozenset({EntryKind.SYMBOLIC_LINK, EntryKind.JUNCTION, EntryKind.MOUNT_POINT})
_MISSING = frozenset({WindowsCode.FILE_NOT_FOUND, WindowsCode.PATH_NOT_FOUND})
_VOLUME_NAME = re.compile(
    r"\\\\\?\\Volume\{([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}\\?", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True, slots=True)
class ConfinedPath:
    r"""A path whose text has been checked: a configured prefix and the names below it (none: the prefix)."""

    prefix: str
    names: tuple[str, ...]

    def below(self, name: str) -> "ConfinedPath":
        """The path of a name in this directory, as the host gave it."""
        return ConfinedPath(self.prefix, (*self.names, name))

    def __str__(self) -> str:
        return "\\".join((self.prefix.rstrip("\\"), *self.names)) if self.names else self.prefix


Confine = Callable[[str], ConfinedPath]
# Entered around the removal of a link or mount point inside of a tree: what belongs to it goes before or
# after it.
Leaving = Callable[[ConfinedPath, Entry], AbstractContextManager[None]]


def _alone(_: ConfinedPath, __: Entry) -> AbstractContextManager[None]:
    """Nothing belongs to a link or mount point."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an operation acts: an open directory and the one name in it."""

    directory: Directory
    name: str


@dataclass(frozen=True, slots=True)
class Target:
    r"""What a look-up ended at: the entry, and the volume that holds it, or is mounted there.

    ``volume`` is "" for the one behind the letter ``drive``, which no mount point leads to.
    """

    entry: Entry
    volume: str
    drive: str = ""


@dataclass(slots=True)
class _Change:
    """A place, and how to take back what was done there."""

    directory: Directory
    name: str
    undo: Callable[[], None] | None = None


class _Held:
    """The directories that a walk holds open, in order; left like an ExitStack, at a fraction of its cost."""

    __slots__ = ("_directories",)

    def __init__(self) -> None:
        self._directories: list[Directory] = []

    def keep(self, directory: Directory) -> Directory:
        self._directories.append(directory)
        return directory

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._directories:
            self._directories.pop().close()


class Namespace:
    """The operations on names, each in steps that can be repeated after a kill at any point."""

    def __init__(self, win32: Win32) -> None:
        self._win32 = win32

    # --- walking -------------------------------------------------------------------------------------

    @contextmanager
    def directory(self, path: ConfinedPath) -> Iterator[Directory]:
        """Open the directory itself; the leaf may not be a reparse point either."""
        with _Held() as held:
            root, current = self._descend(held, path.prefix, path.names[:-1])
            if path.names:
                current = held.keep(self._win32.open_child(current, path.names[-1]))
                self._verify(root, current, "the walk")
            yield current

    @contextmanager
    def place(self, path: ConfinedPath) -> Iterator[Place]:
        """Open the parent of a path.  The path has at least one name below its prefix."""
        with _Held() as held:
            yield Place(self._descend(held, path.prefix, path.names[:-1])[1], path.names[-1])

    def _descend(self, held: _Held, prefix: str, names: tuple[str, ...]) -> tuple[Directory, Directory]:
        """Open the prefix and the directory ``names`` below it.  One that is missing is error 3."""
        try:
            root = current = held.keep(self._win32.open_root(prefix))
            for name in names:
                current = held.keep(self._win32.open_child(current, name))
        except Win32Error as error:
            if error.windows_code == WindowsCode.FILE_NOT_FOUND:
                raise Win32Error(WindowsCode.PATH_NOT_FOUND, error.call, error.detail) from error
            raise
        self._verify(root, current, "the walk")
        return root, current

    def _verify(self, root: Directory, directory: Directory, call: str) -> None:
        """The directory must be where its prefix is, whatever happened to the names that led to it."""
        if directory is root:
            return
        top, place = self._win32.final_path(root), self._win32.final_path(directory)
        if place.startswith(top.rstrip("\\") + "\\"):
            return
        above = _components(top)
        if _components(place)[: len(above)] != above:
            raise Win32Error(
                WindowsCode.REPARSE_POINT_ENCOUNTERED, call, "a directory on the way was moved meanwhile"
            )

    @contextmanager
    def _changing(self, path: ConfinedPath) -> Iterator[_Change]:
        """A place for one change; when it turns out to have left the prefix, the change is undone."""
        with _Held() as held:
            root, parent = self._descend(held, path.prefix, path.names[:-1])
            change = _Change(parent, path.names[-1])
            yield change
            try:
                self._verify(root, change.directory, "the change")
            except HostError:
                if change.undo:
                    with suppress(HostError):
                        change.undo()
                raise

    # --- questions -----------------------------------------------------------------------------------

    def entry(self, path: ConfinedPath) -> Entry:
        """What the path is, not followed; 2 when it does not exist, 3 when its parent does not."""
        if not path.names:
            with self.directory(path):
                return Entry(path.prefix, EntryKind.DIRECTORY)
        with self.place(path) as place:
            return self._win32.entry(place.directory, place.name)

    def find(self, path: ConfinedPath) -> Entry | None:
        """Like :meth:`entry`; None when the path does not exist."""
        try:
            return self.entry(path)
        except Win32Error as error:
            if error.windows_code in _MISSING:
                return None
            raise

    def look_up(self, path: ConfinedPath, confine: Confine) -> Target:
        """Follow a path through links and mount points to what it names, reading only.

        Each link's target goes through ``confine`` again, which refuses what lies outside the prefixes.
        A mount point at the end is the end: its entry and its volume are returned.  A link to a volume by
        its name is as good as a mount point there.
        """
        return self._follow(path, confine, into_volume=False)

    def lives(self, path: ConfinedPath, confine: Confine) -> bool:
        """Whether following the path ends at something that is there; a mounted volume must be there too."""
        try:
            self._follow(path, confine, into_volume=True)
        except Win32Error as error:
            if error.windows_code in _DANGLING:
                return False
            raise
        return True

    def _follow(self, path: ConfinedPath, confine: Confine, *, into_volume: bool) -> Target:
        for _ in range(MAX_HOPS + 1):
            found = self._hop(path, into_volume=into_volume)
            if isinstance(found, Target):
                return found
            path = confine(found)
        raise Win32Error(CANT_RESOLVE_FILENAME, "the look-up", f"more than {MAX_HOPS} links in a row")

    def _hop(self, path: ConfinedPath, *, into_volume: bool) -> Target | str:
        """One hop: the target, or the path that a link on the way makes of this one."""
        volume = ""
        with _Held() as held:
            root = current = held.keep(self._win32.open_root(path.prefix))
            entry = Entry(path.prefix, EntryKind.DIRECTORY)
            for index, name in enumerate(path.names):
                entry = self._win32.entry(current, name)
                rest = path.names[index + 1 :]
                if entry.kind.is_link:
                    if not rest and (volume := _volume_name(entry.target)):
                        return Target(Entry(entry.name, EntryKind.MOUNT_POINT, volume), volume)
                    return "\\".join((entry.target.rstrip("\\"), *rest))
                if entry.kind is EntryKind.OTHER_REPARSE_POINT:
                    raise Win32Error(WindowsCode.REPARSE_POINT_ENCOUNTERED, "the look-up", "of unknown kind")
                if entry.kind is EntryKind.MOUNT_POINT:
                    volume = entry.target
                    if rest or into_volume:
                        root = current = held.keep(self._win32.open_mounted(current, name))
                elif rest:
                    current = held.keep(self._win32.open_child(current, name))
            self._verify(root, current, "the look-up")
            # The operator may have put the prefix on another volume, by a link or by mounting one there.
            top = self._win32.final_path(root)
            volume = volume or _volume_name(top[: top.find("}") + 1])
            return Target(entry, volume, "" if volume else top[0])

    # --- changes -------------------------------------------------------------------------------------

    def make_directory(self, path: ConfinedPath) -> None:
        """Make one directory; its parent exists.  An existing name is 183."""
        with self._changing(path) as at:
            self._win32.create_directory(at.directory, at.name)
            at.undo = lambda: self._win32.remove(at.directory, at.name, EntryKind.DIRECTORY)

    def make_directories(self, path: ConfinedPath) -> None:
        """Make a directory and its parents below the prefix; existing ones are fine."""
        for count in range(1, len(path.names) + 1):
            try:
                self.make_directory(ConfinedPath(path.prefix, path.names[:count]))
            except Win32Error as error:
                if error.windows_code != WindowsCode.ALREADY_EXISTS:
                    raise
        with self.directory(path):  # what exists already must be a real directory
            pass

    def remove_directory(self, path: ConfinedPath) -> None:
        """Remove an empty, real directory: 4395 for any reparse point, 267 for a file, 145 not empty."""
        with self.place(path) as place:
            _demand_directory(self._win32.entry(place.directory, place.name), "remove")
            self._win32.remove(place.directory, place.name, EntryKind.DIRECTORY)

    def remove_link(self, path: ConfinedPath, allowed: Callable[[str], bool]) -> bool:
        """Remove a link, never its target; False when there is none.  Not a link: 4390; not allowed: 4395."""
        try:
            with self.place(path) as place:
                entry = self._win32.entry(place.directory, place.name)
                if not entry.kind.is_reparse_point:
                    raise Win32Error(WindowsCode.NOT_A_REPARSE_POINT, "remove link", f"a {entry.kind.value}")
                if not entry.kind.is_link or not allowed(entry.target):
                    raise Win32Error(
                        WindowsCode.REPARSE_POINT_ENCOUNTERED, "remove link", f"a {entry.kind.value}"
                    )
                self._win32.remove(place.directory, place.name, entry.kind)
                return True
        except Win32Error as error:
            if error.windows_code in _MISSING:
                return False
            raise

    def remove_tree(self, path: ConfinedPath, leaving: Leaving = _alone) -> None:
        """Remove whatever the path is.  Reparse points, at the leaf or inside, are leaves, never entered."""
        with self.place(path) as place:
            self._remove_all(place.directory, self._win32.entry(place.directory, place.name), path, leaving)

    def empty(self, path: ConfinedPath, leaving: Leaving = _alone) -> None:
        """Remove everything in a directory, which stays."""
        with self.directory(path) as directory:
            for entry in self._win32.entries(directory):
                self._remove_all(directory, entry, path.below(entry.name), leaving)

    def is_empty(self, path: ConfinedPath) -> bool:
        """Whether a directory is empty."""
        with self.directory(path) as directory:
            return not self._win32.entries(directory)

    def _remove_all(
        self, parent: Directory, entry: Entry, path: ConfinedPath, leaving: Leaving, depth: int = 1
    ) -> None:
        if depth > MAX_DEPTH:
            raise Win32Error(
                WindowsCode.FILENAME_EXCED_RANGE, "remove tree", f"it is deeper than {MAX_DEPTH} directories"
            )
        try:
            if entry.kind is EntryKind.DIRECTORY:
                with self._win32.open_child(parent, entry.name) as directory:
                    for inner in self._win32.entries(directory):
                        self._remove_all(directory, inner, path.below(inner.name), leaving, depth + 1)
            with leaving(path, entry) if entry.kind in _LEADING else nullcontext():
                self._remove_leaf(parent, entry)
        except Win32Error as error:
            if error.windows_code != WindowsCode.FILE_NOT_FOUND:  # gone meanwhile is as good as removed
                raise

    def _remove_leaf(self, parent: Directory, entry: Entry) -> None:
        kind = entry.kind
        if kind is EntryKind.MOUNT_POINT:
            # The volume manager must forget the mount point, or it would keep a stale one.
            self._win32.delete_mount_point(parent, entry.name, entry.target)
            kind = EntryKind.DIRECTORY
        self._win32.remove(parent, entry.name, kind)

    def link(self, path: ConfinedPath, target: str, *, replace_empty: bool) -> None:
        """Make a link to a directory.  The same link there already is fine, anything else is 183.

        With ``replace_empty`` an empty directory there becomes the link.  What is there at first and gone
        when it is looked at is 170: the next try finds the name free.
        """
        with self._changing(path) as at:
            try:
                self._win32.set_link(at.directory, at.name, target, replace=False)
                at.undo = lambda: self._remove_reparse_point(at)
            except Win32Error as error:
                if error.windows_code != WindowsCode.ALREADY_EXISTS:
                    raise
                try:
                    self._link_over(at, target, replace_empty=replace_empty)
                except Win32Error as now:
                    if now.windows_code != WindowsCode.FILE_NOT_FOUND:
                        raise
                    raise Win32Error(WindowsCode.BUSY, error.call, "what was there has just gone") from now

    def _link_over(self, at: _Change, target: str, *, replace_empty: bool) -> None:
        """Make do with what has the link's name already."""
        entry = self._win32.entry(at.directory, at.name)
        if entry.kind is EntryKind.DIRECTORY and replace_empty:
            self._replace(at, target)
        elif not (entry.kind.is_link and _components(entry.target) == _components(target)):
            raise Win32Error(WindowsCode.ALREADY_EXISTS, "set link", f"a {entry.kind.value} is there")

    def _replace(self, at: _Change, target: str) -> None:
        """Let an empty directory become a link; one that is not empty is 183, as anything else there is."""

        try:
            self._win32.set_link(at.directory, at.name, target, replace=True)
        except Win32Error as error:
            if error.windows_code != WindowsCode.DIR_NOT_EMPTY:
                raise
            raise Win32Error(
                WindowsCode.ALREADY_EXISTS, error.call, "a directory is there that is not empty"
            ) from error
        at.undo = lambda: self._restore_directory(at)

    def _remove_reparse_point(self, at: _Change) -> None:
        """Take back a link.  In a directory that was moved the host may not know its kind any more."""
        kind = self._win32.entry(at.directory, at.name).kind
        if kind.is_reparse_point:
            self._win32.remove(at.directory, at.name, kind)

    def _restore_directory(self, at: _Change) -> None:
        """Take back what an empty directory was turned into."""
        self._remove_reparse_point(at)
        self._win32.create_directory(at.directory, at.name)

    def _take_back_mount(self, at: _Change, volume: str) -> None:
        try:
            self._win32.delete_mount_point(at.directory, at.name, volume)
        except Win32Error:
            self._restore_directory(at)

    def mount(self, path: ConfinedPath, volume: str) -> None:
        """Mount a volume at an empty directory.  The same volume there already is fine."""
        with self._changing(path) as at:
            entry = self._win32.entry(at.directory, at.name)
            if entry.kind is EntryKind.MOUNT_POINT:
                if equality_key(entry.target) == equality_key(volume):
                    return
                raise Win32Error(WindowsCode.DIR_NOT_EMPTY, "mount", f"{entry.target} is mounted there")
            _demand_directory(entry, "mount")
            self._win32.set_mount_point(at.directory, at.name, volume)
            at.undo = lambda: self._take_back_mount(at, volume)

    def unmount(self, path: ConfinedPath, volume: str) -> bool:
        """Unmount a volume; False when it was not mounted there (any more).  Another volume there: 145."""
        try:
            with self.place(path) as place:
                entry = self._win32.entry(place.directory, place.name)
                if entry.kind is not EntryKind.MOUNT_POINT:
                    if entry.kind.is_reparse_point:
                        raise Win32Error(WindowsCode.REPARSE_POINT_ENCOUNTERED, "unmount", entry.kind.value)
                    return False
                if equality_key(entry.target) != equality_key(volume):
                    raise Win32Error(WindowsCode.DIR_NOT_EMPTY, "unmount", f"{entry.target} is mounted there")
                self._win32.delete_mount_point(place.directory, place.name, volume)
                return True
        except Win32Error as error:
            if error.windows_code in _MISSING:
                return False
            raise

    def mount_points(self, volume: str) -> list[str]:
        r"""Every directory where the volume is mounted, as ``C:\…``, under our prefixes or not."""
        return self._win32.mount_points(volume)


# What a link or mount point leads to is not there: a name that is missing or would be in a file, an offline,
# raw, gone or damaged volume.
_DANGLING = frozenset({2, 3, 15, 21, 267, 1005, 1168, 1392, 1393, CANT_RESOLVE_FILENAME})


def _demand_directory(entry: Entry, call: str) -> None:
    if entry.kind.is_reparse_point:
        raise Win32Error(WindowsCode.REPARSE_POINT_ENCOUNTERED, call, f"a {entry.kind.value}")
    if entry.kind is EntryKind.FILE:
        raise Win32Error(WindowsCode.DIRECTORY, call, "it is a file")


def _volume_name(text: str) -> str:
    r"""The canonical form of a volume's exact name, "" for anything else."""
    named = _VOLUME_NAME.fullmatch(text)
    return rf"\\?\Volume{{{named[1].lower()}}}" + "\\" if named else ""


def _components(path: str) -> tuple[str, ...]:
    return tuple(equality_key(part) for part in path.rstrip("\\").split("\\"))
