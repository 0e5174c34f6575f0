"""Mounted file systems, one directory of the host each, below the node's own.

Each has a loop device for its bytes of an image, a driver's process, and a keeper
(:mod:`csiproxy.emulator.image_store.keeper`) that sees to their end.  A directory is there only as long as it
is mounted: what leads there fails rather than to reach the host's own files.  Mounting and unmounting take
their time, and happen out of sight.
"""

import ctypes
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass

from csiproxy.emulator.image import Image, win32_error
from csiproxy.emulator.image_store import keeper, loop, programs
from csiproxy.emulator.image_store.drivers import Driver
from csiproxy.emulator.volume import Content
from csiproxy.errors import Win32Error, WindowsCode

assert sys.platform != "win32"  # noqa: S101  mypy stops here for Windows, where this is never imported

MOUNT, UNMOUNT = "mount", "umount"

# How long a driver may take to mount, and to write what it holds when it is told to end (seconds).
START_SECONDS = 30.0
END_SECONDS = 20.0
# How long somebody may still be at a file when a volume is to be let go for a moment (seconds).
BUSY_SECONDS = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 0.001, 0.02


@dataclass(frozen=True, slots=True)
class Site:
    """The bytes of an image that a file system is on, and whether they may be written."""

    image: Image
    offset: int
    size: int
    read_only: bool

    def overlaps(self, other: "Site") -> bool:
        """Whether both have bytes in common."""
        return (
            self.image is other.image
            and self.offset < other.offset + other.size
            and other.offset < self.offset + self.size
        )

    def device(self) -> loop.LoopDevice:
        """A loop device for them."""
        return loop.LoopDevice(self.image.descriptor, self.offset, self.size, read_only=self.read_only)


@dataclass(frozen=True, slots=True, eq=False)
class Mount:
    """One mounted file system; ``content`` is what was on it when it was mounted."""

    directory: str
    site: Site
    content: Content
    device: str
    keeper: "subprocess.Popen[bytes]"


class Mounts:
    """All mounts of one node, each under a name (its volume's GUID).

    ``lock`` is the node's own, held around every change.
    """

    def __init__(self, directory: str, lock: AbstractContextManager[object]) -> None:
        self._root = directory
        self._lock = lock
        self._mounts: dict[str, Mount] = {}
        self._libc = ctypes.CDLL(None, use_errno=True)

    def directory(self, name: str) -> str:
        """Where the file system of that name is mounted, or would be."""
        return os.path.join(self._root, name, keeper.FILES)

    def names(self) -> list[str]:
        """What is mounted."""
        with self._lock:
            return list(self._mounts)

    def get(self, name: str) -> Mount | None:
        """The mount of that name, if it is there and its driver lives."""
        with self._lock:
            mount = self._mounts.get(name)
            if mount is None or mount.keeper.poll() is None:
                return mount
            self._lost(name, mount)
            return None

    def mount(self, name: str, site: Site, driver: Driver, content: Content) -> str:
        """Mount a file system and return its directory.

        What is mounted of the same bytes under another name is taken away first.  1392: the driver refuses,
        with its own reason.
        """
        with self._lock:
            for other, mount in list(self._mounts.items()):
                if other == name or mount.site.overlaps(site):
                    self.dismount(other, force=True)
            directory = self.directory(name)
            hidden = keeper.hidden(directory)
            try:
                os.makedirs(hidden, exist_ok=True)
            except OSError as error:
                raise win32_error(error, MOUNT, directory) from error
            with site.device() as device:
                command = driver.mount(device.path, hidden, site.read_only)
                process = self._started(directory, command)
                self._wait_until_mounted(directory, process, driver)
                keeper.show(directory)
                mount = Mount(directory, site, content, device.path, process)
            self._mounts[name] = mount
            threading.Thread(target=self._attend, args=(name, mount), name="mount", daemon=True).start()
            return directory

    def dismount(self, name: str, *, force: bool) -> bool:
        """Take a mount away, so that the image has all that was written; False when there was none.

        One in use is 170, or with ``force`` is taken away from whoever uses it.
        """
        with self._lock:
            mount = self._mounts.get(name)
            if mount is None:
                return False
            in_use = not self._unmounted(mount.directory, 0.0 if force else BUSY_SECONDS)
            if in_use and not force and mount.keeper.poll() is None:
                keeper.show(mount.directory)
                raise Win32Error(
                    WindowsCode.BUSY,
                    UNMOUNT,
                    "a process has files of the volume open: close them and try again",
                )
            del self._mounts[name]
            _end(mount.keeper)
            keeper.clear(mount.directory, self._libc)
            return True

    def settle(self, wanted: Mapping[str, Site]) -> None:
        """Take away, by force, every mount whose file system is not (any more) one of these."""
        with self._lock:
            for name, mount in list(self._mounts.items()):
                if wanted.get(name) != mount.site:
                    self.dismount(name, force=True)

    def flush(self, mount: Mount) -> None:
        """Have driver, loop device and image write what they hold.  A driver that has died is 1117.

        One that is unmounted meanwhile, as its disk goes offline, writes everything for that.
        """
        try:
            _sync(mount)
        except OSError as error:
            with self._lock:  # whoever unmounts it, or hides it to try, has held that
                is_there = mount in self._mounts.values()
            if not is_there and mount.keeper.poll() == 0:
                return
            try:
                _sync(mount)
            except OSError:
                raise win32_error(error, "FlushFileBuffers", mount.directory) from error

    def clear_stale(self, images: set[str]) -> None:
        """At a start: take away what an earlier process of this node has left, and wait for its drivers' end.

        ``images`` are the real paths of the node's images; no loop device has one when this returns.
        """
        os.makedirs(self._root, exist_ok=True)
        for name in {keeper.shown_name(name) for name in os.listdir(self._root)}:
            keeper.clear(self.directory(name), self._libc)
        deadline = time.monotonic() + END_SECONDS
        for pause in _pauses():
            if not images & loop.backing_files() or time.monotonic() > deadline:
                return
            time.sleep(pause)

    # --- steps

    def _started(self, directory: str, command: tuple[str, ...]) -> "subprocess.Popen[bytes]":
        program = programs.find(command[0])
        if program is None:
            raise programs.missing(command[0])
        try:
            return subprocess.Popen(  # noqa: S603 - the node's own program, with the node's own names
                [sys.executable, "-I", "-S", keeper.__file__, directory, program, *command[1:]],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**programs.ENVIRONMENT, **_python_path()},
                start_new_session=True,
            )
        except OSError as error:
            raise win32_error(error, MOUNT, command[0]) from error

    def _wait_until_mounted(self, directory: str, process: "subprocess.Popen[bytes]", driver: Driver) -> None:
        deadline = time.monotonic() + START_SECONDS
        outside = os.stat(self._root).st_dev
        for pause in _pauses():
            with suppress(OSError):
                if os.stat(keeper.hidden(directory)).st_dev != outside:
                    return
            if process.poll() is not None or time.monotonic() > deadline:
                break
            time.sleep(pause)
        said = _end(process)
        keeper.clear(directory, self._libc)
        raise Win32Error(
            WindowsCode.FILE_CORRUPT, MOUNT, f"its {driver.file_system.name} cannot be mounted: {said}"
        )

    def _unmounted(self, directory: str, seconds: float) -> bool:
        """Unmount as soon as nobody uses it; False when somebody still does after some seconds.

        The kernel waits for the driver, for ever if that was stopped, so a thread of its own does it.
        Whoever comes meanwhile finds no directory; one in use is there again between two tries.
        """
        done: list[bool] = []
        given_up = threading.Event()
        hidden = os.fsencode(keeper.hidden(directory))

        def unmount() -> None:
            deadline = time.monotonic() + seconds
            for pause in _pauses():
                keeper.hide(directory)
                if self._libc.umount2(hidden, 0) == 0:
                    done.append(True)
                    return
                if given_up.is_set():
                    return
                keeper.show(directory)
                if time.monotonic() >= deadline:
                    return
                time.sleep(pause)

        thread = threading.Thread(target=unmount, name="umount", daemon=True)
        thread.start()
        thread.join(seconds + END_SECONDS)
        given_up.set()
        return bool(done)

    def _attend(self, name: str, mount: Mount) -> None:
        """Wait for the end of a mount's keeper, and clear up after one that was killed."""
        mount.keeper.wait()
        with self._lock:
            self._lost(name, mount)

    def _lost(self, name: str, mount: Mount) -> None:
        if self._mounts.get(name) is mount:
            del self._mounts[name]
            _end(mount.keeper)
            keeper.clear(mount.directory, self._libc)


def _sync(mount: Mount) -> None:
    """Let a file system and its device be written; OSError."""
    for path, kind in ((mount.directory, os.O_DIRECTORY), (mount.device, 0)):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | kind)
        try:
            os.fsync(descriptor)  # of any directory, both drivers write all of the file system
        finally:
            os.close(descriptor)


def _end(process: "subprocess.Popen[bytes]") -> str:
    """See a keeper to its end; what its driver said."""
    try:
        said, _ = process.communicate(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
    except ValueError:  # its pipes were closed by whoever saw to its end before
        said = b""
    return programs.first_words(said)


def _python_path() -> dict[str, str]:
    """Where a driver that is written in Python finds this package."""
    return {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _pauses() -> Iterator[float]:
    """How long to sleep after each look, without end (seconds)."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)
