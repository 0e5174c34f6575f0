"""Watching a directory for domain sockets: those that are there, those that come, and those that go.

The system's own notification wakes this (inotify, ReadDirectoryChangesW; through watchdog), nothing is
polled. Ordinary files cost one look each; what is read, written or renamed inside a file is not even heard
of.
"""

import os
from collections.abc import Callable, Iterator

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from csiproxy.kubelet.sockets import Kind, is_socket, kind_of, look

_EVENTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
]

Told = Callable[[str], None]


class SocketDirectory(FileSystemEventHandler):
    """A directory under watch, with the directories in it.

    ``appeared(path)`` is told of each socket that is made, ``vanished(path)`` of whatever is removed, both
    from a thread of the watch; they must not block.  Names that begin with a dot are passed over, as kubelet
    does.
    """

    def __init__(self, directory: str, appeared: Told, vanished: Told) -> None:
        self._directory = directory
        self._watched = directory
        self._appeared = appeared
        self._vanished = vanished
        self._observer = Observer()

    def start(self) -> None:
        """Make the directory if need be, and watch; OSError when that cannot be."""
        os.makedirs(self._directory, mode=0o755, exist_ok=True)
        self._watched = os.path.realpath(self._directory)  # a link itself would not be watched into
        self._observer.schedule(self, self._watched, recursive=True, event_filter=_EVENTS)
        self._observer.start()

    def stop(self) -> None:
        """Watch no more."""
        self._observer.stop()
        self._observer.join()

    def sockets(self) -> Iterator[str]:
        """Find every socket that is there now, by the same rules as those that come."""
        yield from _sockets_below(self._directory)

    def on_created(self, event: FileSystemEvent) -> None:
        """Look at what was made."""
        self._look(self._as_asked(event.src_path))

    def on_deleted(self, event: FileSystemEvent) -> None:
        """Pass it on: what it was cannot be seen any more."""
        self._vanished(self._as_asked(event.src_path))

    def on_moved(self, event: FileSystemEvent) -> None:
        """It is gone from one place and made at another."""
        self._vanished(self._as_asked(event.src_path))
        self._look(self._as_asked(event.dest_path))

    def _as_asked(self, path: bytes | str) -> str:
        """The path below the directory as it was named."""
        return self._directory + os.fsdecode(path).removeprefix(self._watched)

    def _look(self, path: str) -> None:
        if os.path.basename(path).startswith("."):
            return
        try:
            kind = look(path)
        except FileNotFoundError:
            return
        if kind is Kind.DIRECTORY:
            # What is in it may have been there before it was watched.
            for found in _sockets_below(path):
                self._appeared(found)
        elif is_socket(kind, path):
            self._appeared(path)


def _sockets_below(directory: str) -> Iterator[str]:
    waiting = [directory]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                inside = list(entries)
        except OSError:
            continue  # removed meanwhile, or not ours to read
        for entry in inside:
            kind = _kind_of_entry(entry)
            if kind is Kind.DIRECTORY:
                waiting.append(entry.path)
            elif kind is not None and is_socket(kind, entry.path):
                yield entry.path


def _kind_of_entry(entry: "os.DirEntry[str]") -> Kind | None:
    """What an entry is; None for what is passed over.  Ordinary files are known without another call."""
    if entry.name.startswith("."):
        return None
    try:
        if os.name == "posix" and entry.is_file(follow_symlinks=False):
            return Kind.OTHER
        return kind_of(entry.stat(follow_symlinks=False))
    except FileNotFoundError:
        return None
    except OSError:
        return Kind.UNCLEAR if os.name == "nt" else Kind.OTHER
