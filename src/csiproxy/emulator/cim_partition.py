"""MSFT_Partition of the emulated node.

https://learn.microsoft.com/windows-hardware/drivers/storage/msft-partition
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from csiproxy.emulator import gpt, partition_table
from csiproxy.emulator.cim_provider import Arguments, Storage, matches, run, writable
from csiproxy.emulator.disk import Disk
from csiproxy.emulator.fidelity import Fidelity, Point
from csiproxy.emulator.file_systems import NTFS
from csiproxy.emulator.partition_table import MIB, Partition
from csiproxy.emulator.return_codes import MethodFailed, ReturnCode
from csiproxy.emulator.volume import Condition
from csiproxy.host import schema
from csiproxy.host.cim import Instance, Result, Value

# "Growing" by less than this is refused, by Windows with this very sentence.
_MIN_CHANGE = MIB
_TOO_SMALL_A_CHANGE = "The size of the extent is less than the minimum of 1MB."


class PartitionClass:
    """Provider of MSFT_Partition."""

    schema = schema.MSFT_PARTITION
    fidelity = Fidelity(
        page="https://learn.microsoft.com/windows-hardware/drivers/storage/msft-partition",
        like=(
            Point(
                "refusals have return values that the method's page lists, or that Windows is known for",
                "emulator/test_cim_partition.py",
                "test_a_partition_method_returns_windows_code",
            ),
            Point(
                "Resize refuses changes below 1 MiB, with Windows' sentence, also up to SizeMax",
                "emulator/test_cim_partition.py",
                "test_a_size_is_whole_mebibytes_and_the_largest_a_little_more",
            ),
            Point(
                "mount points are access paths, before the volume's name",
                "emulator/test_cim_partition.py",
                "test_mount_points_are_access_paths",
            ),
            Point(
                "a partition that is taken offline loses its volume until it is online, also over a restart",
                "emulator/test_cim_partition.py",
                "test_an_offline_partition_loses_its_volume_until_it_is_online_even_after_a_restart",
            ),
            Point(
                "an extended partition is listed, and logical ones in it",
                "emulator/test_cim_partition.py",
                "test_an_extended_partition_is_listed_before_what_is_in_it_and_has_no_volume",
            ),
            Point(
                "tables of sgdisk, sfdisk and parted are understood",
                "emulator/test_partition_table.py",
                "test_a_table_of_sgdisk_is_understood",
            ),
        ),
        unlike=(
            Point(
                "with --volumes image a volume in use does not grow (6), and none is made smaller",
                "emulator/image_store/test_windows.py",
                "test_a_volume_in_use_is_in_use",
            ),
            Point(
                "logical partitions can be resized, but neither made nor deleted (4)",
                "emulator/test_cim_partition.py",
                "test_a_partition_method_returns_windows_code",
            ),
            Point(
                "SizeMin of an NTFS volume is what its files take; there is nothing that cannot be moved",
                "emulator/test_cim_partition.py",
                "test_a_partition_shrinks_to_what_its_files_need",
            ),
            Point(
                "a FAT32 volume cannot change its size",
                "emulator/test_cim_partition.py",
                "test_a_fat32_volume_keeps_its_size",
            ),
        ),
    )

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._disks = storage.disks
        self._methods: Mapping[str, Callable[[Disk, Partition], Mapping[str, Value]]] = {
            "Online": self._online,
            "Offline": self._offline,
            "DeleteObject": self._delete_object,
        }

    def instances(self, where: Mapping[str, Value]) -> list[Instance]:
        """The partitions of all disks that are present, those of offline disks among them."""
        with self._disks.lock:
            partitions = self._storage.partitions_where(where.get("DiskNumber"), where.get("ObjectId"))
            found = [self._storage.partition_instance(disk, partition) for disk, partition in partitions]
        return [
            self._storage.with_mount_points(instance)
            for instance in found
            if matches(instance.properties, where)
        ]

    def invoke(self, key: str | None, method: str, arguments: Arguments) -> Result:
        """Call a method of one partition."""
        if method == "GetAccessPaths":
            return run(lambda: self._get_access_paths(key), self.schema.methods[method].outputs)

        def body() -> Mapping[str, Value]:
            least = self._least(key) if method in _SIZE_METHODS else 0
            with self._disks.lock:
                disk, partition = self._storage.partition(key)
                if method in _SIZE_METHODS:
                    limits = self._limits(disk, partition, least)
                    if method == "Resize":
                        return self._resize(disk, partition, limits, arguments)
                    return {"SizeMin": limits[0], "SizeMax": limits[1]}
                return self._methods[method](disk, partition)

        return run(body, self.schema.methods[method].outputs)

    def _get_access_paths(self, key: str | None) -> Mapping[str, Value]:
        with self._disks.lock:
            instance = self._storage.partition_instance(*self._storage.partition(key))
        return {"AccessPaths": self._storage.with_mount_points(instance).properties["AccessPaths"]}

    def _online(self, disk: Disk, partition: Partition) -> Mapping[str, Value]:
        _data_only(partition)
        self._disks.set_partition_offline(disk, partition, offline=False)
        return {}

    def _offline(self, disk: Disk, partition: Partition) -> Mapping[str, Value]:
        _data_only(partition)
        if disk.is_system:
            raise MethodFailed(ReturnCode.SYSTEM_PARTITION, "the system disk's partitions stay online")
        self._disks.set_partition_offline(disk, partition, offline=True)
        return {}

    def _delete_object(self, disk: Disk, partition: Partition) -> Mapping[str, Value]:
        if disk.is_system:
            raise MethodFailed(ReturnCode.SYSTEM_PARTITION, "the system disk's partitions cannot be deleted")
        writable(disk)
        if partition.is_container and any(
            one.logical and partition.offset < one.offset < partition.end for one in disk.layout.partitions
        ):
            raise MethodFailed(ReturnCode.EXTENDED_NOT_EMPTY, "the extended partition is not empty")
        volume = self._disks.volume_of(disk, partition) if partition.has_volume else None
        if volume:
            volume.mark_raw()
        partition_table.change(disk.device, disk.layout, partition, None)
        disk.reload()
        self._disks.set_partition_offline(disk, partition, offline=False)
        if volume:
            volume.remove_files()
        return {}

    def _least(self, key: str | None) -> int:
        """The fewest bytes that the files on a partition leave it; they are counted without the lock."""
        with self._disks.lock:
            disk, partition = self._storage.partition(key)
            if not partition.has_volume:
                return 0
            volume = self._disks.volume_of(disk, partition)
            content = volume.content()
        return volume.least_size(content)

    def _limits(self, disk: Disk, partition: Partition, least: int) -> tuple[int, int]:
        """The least and the most bytes the partition can have; NTFS and unformatted ones can change."""
        if disk.record.offline:
            raise MethodFailed(ReturnCode.DISK_OFFLINE, f"disk {disk.number} is offline")
        if not partition.has_volume or partition.type == gpt.EFI_SYSTEM:
            return partition.size, partition.size
        content = self._disks.volume_of(disk, partition).content()
        if content.condition is Condition.FOREIGN:
            raise MethodFailed(ReturnCode.UNKNOWN_FILE_SYSTEM, content.problem)
        if content.condition is Condition.DAMAGED:
            raise MethodFailed(ReturnCode.VOLUME_HAS_ERRORS, content.problem)
        most = disk.layout.largest_size(partition)
        if content.condition is Condition.RAW:
            return min(MIB, partition.size), most
        if content.file_system is not NTFS:
            return partition.size, partition.size
        return min(partition.size, least), most

    def _resize(
        self, disk: Disk, partition: Partition, limits: tuple[int, int], arguments: Arguments
    ) -> Mapping[str, Value]:
        """Change the entry in the table, and let the file system follow."""
        writable(disk)
        wanted = arguments["Size"]
        least, most = limits
        if not isinstance(wanted, int) or not least <= wanted <= most:
            message = f"the partition can have {least} to {most} bytes, not {wanted}"
            raise MethodFailed(ReturnCode.SIZE_NOT_SUPPORTED, message)
        size = wanted - wanted % disk.layout.sector_size
        if abs(size - partition.size) < _MIN_CHANGE:
            raise MethodFailed(ReturnCode.SIZE_NOT_SUPPORTED, _TOO_SMALL_A_CHANGE)
        changed = replace(partition, size=size)
        if partition.has_volume:
            self._disks.volume_of(disk, partition).before_resize()
        partition_table.change(disk.device, disk.layout, partition, changed)
        disk.reload()
        if partition.has_volume:
            self._disks.volume_of(disk, changed).after_resize()
        return {}


_SIZE_METHODS = ("GetSupportedSize", "Resize")


def _data_only(partition: Partition) -> None:
    if partition.is_container or (partition.type and partition.type != gpt.BASIC_DATA):
        raise MethodFailed(ReturnCode.DATA_PARTITIONS_ONLY, "that is for data partitions only")
