r"""Disks and partitions: MSFT_Disk, MSFT_Partition, MSFT_StorageSetting, and page 83 of the disk driver.

https://learn.microsoft.com/windows-hardware/drivers/storage/msft-disk
https://learn.microsoft.com/windows-hardware/drivers/storage/msft-partition
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from csiproxy.errors import NotFound
from csiproxy.host.cim import Instance, Session
from csiproxy.host.win32 import StorageDevice, Win32
from csiproxy.storage.codes import CIM, DAMAGED_DISK, Meaning, expect, judged

MICROSOFT_RESERVED = "{e3c9e316-0b5c-4db8-817d-f92df00215ae}"
# PARTITION_MSFT_RECOVERY_GUID, PARTITION_SPACES_GUID, PARTITION_CLUSTER_GUID:
# https://learn.microsoft.com/windows/win32/api/winioctl/ns-winioctl-partition_information_gpt
MICROSOFT_RECOVERY = "{de94bba4-06d1-4d40-a16a-bfd50179d6ac}"
STORAGE_SPACES = "{e75caf8f-f680-4cee-afa3-b001e56efc2d}"
CLUSTER_METADATA = "{db97dba9-0840-4bae-97f0-ffb9a327c7e1}"
BASIC_DATA = "{ebd0a0a2-b9e5-4433-87c0-68b6b72699c7}"
MBR_IFS = 7
# A hidden NTFS partition, which is what a recovery partition of an MBR disk is (PARTITION_MSFT_RECOVERY).
MBR_RECOVERY = 0x27
# MSFT_Disk.BusType of a virtual disk that Storage Spaces make of others.
SPACES_BUS = 16
# MSFT_Partition.MbrType of extended partitions, in cylinders and in sectors (PARTITION_EXTENDED and
# PARTITION_XINT13_EXTENDED).
MBR_EXTENDED = frozenset({5, 15})
# MSFT_Disk.OperationalStatus of a disk that cannot be used as it is.
FAILED = 53268
NOT_INITIALIZED = 41000
ALREADY_INITIALIZED = 41001
ACCESS_PATH_IN_USE = 42002
# A partition ends at least this far from the disk's end (backup GPT, alignment).
MEBIBYTE = 1 << 20
# What an MBR's 32-bit sector numbers reach with sectors of 512 bytes.
MBR_LIMIT = 2 << 40
DISK_TAIL = MEBIBYTE


class PartitionStyle(IntEnum):
    """MSFT_Disk.PartitionStyle; RAW is what the page calls Unknown."""

    RAW = 0
    MBR = 1
    GPT = 2


class OfflineReason(IntEnum):
    """MSFT_Disk.OfflineReason; NONE is its NULL."""

    NONE = 0
    POLICY = 1
    REDUNDANT_PATH = 2
    SNAPSHOT = 3
    COLLISION = 4
    RESOURCE_EXHAUSTION = 5
    CRITICAL_WRITE_FAILURES = 6
    DATA_INTEGRITY_SCAN_REQUIRED = 7


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk as Windows reports it.  Sizes are bytes; ``path`` opens its device.

    ``has_failed`` is what Windows says of a disk whose partition table it cannot read, among others.
    """

    number: int
    path: str
    location: str
    serial_number: str
    size: int
    style: PartitionStyle
    is_offline: bool
    offline_reason: int
    is_read_only: bool
    is_system: bool
    is_clustered: bool
    is_of_storage_spaces: bool
    has_failed: bool
    instance: Instance


@dataclass(frozen=True, slots=True)
class Partition:
    r"""A partition.  ``offset`` and ``size`` are bytes.

    ``mbr_type`` is 0 on a GPT disk, ``gpt_type`` "" on an MBR disk.  ``access_paths`` are where its volume is
    to be found: ``D:\``, directories with a last backslash, and the volume's own name.

    An extended partition of an MBR disk is one of its own, and the logical ones lie in it.
    """

    disk_number: int
    number: int
    offset: int
    size: int
    gpt_type: str
    mbr_type: int
    is_offline: bool
    is_system: bool
    access_paths: tuple[str, ...]
    instance: Instance

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.offset + self.size

    @property
    def is_container(self) -> bool:
        """Whether it is an extended partition, which holds others and no data of its own."""
        return self.mbr_type in MBR_EXTENDED

    @property
    def is_data(self) -> bool:
        """Whether a volume could be on it."""
        return not (self.is_reserved or self.is_container)

    def is_in(self, container: "Partition") -> bool:
        """Whether it is a logical partition of ``container``."""
        return container.is_container and container.offset < self.offset < container.end

    @property
    def is_recovery(self) -> bool:
        """Whether Windows repairs itself from it."""
        return self.gpt_type.lower() == MICROSOFT_RECOVERY or self.mbr_type == MBR_RECOVERY

    @property
    def is_of_storage_spaces(self) -> bool:
        """Whether it makes its disk part of a storage pool."""
        return self.gpt_type.lower() == STORAGE_SPACES

    @property
    def is_clustered(self) -> bool:
        """Whether a failover cluster keeps its notes on it."""
        return self.gpt_type.lower() == CLUSTER_METADATA

    @property
    def is_reserved(self) -> bool:
        """Windows' own, empty reserve on a GPT disk, which is no data partition."""
        return self.gpt_type.lower() == MICROSOFT_RESERVED


@dataclass(frozen=True, slots=True)
class Location:
    """Where a disk hangs: numbers as text, "" for what Windows does not say."""

    adapter: str
    bus: str
    target: str
    lun: str


class Disks:
    """The disks of the node and their partitions."""

    def __init__(self, session: Session, win32: Win32) -> None:
        self._session = session
        self._win32 = win32

    def all(self) -> list[Disk]:
        """All disks that Windows sees, by number."""
        with judged("list the disks"):
            found = self._session.instances("MSFT_Disk")
        return sorted(map(_disk, found), key=lambda disk: disk.number)

    def get(self, number: int) -> Disk:
        """The disk with that number now; NotFound (1168) when there is none."""
        with judged(f"read disk {number}"):
            found = self._session.instances("MSFT_Disk", Number=number)
        if not found:
            raise NotFound(f"there is no disk {number}; rescan, or list the disks to see their numbers")
        return _disk(found[0])

    def device(self, disk: Disk) -> StorageDevice:
        """What the disk's driver says of it."""
        with judged(f"ask the driver of disk {disk.number}"):
            return self._win32.storage_device(disk.path)

    def rescan(self) -> None:
        """Let Windows look for new, gone and grown disks."""
        with judged("rescan the disks"):
            result = self._session.invoke("MSFT_StorageSetting", "UpdateHostStorageCache")
        expect(result, "MSFT_StorageSetting.UpdateHostStorageCache", "rescan the disks")

    def refresh(self, disk: Disk) -> Disk:
        """Read the disk anew from the device (its size, its partitions) and return it."""
        # The page says of 41000 that the disk is raw: there is nothing more to read on it.
        self._call(disk, "Refresh", f"refresh disk {disk.number}", also=(NOT_INITIALIZED,))
        return self.get(disk.number)

    def bring_online(self, disk: Disk) -> None:
        """Let Windows use the disk."""
        self._call(disk, "Online", f"bring disk {disk.number} online")

    def take_offline(self, disk: Disk) -> None:
        """Let Windows leave the disk alone; its volumes vanish until it is online again."""
        self._call(disk, "Offline", f"take disk {disk.number} offline")

    def clear_read_only(self, disk: Disk) -> None:
        """Take back the read-only attribute that Windows keeps for the disk (not a hardware lock)."""
        self._set_attribute(disk, f"clear the read-only attribute of disk {disk.number}", is_read_only=False)

    def set_read_only(self, disk: Disk) -> None:
        """Let Windows refuse writes to the disk."""
        self._set_attribute(disk, f"make disk {disk.number} read-only", is_read_only=True)

    def _set_attribute(self, disk: Disk, what: str, *, is_read_only: bool) -> None:
        with judged(what):
            result = self._session.invoke(disk.instance, "SetAttributes", IsReadOnly=is_read_only)
        expect(result, "MSFT_Disk.SetAttributes", what)

    def mark_client_read_only(self, disk: Disk) -> None:
        """Remember, past the death of this process, that a client wanted the disk read-only."""
        with judged(f"remember who made disk {disk.number} read-only"):
            self._win32.remember(_client_read_only(disk))

    def unmark_client_read_only(self, disk: Disk) -> None:
        """Forget what :meth:`mark_client_read_only` remembered."""
        with judged(f"forget who made disk {disk.number} read-only"):
            self._win32.forget(_client_read_only(disk))

    def is_marked_client_read_only(self, disk: Disk) -> bool:
        """Whether :meth:`mark_client_read_only` was called, by whichever proxy, and not taken back since."""
        with judged(f"recall who made disk {disk.number} read-only"):
            return self._win32.remembers(_client_read_only(disk))

    def mark_policy_read_only(self, disk: Disk) -> None:
        """Remember, past the death of this process, that policy made the disk read-only, and nobody else."""
        with judged(f"remember why disk {disk.number} is read-only"):
            self._win32.remember(_policy_read_only(disk))

    def unmark_policy_read_only(self, disk: Disk) -> None:
        """Forget what :meth:`mark_policy_read_only` remembered."""
        with judged(f"forget why disk {disk.number} was read-only"):
            self._win32.forget(_policy_read_only(disk))

    def is_marked_policy_read_only(self, disk: Disk) -> bool:
        """Whether :meth:`mark_policy_read_only` was called, by whichever proxy, and not taken back since."""
        with judged(f"recall why disk {disk.number} is read-only"):
            return self._win32.remembers(_policy_read_only(disk))

    def mark_the_clusters(self, volume: str) -> None:
        """Remember, past the death of this process, that clients had a volume mounted."""
        with judged(f"remember that clients used {volume}"):
            self._win32.remember(_the_clusters(volume))

    def unmark_the_clusters(self, volume: str) -> None:
        """Forget what :meth:`mark_the_clusters` remembered."""
        with judged(f"forget that clients used {volume}"):
            self._win32.forget(_the_clusters(volume))

    def is_marked_the_clusters(self, volume: str) -> bool:
        """Whether :meth:`mark_the_clusters` was called, by whichever proxy, and not taken back since."""
        with judged(f"recall whether clients used {volume}"):
            return self._win32.remembers(_the_clusters(volume))

    def initialize(self, disk: Disk, style: PartitionStyle) -> None:
        """Write an empty partition table.  A disk that has one by now is left alone, whoever wrote it."""
        what = f"initialise disk {disk.number}"
        with judged(what):
            result = self._session.invoke(disk.instance, "Initialize", PartitionStyle=int(style))
        expect(result, "MSFT_Disk.Initialize", what, also=(ALREADY_INITIALIZED,), table=_meanings(disk))

    def create_partition(self, disk: Disk) -> None:
        """Make one data partition in the largest free extent, without a drive letter."""
        kind: dict[str, int | str] = (
            {"MbrType": MBR_IFS} if disk.style is PartitionStyle.MBR else {"GptType": BASIC_DATA}
        )
        what = f"create a partition on disk {disk.number}"
        with judged(what):
            result = self._session.invoke(
                disk.instance, "CreatePartition", UseMaximumSize=True, AssignDriveLetter=False, **kind
            )
        # The page says of 42002 that the partition is created, only the letter was not assigned.
        expect(result, "MSFT_Disk.CreatePartition", what, also=(ACCESS_PATH_IN_USE,), table=_meanings(disk))

    def partitions(self, number: int) -> list[Partition]:
        """A disk's partitions by offset; none when there is no such disk."""
        with judged(f"list the partitions of disk {number}"):
            found = self._session.instances("MSFT_Partition", DiskNumber=number)
        return sorted(map(partition_of_instance, found), key=lambda partition: partition.offset)

    def bring_partition_online(self, partition: Partition) -> None:
        """Let Windows use a partition that was taken offline."""
        what = f"bring partition {partition.number} of disk {partition.disk_number} online"
        with judged(what):
            result = self._session.invoke(partition.instance, "Online")
        expect(result, "MSFT_Partition.Online", what)

    def largest_size(self, partition: Partition, disk: Disk) -> int:
        """The size in bytes that a partition could grow to, in whole MiB.

        Computed from the partitions behind it and the disk's end: MSFT_Partition.GetSupportedSize would
        need the defragmenter service, which may be disabled or busy.
        """
        others = self.partitions(disk.number)
        container = next((one for one in others if partition.is_in(one)), None)
        if container:
            # Before each logical partition is a record that the classes do not show, at most a MiB ahead.
            end, ahead = container.end, MEBIBYTE
        else:
            limit = MBR_LIMIT if disk.style is PartitionStyle.MBR else disk.size
            end, ahead = min(disk.size - DISK_TAIL, limit), 0
        end = min([end, *(other.offset - ahead for other in others if other.offset > partition.offset)])
        return max(partition.size, (end - partition.offset) // MEBIBYTE * MEBIBYTE)

    def resize_partition(self, partition: Partition, size: int) -> None:
        """Give a partition and the file system in it another size, in bytes."""
        what = f"resize partition {partition.number} of disk {partition.disk_number} to {size} bytes"
        with judged(what):
            result = self._session.invoke(partition.instance, "Resize", Size=size)
        expect(result, "MSFT_Partition.Resize", what)

    def _call(self, disk: Disk, method: str, what: str, *, also: tuple[int, ...] = ()) -> None:
        with judged(what):
            result = self._session.invoke(disk.instance, method)
        expect(result, f"MSFT_Disk.{method}", what, also=also)


_LOCATION_PART = re.compile(r"(Adapter|Bus|Target|LUN) (\d+)")
_FEWEST_LOCATION_PARTS = 5


def location_of(disk: Disk) -> Location | None:
    """Read MSFT_Disk.Location (``PCI Slot 3 : Adapter 0 : Port 0 : Target 1 : LUN 0``).

    None when it has another form, as for disks from a file, whose location is a path.  ``Bus`` is the PCI
    bus of the adapter.
    """
    parts = [part.strip() for part in disk.location.split(":")]
    found = {match[1]: match[2] for part in parts if (match := _LOCATION_PART.fullmatch(part))}
    if len(parts) < _FEWEST_LOCATION_PARTS or not found:
        return None
    return Location(*(found.get(key, "") for key in ("Adapter", "Bus", "Target", "LUN")))


def _meanings(disk: Disk) -> Mapping[int, Meaning]:
    return DAMAGED_DISK if disk.has_failed else CIM


def _policy_read_only(disk: Disk) -> str:
    return f"policy read-only {disk.instance.key}"


def _client_read_only(disk: Disk) -> str:
    return f"client read-only {disk.instance.key}"


def _the_clusters(volume: str) -> str:
    return f"cluster volume {volume.lower()}"


def partition_of_instance(instance: Instance) -> Partition:
    """Read an MSFT_Partition."""
    return Partition(
        disk_number=instance.number("DiskNumber"),
        number=instance.number("PartitionNumber"),
        offset=instance.number("Offset"),
        size=instance.number("Size"),
        gpt_type=instance.text("GptType"),
        mbr_type=instance.number("MbrType"),
        is_offline=instance.flag("IsOffline"),
        is_system=instance.flag("IsSystem") or instance.flag("IsBoot"),
        access_paths=instance.texts("AccessPaths"),
        instance=instance,
    )


def _disk(instance: Instance) -> Disk:
    style = instance.number("PartitionStyle")
    return Disk(
        number=instance.number("Number"),
        path=instance.text("Path"),
        location=instance.text("Location"),
        serial_number=instance.text("SerialNumber"),
        size=instance.number("Size"),
        style=PartitionStyle(style) if style in set(PartitionStyle) else PartitionStyle.RAW,
        is_offline=instance.flag("IsOffline"),
        offline_reason=instance.number("OfflineReason"),
        is_read_only=instance.flag("IsReadOnly"),
        is_system=instance.flag("IsSystem") or instance.flag("IsBoot"),
        is_clustered=instance.flag("IsClustered"),
        is_of_storage_spaces=instance.number("BusType") == SPACES_BUS,
        has_failed=FAILED in instance.numbers("OperationalStatus"),
        instance=instance,
    )
