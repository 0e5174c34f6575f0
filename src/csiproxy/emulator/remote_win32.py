"""The Win32 half of a node's port through its entrance, where directories are numbers.

A number is good on one connection, so what is opened below a directory goes over that directory's
connection; separate walks and locks have connections of their own.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Self

from csiproxy.emulator import wire
from csiproxy.emulator.frames import NothingSent
from csiproxy.emulator.pool import Connection, Pool
from csiproxy.emulator.remote import every, one
from csiproxy.emulator.wire import Failure, Request, WireError
from csiproxy.errors import HostUnreachable, Win32Error, WindowsCode
from csiproxy.host.win32 import Directory, Entry, EntryKind, StorageDevice

MOST_IDLE = 8


class Lane:
    """One connection and what is open on it; calls take turns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._broken = False

    @property
    def is_usable(self) -> bool:
        """Whether the node still is at the other end, as far as can be seen without asking it."""
        return not self._broken and self._connection.is_usable

    def call(self, name: str, *arguments: object) -> object:
        """Make a call; what was open is gone with the connection, so a broken one is never mended."""
        with self._lock:
            if self._broken:
                raise HostUnreachable("the node went away, and everything that was open on it is closed")
            try:
                answer = self._connection.exchange(wire.encode(Request(name, arguments)), None)
            except (NothingSent, OSError, WireError) as error:
                self._broken = True
                self._connection.close()
                raise HostUnreachable(f"the node went away during {name}: {error}") from error
        if isinstance(answer, Failure):
            raise answer.error
        return answer.value

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class RemoteDirectory:
    """An open directory of the node.  One that is leaked is closed with its siblings' connection."""

    def __init__(self, lane: Lane, number: int, closed: Callable[[Lane], None]) -> None:
        self.lane = lane
        self.number = number
        self._closed = closed
        self._is_open = True

    def close(self) -> None:
        """Close it; once more does nothing, and neither does it when the node has gone."""
        if self._is_open:
            self._is_open = False
            with suppress(HostUnreachable):
                self.lane.call("win32.close", self.number)
            self._closed(self.lane)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class RemoteWin32:
    """:class:`csiproxy.host.win32.Win32` of a node in another process, through its entrance."""

    def __init__(self, pool: Pool, connect: Callable[[], Connection]) -> None:
        self._pool = pool
        self._connect = connect
        self._lock = threading.Lock()
        self._idle: list[Lane] = []
        self._open: dict[Lane, int] = {}  # how many directories each lane in use has

    # --- opening

    def open_root(self, path: str) -> Directory:
        """Open a configured prefix, on a connection that nothing else is open on."""
        lane = self._take()
        try:
            return self._opened(lane, lane.call("win32.open_root", path))
        finally:
            self._give_back(lane)

    def open_child(self, parent: Directory, name: str) -> Directory:
        """Open a directory below another."""
        return self._opened(_remote(parent).lane, self._call("open_child", parent, name))

    def open_mounted(self, parent: Directory, name: str) -> Directory:
        """Open the root of the volume mounted at ``name``."""
        return self._opened(_remote(parent).lane, self._call("open_mounted", parent, name))

    # --- questions

    def entry(self, parent: Directory, name: str) -> Entry:
        """What ``name`` is."""
        return one(Entry, self._call("entry", parent, name))

    def entries(self, directory: Directory) -> list[Entry]:
        """All names in a directory."""
        return every(Entry, self._call("entries", directory))

    def final_path(self, directory: Directory) -> str:
        """Where an open directory is now."""
        return one(str, self._call("final_path", directory))

    def mount_points(self, volume: str) -> list[str]:
        """The directories where a volume is mounted."""
        return every(str, self._pool.call("win32.mount_points", volume))

    def storage_device(self, path: str) -> StorageDevice:
        """Ask the driver of a disk."""
        return one(StorageDevice, self._pool.call("win32.storage_device", path))

    # --- changes

    def create_directory(self, parent: Directory, name: str) -> None:
        """Make one empty directory."""
        self._call("create_directory", parent, name)

    def remove(self, parent: Directory, name: str, kind: EntryKind) -> None:
        """Remove a name that still is of ``kind``."""
        self._call("remove", parent, name, kind)

    def set_link(self, parent: Directory, name: str, target: str, *, replace: bool) -> None:
        """Make a symbolic link."""
        self._call("set_link", parent, name, target, replace)

    def set_mount_point(self, parent: Directory, name: str, volume: str) -> None:
        """Mount a volume at an empty directory."""
        self._call("set_mount_point", parent, name, volume)

    def delete_mount_point(self, parent: Directory, name: str, volume: str) -> None:
        """Unmount at ``name``."""
        self._call("delete_mount_point", parent, name, volume)

    @contextmanager
    def mutex(self, name: str, seconds: float) -> Iterator[None]:
        """Hold a lock, on a connection of its own: the node frees it when that breaks."""
        lane = self._take()
        try:
            number = one(int, lane.call("win32.hold", name, float(seconds)))
            try:
                yield
            finally:
                with suppress(HostUnreachable):
                    lane.call("win32.close", number)
        finally:
            self._give_back(lane)

    def remember(self, mark: str) -> None:
        """Leave a mark."""
        self._pool.call("win32.remember", mark)

    def remembers(self, mark: str) -> bool:
        """Whether the mark is there."""
        return one(bool, self._pool.call("win32.remembers", mark))

    def forget(self, mark: str) -> None:
        """Take a mark away."""
        self._pool.call("win32.forget", mark)

    def marks(self, beginning: str) -> list[str]:
        """All marks that begin so."""
        return every(str, self._pool.call("win32.marks", beginning))

    # --- connections

    def _call(self, name: str, directory: Directory, *arguments: object) -> object:
        remote = _remote(directory)
        return remote.lane.call(f"win32.{name}", remote.number, *arguments)

    def _opened(self, lane: Lane, answer: object) -> RemoteDirectory:
        number = one(int, answer)
        with self._lock:
            self._open[lane] = self._open.get(lane, 0) + 1
        return RemoteDirectory(lane, number, self._give_back)

    def _take(self) -> Lane:
        """An idle lane whose node is still there, or a new one, with one use of it counted."""
        while True:
            with self._lock:
                lane = self._idle.pop() if self._idle else None
            if lane is None:
                lane = Lane(self._connect())
            elif not lane.is_usable:
                lane.close()
                continue
            with self._lock:
                self._open[lane] = 1
            return lane

    def _give_back(self, lane: Lane) -> None:
        """One use of a lane has ended; after the last it is idle, or closed."""
        with self._lock:
            left = self._open.get(lane, 1) - 1
            if left:
                self._open[lane] = left
                return
            self._open.pop(lane, None)
            keep = len(self._idle) < MOST_IDLE and lane.is_usable
            if keep:
                self._idle.append(lane)
        if not keep:
            lane.close()


def _remote(directory: Directory) -> RemoteDirectory:
    if not isinstance(directory, RemoteDirectory):
        raise Win32Error(WindowsCode.INVALID_HANDLE, "NtCreateFile", "the directory belongs to another host")
    return directory
