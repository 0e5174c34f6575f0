"""MSFT_Volume of the emulated node.

https://learn.microsoft.com/windows-hardware/drivers/storage/msft-volume
"""

from collections.abc import Mapping

from csiproxy.emulator.boot_sector import LABEL_BYTES
from csiproxy.emulator.cim_provider import Arguments, Storage, matches, run
from csiproxy.emulator.fidelity import Fidelity, Point
from csiproxy.emulator.return_codes import MethodFailed, ReturnCode
from csiproxy.emulator.volume import Condition, Content, Volume
from csiproxy.errors import Win32Error
from csiproxy.host import schema
from csiproxy.host.cim import Instance, Result, Value

# MSFT_Volume.HealthStatus and OperationalStatus
_HEALTHY, _SCAN_NEEDED, _FULL_REPAIR_NEEDED = 0, 1, 3
_UNKNOWN, _OK, _DEGRADED, _ERROR = 0, 2, 3, 6
_FIXED = 3
_NO_DEDUP = 4
# Windows formats FAT32 up to here, though it reads larger ones.
FAT32_LIMIT = 32 << 30
_LABEL_LENGTH = {"NTFS": 32, "FAT32": 11, "EXFAT": 11}
_CLUSTER_LIMIT = {"NTFS": 2 << 20, "FAT32": 64 << 10, "EXFAT": 32 << 20}


class VolumeClass:
    """Provider of MSFT_Volume."""

    schema = schema.MSFT_VOLUME
    fidelity = Fidelity(
        page="https://learn.microsoft.com/windows-hardware/drivers/storage/msft-volume",
        like=(
            Point(
                "refusals have return values that the method's page lists, or that Windows is known for",
                "emulator/test_cim_volume.py",
                "test_a_volume_method_returns_windows_code",
            ),
            Point(
                "volumes of online disks alone are there, and lead to their partition and disk",
                "emulator/test_session.py",
                "test_disks_partitions_and_volumes_lead_to_each_other",
            ),
            Point(
                "a volume on an MBR disk is named after signature and offset",
                "emulator/test_disk.py",
                "test_an_mbr_volume_is_named_after_signature_and_offset",
            ),
            Point(
                "file systems made elsewhere are recognised by name and type",
                "emulator/test_directory_volume.py",
                "test_a_foreign_file_system_is_recognised",
            ),
            Point(
                "with --volumes image NTFS, FAT32 and exFAT are real, with the clusters and label asked for",
                "emulator/image_store/test_windows.py",
                "test_every_file_system_is_formatted_as_asked_for",
            ),
            Point(
                "a volume that wants to be checked has HealthStatus 1, and does not grow (42008)",
                "emulator/image_store/test_windows.py",
                "test_a_volume_that_wants_to_be_checked_says_so_and_does_not_grow",
            ),
        ),
        unlike=(
            Point(
                "with --volumes image a label is not changed while the volume is in use (6)",
                "emulator/image_store/test_windows.py",
                "test_a_volume_in_use_is_in_use",
            ),
            Point(
                "with --volumes image an NTFS whose Windows hibernated is read-only for workloads",
                "emulator/image_store/test_windows.py",
                "test_a_hibernated_ntfs_is_read_and_not_written",
            ),
            Point(
                "a file system of another system (ext4, exFAT …) is never formatted over (43014)",
                "emulator/test_cim_volume.py",
                "test_what_is_foreign_is_never_formatted_nor_partitioned_over",
            ),
            Point(
                "used bytes are the files' clusters and an estimate of what NTFS takes itself (2 to 64 MiB)",
                "emulator/test_directory_volume.py",
                "test_used_bytes_are_whole_clusters_and_the_file_systems_own",
            ),
            Point(
                "nothing stops a workload from writing more than fits: then nothing remains",
                "emulator/test_directory_volume.py",
                "test_an_overfull_volume_has_nothing_left_and_no_less",
            ),
            Point(
                "an image without its files has a volume that needs repair (HealthStatus 3)",
                "emulator/test_directory_volume.py",
                "test_an_image_without_its_files_is_damaged_not_empty",
            ),
        ),
    )

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._disks = storage.disks

    def instances(self, where: Mapping[str, Value]) -> list[Instance]:
        """The volumes of online disks.  Their files are counted without the lock, and only where asked."""
        with self._disks.lock:
            volumes = self._storage.volumes_where(where.get("UniqueId"), where.get("ObjectId"))
            found = [(volume, _content(volume)) for volume in volumes]
        return [
            self._instance(volume, content)
            for volume, content in found
            if matches(self._described(volume, content), where)
        ]

    def invoke(self, key: str | None, method: str, arguments: Arguments) -> Result:
        """Call a method of one volume."""
        body = {"Format": self._format, "Flush": self._flush, "SetFileSystemLabel": self._set_label}[method]
        return run(lambda: body(key, arguments), self.schema.methods[method].outputs)

    def _described(self, volume: Volume, content: Content) -> dict[str, Value]:
        """All properties but the sizes."""
        found = content.file_system
        health, operational = _status(content)
        letter = self._storage.letter(volume)
        return {
            "ObjectId": self._storage.ids.volume(volume),
            "UniqueId": volume.name,
            "DriveLetter": ord(letter) if letter else 0,
            "Path": volume.name,
            "HealthStatus": health,
            "OperationalStatus": (operational,),
            "FileSystem": found.name if found else "",
            "FileSystemLabel": content.label,
            "FileSystemType": found.type_number if found else 0,
            "AllocationUnitSize": content.cluster,
            "DriveType": _FIXED,
            "DedupMode": _NO_DEDUP,
        }

    def _instance(self, volume: Volume, content: Content) -> Instance:
        statistics = volume.statistics(content)
        sizes = {"Size": statistics.size, "SizeRemaining": statistics.size - statistics.used}
        properties = {**self._described(volume, content), **sizes}
        return Instance(schema.VOLUME, self._storage.ids.volume(volume), properties)

    def _format(self, key: str | None, arguments: Arguments) -> Mapping[str, Value]:
        with self._disks.lock:
            disk, volume = self._storage.volume(key)
            if disk.is_system:
                message = "the system disk's volumes cannot be formatted"
                raise MethodFailed(ReturnCode.SYSTEM_PARTITION, message)
            if disk.is_read_only:
                raise MethodFailed(ReturnCode.DRIVE_READ_ONLY, f"disk {disk.number} is read-only")
            name = _file_system(volume, arguments)
            cluster = _cluster(arguments["AllocationUnitSize"], name, disk.layout.sector_size)
            label = _label(arguments["FileSystemLabel"], name)
            content = volume.content()
            if content.condition is Condition.FOREIGN or (content.problem and content.file_system is None):
                raise MethodFailed(ReturnCode.FILE_SYSTEM_UNDETERMINED, content.problem)
            volume.format(name, label, cluster)
            formatted = volume.content()
        return {"FormattedVolume": self._instance(volume, formatted)}

    def _flush(self, key: str | None, arguments: Arguments) -> Mapping[str, Value]:  # noqa: ARG002
        with self._disks.lock:
            disk, volume = self._storage.volume(key)
            # Of what another system has formatted this node holds nothing back.
            foreign = volume.content().condition is Condition.FOREIGN
            if not foreign:
                _ready(volume)
            if not disk.is_read_only:
                volume.image.sync()
        if not foreign:
            volume.flush()
        return {}

    def _set_label(self, key: str | None, arguments: Arguments) -> Mapping[str, Value]:
        with self._disks.lock:
            disk, volume = self._storage.volume(key)
            name = _ready(volume)
            if disk.is_read_only:
                raise MethodFailed(ReturnCode.DISK_READ_ONLY, f"disk {disk.number} is read-only")
            volume.relabel(_label(arguments["FileSystemLabel"], name))
        return {}


def _status(content: Content) -> tuple[int, int]:
    """HealthStatus and OperationalStatus."""
    if content.condition is Condition.DAMAGED:
        return _FULL_REPAIR_NEEDED, _ERROR
    if content.condition is Condition.RAW:
        return _HEALTHY, _UNKNOWN
    return (_SCAN_NEEDED, _DEGRADED) if content.dirty else (_HEALTHY, _OK)


def _content(volume: Volume) -> Content:
    try:
        return volume.content()
    except Win32Error as error:
        return Content(Condition.DAMAGED, problem=str(error))


def _ready(volume: Volume) -> str:
    """The file system, in capitals, of a volume whose files can be reached; any other is refused."""
    content = volume.content()
    if content.condition is not Condition.READY or content.file_system is None:
        raise MethodFailed(ReturnCode.FAILED, content.problem or "the volume is not formatted")
    return content.file_system.name.upper()


def _file_system(volume: Volume, arguments: Arguments) -> str:
    """The name of the file system asked for, NTFS when none is."""
    if arguments["RunAsJob"]:
        raise MethodFailed(ReturnCode.NOT_SUPPORTED, "RunAsJob is not supported: formatting takes no time")
    wanted = arguments["FileSystem"]
    name = wanted.upper() if isinstance(wanted, str) else "NTFS"
    if name not in volume.formats:
        known = " or ".join(volume.formats)
        raise MethodFailed(ReturnCode.FILE_SYSTEM_NOT_SUPPORTED, f"volumes here are {known}")
    if arguments["SetIntegrityStreams"] is not None:
        raise MethodFailed(ReturnCode.INVALID_PARAMETER, "SetIntegrityStreams is for ReFS")
    if name == "FAT32" and volume.partition.size > FAT32_LIMIT:
        raise MethodFailed(ReturnCode.SIZE_NOT_SUPPORTED, "FAT32 volumes have at most 32 GB")
    return name


def _label(value: Value, file_system: str) -> str:
    label = value if isinstance(value, str) else ""
    try:
        encoded = len(label.encode())
    except UnicodeEncodeError:
        encoded = LABEL_BYTES + 1
    units = len(label.encode("utf-16-le", "surrogatepass")) // 2
    if encoded > LABEL_BYTES or units > _LABEL_LENGTH[file_system] or not label.isprintable():
        message = f"a label of {file_system} has up to {_LABEL_LENGTH[file_system]} printable characters"
        raise MethodFailed(ReturnCode.INVALID_PARAMETER, message)
    return label


def _cluster(value: Value, file_system: str, sector_size: int) -> int:
    """The cluster size asked for; 0 where that is left to the file system."""
    if not isinstance(value, int) or value == 0:
        return 0
    if value & (value - 1) or not 512 <= value <= _CLUSTER_LIMIT[file_system]:
        raise MethodFailed(ReturnCode.INVALID_CLUSTER_SIZE, f"{value} is not a cluster size of {file_system}")
    if value % sector_size:
        raise MethodFailed(
            ReturnCode.CLUSTER_NOT_SECTOR_MULTIPLE, f"a cluster is a multiple of {sector_size}"
        )
    return value
