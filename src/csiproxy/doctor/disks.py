"""Self-tests of disks and partitions, each on a disk of its own.

A self-test returns what it saw when that is what this program assumes, and raises Differs or NotTried.
"""

from csiproxy.doctor.ground import Ground, expect
from csiproxy.doctor.outcome import Differs, NotTried
from csiproxy.storage.disk import BASIC_DATA, DISK_TAIL, MEBIBYTE, OfflineReason
from csiproxy.storage.volume import FileSystem

FIRST_DATA_OFFSET = 16 * MEBIBYTE
ARRIVAL_SECONDS = 10.0
NOT_INITIALIZED, OFFLINE, SIZE_NOT_SUPPORTED, NOT_ENOUGH_ROOM = 41000, 41003, 4097, 41012
_FAT32_TOO_LARGE = 40 << 30
_SOME = 64 * MEBIBYTE


def held_back_by_policy(ground: Ground) -> str:
    """Attaches a disk as SAN policy holds it back; on Windows it looks at disks that are offline anyway."""
    try:
        with ground.disks.attach(_SOME, held_back=True) as own:
            expect(ground.storage.disks.get(own.number).offline_reason, OfflineReason.POLICY, "OfflineReason")
            return f"disk {own.number} came offline with OfflineReason 1"
    except NotTried:
        reasons = {disk.offline_reason for disk in ground.storage.disks.all() if disk.is_offline}
        if OfflineReason.POLICY in reasons:
            return "a disk is offline with OfflineReason 1"
        raise NotTried(
            "no disk here is held back: set SAN policy to OfflineShared (diskpart: san policy=OfflineShared)"
            ", attach a shared disk and run this again"
            + (f"; disks that are offline say {sorted(reasons)}" if reasons else "")
        ) from None


def offline_disk(ground: Ground) -> str:
    """Takes a disk with a volume offline, and asks for its partitions and volumes."""
    with ground.volume() as own:
        storage = ground.storage
        storage.disks.take_offline(own.shown)
        partitions = storage.disks.partitions(own.shown.number)
        if not any(one.is_data for one in partitions):
            raise Differs("an offline disk lists no data partition")
        volumes = storage.volumes.on_partition(ground.data_partition(own.shown))
        if volumes:
            raise Differs(f"the partition of an offline disk still leads to {volumes[0].id}")
        return f"{len(partitions)} partitions, no volume"


def layout(ground: Ground) -> str:
    """Initializes a disk and makes the first partition."""
    with ground.raw_disk() as (_, disk):
        disk = ground.initialize(disk)
        reserved = ground.storage.disks.partitions(disk.number)
        if [one.is_reserved for one in reserved] != [True]:
            raise Differs(f"Initialize made {[one.gpt_type for one in reserved] or 'no partition'}")
        ground.storage.disks.create_partition(disk)
        data = ground.data_partition(disk)
        expect(data.offset, FIRST_DATA_OFFSET, "the offset of the first data partition")
        return f"the reserved partition has {reserved[0].size} bytes at {reserved[0].offset}"


def growth(ground: Ground) -> str:
    """Grows a partition to the size that is computed, after one MiB more was refused."""
    with ground.raw_disk() as (_, disk):
        disk = ground.initialize(disk)
        created = ground.returned(
            disk.instance, "CreatePartition", Size=_SOME, AssignDriveLetter=False, GptType=BASIC_DATA
        )
        expect(created, 0, "CreatePartition of 64 MiB returned")
        partition = ground.data_partition(disk)
        volume, _ = ground.volume_on(partition)
        ground.storage.volumes.format(volume, FileSystem.NTFS)
        disk = ground.storage.disks.get(disk.number)
        largest = ground.storage.disks.largest_size(partition, disk)
        refused = ground.returned(partition.instance, "Resize", Size=largest + DISK_TAIL + MEBIBYTE)
        if refused not in (SIZE_NOT_SUPPORTED, NOT_ENOUGH_ROOM):
            raise Differs(f"Resize to more than fits returned {refused}, not 4097 or 41012")
        expect(ground.returned(partition.instance, "Resize", Size=largest), 0, "Resize to what fits returned")
        return f"grew to {largest} of {disk.size} bytes; more was refused with {refused}"


def arrival(ground: Ground) -> str:
    """Waits for the volume of a new partition."""
    with ground.volume(file_system=None) as own:
        if own.waited > ARRIVAL_SECONDS:
            raise Differs(f"the volume came after {own.waited:.1f} seconds")
        return f"after {own.waited:.1f} seconds"


def refresh_of_a_raw_disk(ground: Ground) -> str:
    """Refreshes a disk without a partition table, after it was made larger where that can be done."""
    with ground.raw_disk() as (own, disk):
        expect(ground.returned(disk.instance, "Refresh"), NOT_INITIALIZED, "Refresh returned")
        larger = disk.size + _SOME
        try:
            own.grow(larger)
        except NotTried as why:
            return f"41000; {why}"
        ground.returned(disk.instance, "Refresh")
        expect(ground.storage.disks.get(disk.number).size, larger, "the size after it")
        return "41000, and it shows the new size"


def attributes_of_an_offline_disk(ground: Ground) -> str:
    """Takes a disk offline and clears its read-only attribute."""
    with ground.raw_disk() as (_, disk):
        disk = ground.initialize(disk)
        ground.storage.disks.take_offline(disk)
        code = ground.returned(disk.instance, "SetAttributes", IsReadOnly=False)
        expect(code, OFFLINE, "SetAttributes returned")
        return "41003"


def large_fat32(ground: Ground) -> str:
    """Formats 40 GiB, which take little room, with FAT32."""
    with ground.volume(_FAT32_TOO_LARGE, None) as own:
        code = ground.returned(own.volume.instance, "Format", FileSystem="FAT32", Full=False, Force=True)
        expect(code, SIZE_NOT_SUPPORTED, "Format returned")
        return "4097"


def identity(ground: Ground) -> str:
    """Reads page 83 of a disk by its driver, and UniqueId, and takes its partition offline."""
    with ground.volume() as own:
        device = ground.storage.disks.device(own.shown)
        unique_id = own.shown.instance.text("UniqueId")
        spelt = {one.identifier.hex().upper(): one.type for one in device.identifiers}
        spelt |= {_text(one.identifier): one.type for one in device.identifiers}
        volume = list(own.volume.instance.numbers("OperationalStatus"))
        ground.returned(own.partition.instance, "Offline")
        offline = ground.data_partition(own.shown)
        partition = list(offline.instance.numbers("OperationalStatus"))
        seen = (
            f"UniqueId {unique_id!r} of format {own.shown.instance.number('UniqueIdFormat')}; "
            f"page 83 {[(one.type.name, one.identifier.hex()) for one in device.identifiers]}; "
            f"volume {volume}; offline partition {partition}"
        )
        if device.identifiers and unique_id.upper() not in {text.upper() for text in spelt}:
            raise Differs(f"UniqueId is none of page 83's identifiers: {seen}")
        if not offline.is_offline:
            raise Differs(f"the partition does not say that it is offline: {seen}")
        return seen


def driver(ground: Ground) -> str:
    """Asks the driver of a disk by MSFT_Disk.Path."""
    with ground.raw_disk() as (_, disk):
        device = ground.storage.disks.device(disk)
        expect(device.number, disk.number, "the driver's number")
        return f"number {device.number}, {len(device.identifiers)} identifiers"


def _text(identifier: bytes) -> str:
    return identifier.decode("ascii", "replace").strip()
