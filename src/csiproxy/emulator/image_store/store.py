"""The volumes of a node whose file systems are in their partitions."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from csiproxy.emulator import boot_sector, file_systems
from csiproxy.emulator.boot_sector import BootSectorError
from csiproxy.emulator.file_systems import FileSystem
from csiproxy.emulator.image import Image
from csiproxy.emulator.image_store import drivers, mounts, programs
from csiproxy.emulator.image_store.drivers import DRIVERS, Command, Driver
from csiproxy.emulator.image_store.facts import Unreadable
from csiproxy.emulator.image_store.unfinished import Job, Unfinished
from csiproxy.emulator.partition_table import Partition
from csiproxy.emulator.state import State
from csiproxy.emulator.volume import Condition, Content, Statistics, Volume, unusable, volume_name
from csiproxy.errors import Win32Error, WindowsCode

assert sys.platform != "win32"  # noqa: S101  mypy stops here for Windows, where this is never imported

# What is cleared of a volume that is to be raw: all that a file system is recognised by that is mounted here.
_BEGIN = 4096


class ImageStore:
    """What the volumes of one node share: mounts, jobs that were begun, and why a mount failed.

    ``directory`` is the node's own.  :meth:`close` lets everything go.
    """

    def __init__(self, state: State, directory: str) -> None:
        self.lock = state.lock
        self.mounts = mounts.Mounts(os.path.join(directory, "volumes"), state.lock)
        self.unfinished = Unfinished(state)
        self.failures: dict[str, str] = {}

    def volume(self, image: Image, partition: Partition, guid: str, *, read_only: bool) -> "ImageVolume":
        """The volume on a partition."""
        return ImageVolume(self, image, partition, guid, read_only)

    def recover(self, images: Iterable[str]) -> None:
        """Take old mounts away, and wait until no driver has one of the images any more."""
        self.mounts.clear_stale({os.path.realpath(image) for image in images})

    def settle(self, volumes: Iterable[Volume], is_in_use: Callable[[str], bool]) -> None:
        """Take away by force what is not to be mounted, and mount what is in use."""
        with self.lock:
            surfaced = {volume.guid: volume for volume in volumes if isinstance(volume, ImageVolume)}
            self.mounts.settle({guid: volume.site for guid, volume in surfaced.items()})
            for guid, volume in surfaced.items():
                if self.mounts.get(guid) is None and is_in_use(volume.name):
                    with suppress(Win32Error):  # whoever wants its files is told
                        volume.directory()

    def close(self) -> None:
        """Unmount everything."""
        self.mounts.settle({})


@dataclass(frozen=True, slots=True)
class ImageVolume:
    """A :class:`~csiproxy.emulator.volume.Volume` with its file system in the partition."""

    store: ImageStore
    image: Image
    partition: Partition
    guid: str
    read_only: bool

    @property
    def place(self) -> str:
        """It is no drive's."""
        return ""

    @property
    def name(self) -> str:
        r"""``\\?\Volume{guid}\``: MSFT_Volume.UniqueId and Path."""
        return volume_name(self.guid)

    @property
    def formats(self) -> Mapping[str, FileSystem]:
        """NTFS, FAT32 and exFAT."""
        return drivers.FORMATS

    @property
    def site(self) -> mounts.Site:
        """The bytes that it is on."""
        return mounts.Site(self.image, self.partition.offset, self.partition.size, self.read_only)

    # --- as bytes of its partition (facts.Bytes)

    @property
    def size(self) -> int:
        """The partition's."""
        return self.partition.size

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the partition."""
        return self.image.read(self.partition.offset + offset, min(length, self.size - offset))

    # --- as a volume

    def content(self) -> Content:
        """What was found when it was mounted, or is found now."""
        mount = self.store.mounts.get(self.guid)
        if mount is not None and mount.site == self.site:
            return mount.content
        if self.store.unfinished.get(self.guid) is Job.FORMAT:
            return Content(Condition.RAW)
        begin = self.read(0, file_systems.PROBE)
        problem = _beside_the_image(begin)
        if problem is not None:
            return Content(Condition.FOREIGN, problem=problem) if problem else Content(Condition.RAW)
        found = file_systems.recognise_bytes(begin)
        if found is None:
            return Content(Condition.RAW)
        driver = DRIVERS.get(found.name.upper())
        if driver is None:
            problem = f"it holds {found.name} from elsewhere, which Windows or this node has no driver for"
            return Content(Condition.FOREIGN, found, problem=problem)
        return self._described(driver, found)

    def _described(self, driver: Driver, found: FileSystem) -> Content:
        try:
            facts = driver.read(self)
        except Unreadable as error:
            problem = f"its {found.name} is damaged ({error}): repair it, or restore {self.image.path}"
            return Content(Condition.DAMAGED, found, problem=problem)
        problem = self.store.failures.get(self.guid, "")
        if problem:
            return Content(Condition.DAMAGED, found, facts.label, facts.cluster, problem)
        where = self.store.mounts.directory(self.guid)
        # Growing sets the mark, and takes it away at its end.
        dirty = facts.dirty and self.store.unfinished.get(self.guid) is not Job.GROW
        return Content(Condition.READY, found, facts.label, facts.cluster, directory=where, dirty=dirty)

    def directory(self) -> str:
        """Where it is mounted; mounts it, and finishes what a kill has left undone, if need be."""
        with self.store.lock:
            content = self.content()
            if content.condition is not Condition.READY:
                # What could not be mounted before may have been repaired since.
                if self.store.failures.pop(self.guid, None) is None:
                    raise unusable(self.name, content)
                return self.directory()
            if self.store.mounts.get(self.guid) is not None:
                return content.directory
            driver = _driver(content)
            self._finish_growing(driver)
            try:
                return self.store.mounts.mount(self.guid, self.site, driver, self.content())
            except Win32Error as error:
                if error.windows_code == WindowsCode.FILE_CORRUPT:
                    self.store.failures[self.guid] = error.detail
                raise

    def files(self) -> str:
        """Where it is mounted, if it is."""
        mount = self.store.mounts.get(self.guid)
        return mount.directory if mount is not None and mount.site == self.site else ""

    def format(self, file_system: str, label: str, cluster: int) -> None:
        """Take it from whoever uses it, and have the file system's own tool make a new one."""
        driver = DRIVERS[file_system]
        kept = drivers.check_label(driver, label)
        drivers.check_size(driver, self.size, cluster)
        with self._unmounted(force=True), self._job(Job.FORMAT):
            self._clear()
            with self.site.device() as device:
                _run(driver.make(device.path, self.size, kept, cluster))
                device.sync()

    def relabel(self, label: str) -> None:
        """Have the file system's own tool do it; one in use is 170."""
        with self.store.lock:
            driver = _driver(self.content())
            kept = drivers.check_label(driver, label)
            with self._unmounted(force=False), self.site.device() as device:
                _run(driver.relabel(device.path, kept))
                device.sync()

    def flush(self) -> None:
        """Have the driver write what it holds; what is not mounted holds nothing."""
        mount = self.store.mounts.get(self.guid)
        if mount is not None and not self.read_only:
            self.store.mounts.flush(mount)

    def statistics(self, content: Content) -> Statistics:
        """What the mounted file system says of itself."""
        if content.condition is Condition.READY:
            with suppress(Win32Error, OSError):
                found = os.statvfs(self.directory())
                unit = found.f_frsize
                return Statistics(found.f_blocks * unit, (found.f_blocks - found.f_bfree) * unit)
        size = self.size if content.file_system else 0
        return Statistics(size, size)

    def least_size(self, content: Content) -> int:  # noqa: ARG002
        """What it has: nothing is made smaller here."""
        return self.size

    def before_resize(self) -> None:
        """Let go of it; one that wants to be checked is refused (1393), as ntfsresize and Windows do."""
        content = self.content()
        if content.condition is not Condition.READY:
            return
        if content.dirty:
            raise Win32Error(
                WindowsCode.DISK_CORRUPT, "Resize", f"{self.name} wants to be checked first: run chkdsk"
            )
        self.store.mounts.dismount(self.guid, force=False)
        self.store.unfinished.begin(self.guid, Job.GROW)

    def after_resize(self) -> None:
        """Let the file system fill its partition.  A failure leaves that to whoever mounts it next."""
        content = self.content()
        if content.condition is Condition.READY:
            self._finish_growing(_driver(content))

    def mark_raw(self) -> None:
        """Clear the begin of what can be mounted here."""
        content = self.content()
        if content.condition is not Condition.FOREIGN:
            self.store.mounts.dismount(self.guid, force=True)
            if content.file_system is not None:
                self._clear()
            self._forget()

    def remove_files(self) -> None:
        """Nothing: they went with the partition."""

    # --- steps

    def _clear(self) -> None:
        self.image.write(self.partition.offset, bytes(min(_BEGIN, self.size)))
        self.image.sync()

    def _forget(self) -> None:
        self.store.failures.pop(self.guid, None)
        self.store.unfinished.end(self.guid)

    @contextmanager
    def _job(self, job: Job) -> Iterator[None]:
        """A job that a kill leaves unfinished, and that a failure undoes."""
        self.store.unfinished.begin(self.guid, job)
        try:
            yield
        except Win32Error:
            self._clear()
            raise
        finally:
            self._forget()

    @contextmanager
    def _unmounted(self, *, force: bool) -> Iterator[None]:
        """Without its mount for a moment; who had it mounted has it again afterwards."""
        with self.store.lock:
            was_mounted = self.store.mounts.dismount(self.guid, force=force)
            try:
                yield
            finally:
                if was_mounted:
                    with suppress(Win32Error):  # whoever wants its files is told
                        self.directory()

    def _finish_growing(self, driver: Driver) -> None:
        if self.store.unfinished.get(self.guid) is not Job.GROW or self.read_only:
            return
        with self.site.device() as device:
            for command in driver.grow(device.path):
                _run(command)
            device.sync()
        self.store.unfinished.end(self.guid)


def _driver(content: Content) -> Driver:
    """The driver of a volume that is ready."""
    if content.condition is not Condition.READY or content.file_system is None:
        raise unusable("the volume", content)
    return DRIVERS[content.file_system.name.upper()]


def _run(command: Command) -> None:
    """Run a tool; its refusal is 1117 with its own reason."""
    outcome = programs.run(command)
    if outcome.code:
        raise Win32Error(WindowsCode.IO_DEVICE, command[0], f"it ended with {outcome.code}: {outcome.said}")


def _beside_the_image(begin: bytes) -> str | None:
    """Why a volume of the other store cannot be shown; empty when it is raw, None when it is none."""
    try:
        boot = boot_sector.decode(begin)
    except BootSectorError as error:
        return f"{error}, and its files lie beside the image"
    if boot is None:
        return None
    hint = "its files lie beside the image, not in it: run the node with --volumes directory"
    return hint if boot.file_system else ""
