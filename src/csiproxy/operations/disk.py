"""Group disk: find, partition, and switch disks."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from csiproxy.errors import CsiProxyError, FailedPrecondition, NotFound, WindowsCode
from csiproxy.host.win32 import Association, CodeSet, StorageDevice
from csiproxy.operations.context import Context
from csiproxy.operations.locks import Locks
from csiproxy.operations.paths import shown
from csiproxy.operations.rail import Act
from csiproxy.operations.rails import Rails
from csiproxy.storage import disk as storage
from csiproxy.storage.disk import Disks, OfflineReason, Partition, PartitionStyle
from csiproxy.storage.volume import Volume, Volumes

# How long a new partition's volume may take to arrive before the call gives up on it.
ARRIVAL_SECONDS = 10.0
_ARRIVAL_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class DiskLocation:
    """Where a disk hangs, as decimal text; ``bus`` is the PCI bus of its adapter."""

    adapter: str
    bus: str
    target: str
    lun_id: str


@dataclass(frozen=True, slots=True)
class ListDiskLocations:
    """Locations by disk number."""

    disk_locations: dict[int, DiskLocation]


@dataclass(frozen=True, slots=True)
class DiskIds:
    """The first page-83 identifier of the device, raw, and the serial number; "" when there is none."""

    page83: str
    serial_number: str


@dataclass(frozen=True, slots=True)
class ListDiskIds:
    """Identifiers by disk number."""

    disk_ids: dict[int, DiskIds]


@dataclass(frozen=True, slots=True)
class GetDiskNumberByName:
    """A disk number as text, the way the one version that has this RPC says it."""

    disk_number: str


@dataclass(frozen=True, slots=True)
class GetDiskStats:
    """The disk's size in bytes."""

    total_bytes: int


@dataclass(frozen=True, slots=True)
class GetDiskState:
    """Whether Windows uses the disk."""

    is_online: bool


class DiskGroup:
    """The RPCs of the newest disk version, and what other contracts compose of them."""

    def __init__(
        self,
        disks: Disks,
        volumes: Volumes,
        locks: Locks,
        rails: Rails,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._disks = disks
        self._volumes = volumes
        self._locks = locks
        self._rails = rails
        self._sleep = sleep

    # --- questions -----------------------------------------------------------------------------------

    def list_disk_locations(self, context: Context) -> ListDiskLocations:
        """Where the disks hang; a disk whose location Windows does not say is left out."""
        found = {disk.number: storage.location_of(disk) for disk in self._disks.all()}
        return ListDiskLocations(
            {
                number: DiskLocation(at.adapter, at.bus, at.target, at.lun)
                for number, at in found.items()
                if at is not None
            }
        )

    def list_disk_ids(self, context: Context) -> ListDiskIds:
        """What names the disks; a disk that cannot be asked is left out and noted."""
        return ListDiskIds(
            {
                disk.number: DiskIds(page83_text(device), disk.serial_number)
                for disk, device in self.devices(context)
            }
        )

    def get_disk_number_by_name(self, context: Context, *, disk_name: str) -> GetDiskNumberByName:
        """The disk whose page-83 identifier is ``disk_name``."""
        for disk, device in self.devices(context):
            if disk_name and page83_text(device) == disk_name:
                return GetDiskNumberByName(str(disk.number))
        raise NotFound(
            f"no disk has the page-83 identifier {shown(disk_name)}; rescan, or list the disks' ids"
        )

    def get_disk_stats(self, context: Context, *, disk_number: int) -> GetDiskStats:
        """How large a disk is."""
        return GetDiskStats(self._disks.get(disk_number).size)

    def get_disk_state(self, context: Context, *, disk_number: int) -> GetDiskState:
        """Whether a disk is online."""
        return GetDiskState(not self._disks.get(disk_number).is_offline)

    # --- changes -------------------------------------------------------------------------------------

    def rescan(self, context: Context) -> None:
        """Refresh the host's view of its disks.  Takes no disk's lock."""
        self._disks.rescan()

    def partition_disk(self, context: Context, *, disk_number: int) -> None:
        """See to it that the disk is online and has a data partition; what is partitioned stays as it is."""
        self.prepare(context, disk_number, PartitionStyle.GPT)

    def set_disk_state(self, context: Context, *, disk_number: int, is_online: bool) -> None:
        """Bring a disk online or take it offline; a disk that is so already is left alone."""
        with self._locks.hold(context, lock_name(disk_number)):
            disk = self._disks.get(disk_number)
            if is_online:
                self._bring_online(context, disk)
            elif not disk.is_offline:
                self._rails.guard_disk(disk, Act.OFFLINE)
                self._disks.take_offline(disk)
                self._rails.settled(disk)

    def prepare(self, context: Context, number: int, style: PartitionStyle) -> Volume:
        """Bring a disk online, initialise and partition it if it is raw; its volume at the lowest offset.

        ``style`` is for a raw disk only.  Partitions but no volume is FailedPrecondition (1005).
        """
        with self._locks.hold(context, lock_name(number)):
            disk = self._disks.get(number)
            self._rails.guard_disk(disk, Act.PARTITION)
            disk = self._bring_online(context, disk)
            if disk.style is PartitionStyle.RAW:
                self._disks.initialize(disk, style)
                disk = self._disks.refresh(disk)
            if not self._data_partitions(number):
                context.check()
                self._disks.create_partition(disk)
                self._disks.refresh(disk)
            for partition in self._data_partitions(number):
                if partition.is_offline:
                    self._disks.bring_partition_online(partition)
            return self._arrived(context, number)

    def _bring_online(self, context: Context, disk: storage.Disk) -> storage.Disk:
        """Online, and writable where only policy made it read-only (SAN policy does that to shared disks)."""
        if disk.is_offline:
            context.note(
                "bringing-online",
                disk=disk.number,
                offline_reason=disk.offline_reason,
                is_read_only=disk.is_read_only,
            )
            if disk.is_read_only and disk.offline_reason == OfflineReason.POLICY:
                # Windows takes attributes of online disks only (41003), and once a disk is online it does not
                # say any more whose the attribute is.  Who dies in between leaves the mark for the next.
                self._disks.mark_policy_read_only(disk)
            self._disks.bring_online(disk)
            disk = self._disks.refresh(disk)
            context.note("brought-online", disk=disk.number, is_read_only=disk.is_read_only)
        if self._disks.is_marked_policy_read_only(disk):
            if disk.is_read_only:
                context.note("clearing-read-only", disk=disk.number)
                try:
                    self._disks.clear_read_only(disk)
                except FailedPrecondition as error:
                    # Hardware locks the disk as well, which is no obstacle to what needs no writing.
                    if error.windows_code != WindowsCode.WRITE_PROTECT:
                        raise
                disk = self._disks.refresh(disk)
                context.note("cleared-read-only", disk=disk.number, is_read_only=disk.is_read_only)
            self._disks.unmark_policy_read_only(disk)
        return disk

    def _data_partitions(self, number: int) -> list[Partition]:
        return [partition for partition in self._disks.partitions(number) if partition.is_data]

    def _arrived(self, context: Context, number: int) -> Volume:
        """The first volume of a disk; Windows may take a moment to make one of a new partition."""
        waited = 0.0
        while not (volumes := self.volumes_of(number)):
            if self._disks.get(
                number
            ).is_offline:  # no volume arrives any more; one that has gone is NotFound
                raise FailedPrecondition(
                    f"disk {number} went offline before Windows made a volume of its partition; "
                    "bring it online, and partition it again",
                    WindowsCode.NOT_READY,
                )
            if waited >= ARRIVAL_SECONDS:
                raise FailedPrecondition(
                    f"disk {number} has partitions, but Windows makes no volume of any of them",
                    WindowsCode.UNRECOGNIZED_VOLUME,
                )
            context.check()
            self._sleep(_ARRIVAL_POLL_SECONDS)
            waited += _ARRIVAL_POLL_SECONDS
        return volumes[0]

    # --- shared with the other contracts -------------------------------------------------------------

    def devices(self, context: Context) -> list[tuple[storage.Disk, StorageDevice]]:
        """All disks with what their drivers say; one that cannot be asked is left out and noted."""
        found = []
        for disk in self._disks.all():
            try:
                found.append((disk, self._disks.device(disk)))
            except CsiProxyError as error:
                context.note("disk-left-out", disk=disk.number, windows_code=error.windows_code)
        return found

    def guard(self, number: int, act: Act) -> None:
        """Raise FailedPrecondition if a guard rail forbids the act on a disk."""
        self._rails.guard_disk(self._disks.get(number), act)

    def luns(self, numbers: Iterable[int]) -> dict[int, int]:
        """Disk numbers by logical unit number, of the disks among ``numbers`` whose location says one."""
        wanted = set(numbers)
        found = [(disk.number, storage.location_of(disk)) for disk in self._disks.all()]
        return {int(at.lun): number for number, at in found if number in wanted and at and at.lun}

    def keep_read_only(self, context: Context, number: int, read_only: bool) -> None:
        """Give a disk the read-only attribute, online; or take it back where this gave it."""
        with self._locks.hold(context, lock_name(number)):
            disk = self._disks.get(number)
            self._rails.guard_disk(disk, Act.READ_ONLY)
            if read_only:
                # Who dies in between leaves the mark, and with it the next caller may take it back.
                self._disks.mark_client_read_only(disk)
                if disk.is_offline:
                    # Windows takes attributes of online disks only (41003).
                    context.note("bringing-online", disk=number, offline_reason=disk.offline_reason)
                    self._disks.bring_online(disk)
                    disk = self._disks.refresh(disk)
                if not disk.is_read_only:
                    self._disks.set_read_only(disk)
            elif self._disks.is_marked_client_read_only(disk):
                if disk.is_read_only and not disk.is_offline:
                    self._disks.clear_read_only(disk)
                self._disks.unmark_client_read_only(disk)

    def volumes_of(self, number: int, partition_number: int = 0) -> list[Volume]:
        """A disk's volumes by offset; ``partition_number`` 0 is every partition."""
        return [
            volume
            for partition in self._disks.partitions(number)
            if partition_number in (0, partition.number) and partition.is_data
            for volume in self._volumes.on_partition(partition)
        ]


def lock_name(number: int) -> str:
    """What a disk is called among the locks."""
    return f"disk {number}"


def page83_text(device: StorageDevice) -> str:
    """The first identifier of the device itself in text or binary form: text raw, binary as hex."""
    for descriptor in device.identifiers:
        if descriptor.association is Association.DEVICE:
            if descriptor.code_set in (CodeSet.ASCII, CodeSet.UTF8):
                return descriptor.identifier.decode("utf-8", "replace")
            if descriptor.code_set is CodeSet.BINARY:
                return descriptor.identifier.hex()
    return ""
