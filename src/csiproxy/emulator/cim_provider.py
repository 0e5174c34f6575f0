"""What a class of the emulated CIM server has to offer, and what all storage classes share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from csiproxy.emulator import gpt
from csiproxy.emulator.disk import Disk, Disks
from csiproxy.emulator.fidelity import Fidelity
from csiproxy.emulator.partition_table import LayoutError, Partition
from csiproxy.emulator.return_codes import MethodFailed, ReturnCode
from csiproxy.emulator.volume import Volume
from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.cim import Instance, Result, Value
from csiproxy.host.schema import DISK, EXTENDED_STATUS, PARTITION, VOLUME, CimClass

# The name of the node in object identifiers; on Windows the computer's name stands here.
HOST = "EMULATED"

# The access path of the volume that Windows runs from.
BOOT_DRIVE = "C:\\"
_OFFSET_GUID_LENGTH = 38
# MSFT_Partition.OperationalStatus
_PARTITION_ONLINE, _PARTITION_OFFLINE = 1, 4

Arguments = Mapping[str, Value]


class Provider(Protocol):
    """One class: reads its instances and runs its methods.  Safe to use from several threads.

    ``fidelity`` says how near it comes to Windows'.
    """

    schema: CimClass
    fidelity: Fidelity

    def instances(self, where: Mapping[str, Value]) -> list[Instance]:
        """The instances now.  May leave out any whose properties do not equal ``where``, to save work."""
        ...

    def invoke(self, key: str | None, method: str, arguments: Arguments) -> Result:
        """Call a method that the schema lists, with arguments that fit it; ``key`` None is the class."""
        ...


@dataclass(frozen=True, slots=True)
class End:
    """One end of an association: its role there, and the class of what stands there."""

    role: str
    class_name: str


@dataclass(frozen=True, slots=True)
class Association:
    """A class that joins two others.

    ``join`` is given the role of the end that is asked for and the key of what stands at the other one, and
    gives the keys of all that is joined to it.
    """

    name: str
    ends: tuple[End, End]
    join: Callable[[str, str], Sequence[str]]

    def towards(self, given_class: str, result_class: str, result_role: str) -> list[str]:
        """The roles that objects of ``result_class`` joined to one of ``given_class`` may have."""
        first, second = self.ends
        return [
            end.role
            for end, other in ((first, second), (second, first))
            if (other.class_name.lower(), end.class_name.lower())
            == (given_class.lower(), result_class.lower())
            and result_role.lower() in ("", end.role.lower())
        ]


class ObjectIds:
    """The ObjectId of everything: opaque to clients, of the form that Windows' provider gives."""

    def __init__(self, provider: str) -> None:
        self._before = {
            class_name: f"{{1}}\\\\{HOST}\\root/Microsoft/Windows/Storage/Providers_v2\\WSP_"
            f'{class_name.removeprefix("MSFT_")}.ObjectId="{{{provider}}}:{kind}:'
            for class_name, kind in ((DISK, "DI"), (PARTITION, "PR"), (VOLUME, "VO"))
        }

    def disk(self, disk: Disk) -> str:
        """Of a disk: by its path."""
        return f'{self._before[DISK]}{disk.record.path}"'

    def partition(self, disk: Disk, partition: Partition) -> str:
        """Of a partition: by its disk's path and its offset."""
        return f'{self._before[PARTITION]}{offset_guid(partition.offset)}{disk.record.path}"'

    def volume(self, volume: Volume) -> str:
        """Of a volume: by its name."""
        return f'{self._before[VOLUME]}{volume.name}"'

    def named_by(self, class_name: str, key: str) -> str:
        """What an ObjectId of a class, in whichever case, is made of; "" when it is of something else."""
        before = self._before[class_name]
        if key[: len(before)].lower() == before.lower() and key.endswith('"'):
            return key[len(before) : -1]
        return ""


def offset_guid(offset: int) -> str:
    """The false GUID that stands for a partition's offset in identifiers: its eight bytes come last."""
    tail = offset.to_bytes(8, "little").hex()
    return f"{{00000000-0000-0000-{tail[:4]}-{tail[4:]}}}"


@dataclass(frozen=True, slots=True)
class Storage:
    """What the providers of the storage classes work on."""

    disks: Disks
    ids: ObjectIds
    mount_points: Callable[[str], list[str]]
    letters: Callable[[str], str]

    def disk(self, key: str | None) -> Disk:
        """A disk by its ObjectId; the lock is held."""
        found = self.disks.find(self.ids.named_by(DISK, key or ""))
        if found is None:
            raise MethodFailed(ReturnCode.OBJECT_NOT_FOUND, "the disk has gone")
        return found

    def partition(self, key: str | None) -> tuple[Disk, Partition]:
        """A partition and its disk by its ObjectId; the lock is held."""
        named = self.ids.named_by(PARTITION, key or "")
        disk = self.disks.find(named[_OFFSET_GUID_LENGTH:])
        for partition in disk.layout.partitions if disk else ():
            if disk and offset_guid(partition.offset) == named[:_OFFSET_GUID_LENGTH].lower():
                return disk, partition
        raise MethodFailed(ReturnCode.OBJECT_NOT_FOUND, "the partition has gone")

    def volume(self, key: str | None) -> tuple[Disk, Volume]:
        """A volume that is surfaced, and its disk, by its ObjectId; the lock is held."""
        try:
            return self.disks.find_volume(self.ids.named_by(VOLUME, key or ""))
        except Win32Error as error:
            raise MethodFailed(
                ReturnCode.OBJECT_NOT_FOUND, "the volume has gone, or its disk is offline"
            ) from error

    def disks_where(self, number: Value, key: Value) -> list[Disk]:
        """The disks that may have this number and this ObjectId (None: whichever); the lock is held."""
        if isinstance(number, int):
            return [disk for disk in self.disks.present() if disk.number == number]
        if isinstance(key, str):
            found = self.disks.find(self.ids.named_by(DISK, key))
            return [found] if found else []
        return self.disks.present()

    def partitions_where(self, number: Value, key: Value) -> list[tuple[Disk, Partition]]:
        """The partitions that may be on the disk of this number and have this ObjectId; the lock is held."""
        if isinstance(key, str):
            try:
                return [self.partition(key)]
            except MethodFailed:
                return []
        disks = self.disks_where(number, None)
        return [(disk, partition) for disk in disks for partition in disk.layout.partitions]

    def volumes_where(self, name: Value, key: Value) -> list[Volume]:
        """The surfaced volumes that may have this name and this ObjectId; the lock is held."""
        if isinstance(key, str):
            name = self.ids.named_by(VOLUME, key)
        if not isinstance(name, str):
            return [volume for _, volume in self.disks.volumes()]
        try:
            return [self.disks.find_volume(name)[1]]
        except Win32Error:
            return []

    def letter(self, volume: Volume) -> str:
        """The drive letter of a volume, "" for none."""
        return BOOT_DRIVE[0] if volume.place else self.letters(volume.name)

    def partition_instance(self, disk: Disk, partition: Partition) -> Instance:
        """One MSFT_Partition without its mount points; the lock is held."""
        key = self.ids.partition(disk, partition)
        gpt_only = bool(partition.type)
        offline = disk.is_offline(partition)
        volume = self.disks.volume_of(disk, partition) if partition.has_volume else None
        is_boot = bool(volume and volume.place)
        letter = self.letter(volume) if volume else ""
        paths = ((f"{letter}:\\",) if letter else ()) + ((volume.name,) if volume else ())
        properties: dict[str, Value] = {
            "ObjectId": key,
            "UniqueId": offset_guid(partition.offset) + disk.record.unique_id[0],
            "DiskId": disk.record.path,
            "DiskNumber": disk.number,
            "PartitionNumber": partition.number,
            "DriveLetter": ord(letter) if letter else 0,
            "AccessPaths": paths or None,
            "OperationalStatus": _PARTITION_OFFLINE if offline else _PARTITION_ONLINE,
            "TransitionState": 1,
            "Offset": partition.offset,
            "Size": partition.size,
            "MbrType": None if gpt_only else partition.mbr_type,
            "GptType": f"{{{partition.type}}}" if gpt_only else None,
            "Guid": f"{{{partition.guid}}}" if gpt_only else None,
            "IsReadOnly": disk.is_read_only or bool(partition.attributes & gpt.READ_ONLY),
            "IsOffline": offline,
            "IsSystem": disk.is_system and partition.type == gpt.EFI_SYSTEM,
            "IsBoot": is_boot,
            "IsActive": None if gpt_only else partition.active,
            "IsHidden": partition.is_hidden,
            "IsShadowCopy": bool(partition.attributes & gpt.SHADOW_COPY),
            "IsDAX": False,
            "NoDefaultDriveLetter": bool(partition.attributes & gpt.NO_DRIVE_LETTER),
        }
        return Instance(PARTITION, key, properties)

    def with_mount_points(self, instance: Instance) -> Instance:
        """The same partition with the directories where its volume is mounted.

        They are the namespace's to know, which is asked without the lock.
        """
        paths = instance.texts("AccessPaths")
        if not paths:
            return instance
        mounted = tuple(path.removesuffix("\\") + "\\" for path in self.mount_points(paths[-1]))
        return replace(
            instance, properties={**instance.properties, "AccessPaths": paths[:-1] + mounted + paths[-1:]}
        )


def writable(disk: Disk, *, even_damaged: bool = False) -> None:
    """Refuse a change of what is on a disk that is offline, read-only or damaged."""
    if disk.record.offline:
        raise MethodFailed(ReturnCode.DISK_OFFLINE, f"disk {disk.number} is offline")
    if disk.is_read_only:
        raise MethodFailed(ReturnCode.DISK_READ_ONLY, f"disk {disk.number} is read-only")
    if not even_damaged:
        readable(disk)
        if disk.layout.damage:
            raise MethodFailed(ReturnCode.FAILED, f"disk {disk.number} is damaged: {disk.layout.damage}")


def readable(disk: Disk) -> None:
    """Refuse what needs the table of a disk that could not be read the last time.

    The table may be whole: nobody is to be told that there is none, or that it is damaged, and to clear it.
    """
    if disk.layout.unreadable:
        raise MethodFailed(ReturnCode.IO_ERROR, f"disk {disk.number} cannot be read: {disk.layout.damage}")


def matches(properties: Mapping[str, Value], where: Mapping[str, Value]) -> bool:
    """Whether the properties that are here equal their conditions; text ignores case.

    A character is a number in a property, and may be text in a condition, as in WQL.
    """
    return all(_equal(properties[name], wanted) for name, wanted in where.items() if name in properties)


def _equal(value: Value, wanted: Value) -> bool:
    if isinstance(value, str) and isinstance(wanted, str):
        return value.lower() == wanted.lower()
    if isinstance(value, int) and isinstance(wanted, str):
        return len(wanted) == 1 and value == ord(wanted.upper())
    return value is not None and value == wanted


_RETURN_CODES = {
    WindowsCode.DISK_FULL: ReturnCode.NOT_ENOUGH_FREE_SPACE,
    WindowsCode.WRITE_PROTECT: ReturnCode.DISK_READ_ONLY,
    WindowsCode.ACCESS_DENIED: ReturnCode.ACCESS_DENIED,
    WindowsCode.NOT_SUPPORTED: ReturnCode.NOT_SUPPORTED,
    WindowsCode.INVALID_PARAMETER: ReturnCode.INVALID_PARAMETER,
    WindowsCode.BUSY: ReturnCode.IN_USE,
    WindowsCode.DISK_CORRUPT: ReturnCode.VOLUME_HAS_ERRORS,
}


def run(call: Callable[[], Mapping[str, Value]], outputs: Mapping[str, str]) -> Result:
    """Run a method's body; its refusal becomes the return value, with the reason in ExtendedStatus."""
    blank: dict[str, Value] = dict.fromkeys(outputs)
    try:
        return Result(int(ReturnCode.SUCCESS), {**blank, **call()})
    except MethodFailed as error:
        code, message = error.code, str(error)
    except LayoutError as error:
        code, message = ReturnCode.FAILED, str(error)
    except Win32Error as error:
        known = {int(windows): code for windows, code in _RETURN_CODES.items()}
        code, message = known.get(error.windows_code, ReturnCode.IO_ERROR), str(error)
    if "ExtendedStatus" in outputs:
        status: dict[str, Value] = {
            "Message": message,
            "MessageID": f"StorageWMI {int(code)}",
            "CIMStatusCode": int(code),
        }
        blank["ExtendedStatus"] = Instance(EXTENDED_STATUS, "", status)
    return Result(int(code), blank)
