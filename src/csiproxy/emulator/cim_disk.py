"""MSFT_Disk of the emulated node.

https://learn.microsoft.com/windows-hardware/drivers/storage/msft-disk
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace

from csiproxy.emulator import gpt, partition_table
from csiproxy.emulator.attachment import OfflineReason
from csiproxy.emulator.cim_create import create_partition
from csiproxy.emulator.cim_provider import Arguments, Storage, matches, readable, run, writable
from csiproxy.emulator.disk import Disk
from csiproxy.emulator.fidelity import Fidelity, Point
from csiproxy.emulator.partition_table import MIN_GPT_DISK, PartitionStyle
from csiproxy.emulator.return_codes import MethodFailed, ReturnCode
from csiproxy.host import schema
from csiproxy.host.cim import Instance, Result, Value

# MSFT_Disk.OperationalStatus and HealthStatus
_ONLINE, _OFFLINE, _FAILED = 53264, 53267, 53268
_HEALTHY, _UNHEALTHY = 0, 2
_THIN = 1
_METADATA_TYPES = frozenset({gpt.MICROSOFT_RESERVED})
_OEM_TYPES = frozenset({gpt.EFI_SYSTEM, gpt.MICROSOFT_RECOVERY})


class DiskClass:
    """Provider of MSFT_Disk."""

    schema = schema.MSFT_DISK
    fidelity = Fidelity(
        page="https://learn.microsoft.com/windows-hardware/drivers/storage/msft-disk",
        like=(
            Point(
                "refusals have return values that the method's page lists, or that Windows is known for",
                "emulator/test_cim_disk.py",
                "test_a_disk_method_returns_windows_code",
            ),
            Point(
                "CreatePartition takes the bytes that Windows would take, aligned to MiB",
                "emulator/test_cim_create.py",
                "test_a_partition_gets_the_bytes_asked_for",
            ),
            Point(
                "Initialize writes the tables that Windows writes, which sgdisk finds no fault in",
                "emulator/test_partition_table.py",
                "test_other_tools_find_no_fault_in_our_gpt",
            ),
            Point(
                "an offline disk keeps its partitions and loses its volumes",
                "emulator/test_cim_disk.py",
                "test_an_offline_disk_keeps_its_partitions_and_loses_its_volumes",
            ),
            Point(
                "a grown disk has its new size after Refresh or a rescan",
                "emulator/test_disk.py",
                "test_windows_sees_a_grown_disk_after_a_rescan",
            ),
            Point(
                "a copy beside its original comes offline, and gets a new identity when it is brought online",
                "emulator/test_disk.py",
                "test_a_copy_beside_its_original_stays_offline_until_it_gets_a_new_identity",
            ),
            Point(
                "Location has the form that machines with such a bus show",
                "emulator/test_attachment.py",
                "test_a_location_has_the_form_of_its_bus",
            ),
            Point(
                "UniqueId is the best identifier of page 83",
                "emulator/test_attachment.py",
                "test_the_best_device_identifier_is_the_unique_id",
            ),
        ),
        unlike=(
            Point(
                "a damaged partition table is never shown as raw, and only Clear with RemoveData changes it",
                "operations/test_odd_disks.py",
                "test_a_disk_without_a_whole_table_is_used_anew_once_it_was_cleared",
            ),
            Point(
                "a file system on a whole disk, without a table, is raw, but Initialize refuses and names it",
                "emulator/test_cim_volume.py",
                "test_what_is_foreign_is_never_formatted_nor_partitioned_over",
            ),
            Point(
                "no jobs: Clear refuses RunAsJob (1)",
                "emulator/test_cim_disk.py",
                "test_a_disk_method_returns_windows_code",
            ),
            Point(
                "a new partition gets no drive letter (1)",
                "emulator/test_cim_create.py",
                "test_creating_a_partition_returns_windows_code",
            ),
        ),
    )

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._disks = storage.disks
        self._methods: Mapping[str, Callable[[Disk, Arguments], Mapping[str, Value]]] = {
            "Initialize": self._initialize,
            "CreatePartition": self._create_partition,
            "Clear": self._clear,
            "Refresh": self._refresh,
            "Online": self._online,
            "Offline": self._offline,
            "SetAttributes": self._set_attributes,
        }

    def instances(self, where: Mapping[str, Value]) -> list[Instance]:
        """The disks that are present."""
        with self._disks.lock:
            disks = self._storage.disks_where(where.get("Number"), where.get("ObjectId"))
            found = [self._instance(disk) for disk in disks]
        return [instance for instance in found if matches(instance.properties, where)]

    def invoke(self, key: str | None, method: str, arguments: Arguments) -> Result:
        """Call a method of one disk."""

        def body() -> Mapping[str, Value]:
            with self._disks.lock:
                return self._methods[method](self._storage.disk(key), arguments)

        return run(body, self.schema.methods[method].outputs)

    def _instance(self, disk: Disk) -> Instance:
        record, layout = disk.record, disk.layout
        key = self._storage.ids.disk(disk)
        unique_id, unique_id_format = record.unique_id
        status = _FAILED if layout.damage else _OFFLINE if record.offline else _ONLINE
        free = sum(extent.size for extent in layout.free)
        properties: dict[str, Value] = {
            "ObjectId": key,
            "UniqueId": unique_id,
            "Path": record.path,
            "Location": record.location,
            "FriendlyName": f"{record.vendor} {record.product}".strip(),
            "UniqueIdFormat": unique_id_format,
            "Number": record.number,
            "SerialNumber": record.serial,
            "FirmwareVersion": "1.0",
            "Manufacturer": record.vendor,
            "Model": record.product,
            "Size": layout.size,
            "AllocatedSize": layout.size - free if layout.table else 0,
            "LogicalSectorSize": layout.sector_size,
            "PhysicalSectorSize": 4096,
            "LargestFreeExtent": layout.largest_free.size,
            "NumberOfPartitions": len(layout.partitions),
            "ProvisioningType": _THIN,
            "OperationalStatus": (status,),
            "HealthStatus": _UNHEALTHY if layout.damage else _HEALTHY,
            "BusType": int(record.bus),
            "PartitionStyle": int(layout.style),
            "Signature": layout.signature if layout.style is PartitionStyle.MBR else None,
            "Guid": f"{{{layout.guid}}}" if layout.guid else None,
            "IsOffline": record.offline,
            "OfflineReason": int(record.offline_reason) if record.offline else None,
            "IsReadOnly": disk.is_read_only,
            "IsSystem": disk.is_system,
            "IsClustered": record.clustered,
            "IsBoot": disk.is_system,
            "BootFromDisk": disk.is_system,
        }
        return Instance(schema.DISK, key, properties)

    def _initialize(self, disk: Disk, arguments: Arguments) -> Mapping[str, Value]:
        _not_critical(disk)
        writable(disk)
        layout = disk.layout
        if layout.style is not PartitionStyle.RAW:
            raise MethodFailed(ReturnCode.ALREADY_INITIALIZED, f"disk {disk.number} is initialized already")
        if layout.foreign:
            raise MethodFailed(
                ReturnCode.FAILED,
                f"disk {disk.number} holds {layout.foreign} without a partition table; it is left as it is",
            )
        style = PartitionStyle.GPT if arguments["PartitionStyle"] is None else arguments["PartitionStyle"]
        if style == PartitionStyle.MBR:
            signature = int(self._disks.fresh_guid()[:8], 16) or 1
            partition_table.initialize_mbr(disk.device, signature)
        elif style != PartitionStyle.GPT:
            raise MethodFailed(ReturnCode.INVALID_PARAMETER, "PartitionStyle is 1 (MBR) or 2 (GPT)")
        elif layout.size < MIN_GPT_DISK:
            raise MethodFailed(ReturnCode.TOO_SMALL_FOR_GPT, f"a GPT disk has at least {MIN_GPT_DISK} bytes")
        else:
            guid, msr_guid = self._disks.fresh_guid(), self._disks.fresh_guid()
            partition_table.initialize_gpt(disk.device, guid, msr_guid)
        disk.reload()
        return {}

    def _create_partition(self, disk: Disk, arguments: Arguments) -> Mapping[str, Value]:
        writable(disk)
        offset = create_partition(disk, arguments, self._disks.fresh_guid)
        readable(disk)
        created = next(partition for partition in disk.layout.partitions if partition.offset == offset)
        self._disks.set_partition_offline(disk, created, offline=False)
        return {"CreatedPartition": self._storage.partition_instance(disk, created)}

    def _clear(self, disk: Disk, arguments: Arguments) -> Mapping[str, Value]:
        _not_critical(disk)
        writable(disk, even_damaged=True)
        if arguments["RunAsJob"] or arguments["Sanitize"]:
            raise MethodFailed(ReturnCode.NOT_SUPPORTED, "RunAsJob and Sanitize are not supported")
        if disk.layout.style is PartitionStyle.RAW:
            raise MethodFailed(ReturnCode.NOT_INITIALIZED, f"disk {disk.number} is not initialized")
        parts = disk.layout.partitions
        data = [part for part in parts if part.type not in _METADATA_TYPES | _OEM_TYPES]
        if (data or disk.layout.damage) and not arguments["RemoveData"]:
            raise MethodFailed(ReturnCode.DATA_PARTITIONS_PRESENT, "the disk has data partitions")
        if any(part.type in _OEM_TYPES for part in parts) and not arguments["RemoveOEM"]:
            raise MethodFailed(ReturnCode.OEM_PARTITIONS_PRESENT, "the disk has OEM partitions")
        volumes = [self._disks.volume_of(disk, part) for part in parts if part.has_volume]
        for volume in volumes:
            volume.mark_raw()
        partition_table.erase(disk.device)
        disk.reload()
        for volume in volumes:
            self._disks.set_partition_offline(disk, volume.partition, offline=False)
            volume.remove_files()
        return {}

    def _refresh(self, disk: Disk, arguments: Arguments) -> Mapping[str, Value]:  # noqa: ARG002
        if disk.record.offline:
            raise MethodFailed(ReturnCode.DISK_OFFLINE, f"disk {disk.number} is offline")
        disk.refresh()
        readable(disk)
        if disk.layout.style is PartitionStyle.RAW:
            raise MethodFailed(ReturnCode.NOT_INITIALIZED, f"disk {disk.number} is not initialized")
        return {}

    def _online(self, disk: Disk, arguments: Arguments) -> Mapping[str, Value]:  # noqa: ARG002
        if not disk.record.offline:
            return {}
        disk.refresh()
        twin = self._disks.twin(disk)
        if twin:
            if disk.is_read_only:
                raise MethodFailed(
                    ReturnCode.FAILED,
                    f"disk {disk.number} is a copy of disk {twin.number} and cannot get another identity, "
                    "because it is read-only",
                )
            self._give_new_identity(disk)
        self._disks.update(disk, disk.record.online())
        return {}

    def _offline(self, disk: Disk, arguments: Arguments) -> Mapping[str, Value]:  # noqa: ARG002
        _not_critical(disk)
        if not disk.record.offline:
            self._disks.update(disk, disk.record.taken_offline(OfflineReason.POLICY))
        return {}

    def _set_attributes(self, disk: Disk, arguments: Arguments) -> Mapping[str, Value]:
        read_only, signature, guid = arguments["IsReadOnly"], arguments["Signature"], arguments["Guid"]
        if read_only is None and signature is None and guid is None:
            raise MethodFailed(ReturnCode.INVALID_PARAMETER, "no attribute is given")
        if disk.record.offline:
            raise MethodFailed(ReturnCode.DISK_OFFLINE, f"disk {disk.number} is offline")
        if read_only is not None:
            self._set_read_only(disk, read_only=read_only is True)
        if isinstance(signature, int):
            _identity_change(disk, PartitionStyle.MBR)
            partition_table.rename_disk(disk.device, disk.layout, "", signature)
        if isinstance(guid, str):
            _identity_change(disk, PartitionStyle.GPT)
            partition_table.rename_disk(disk.device, disk.layout, _guid(guid), 0)
        disk.reload()
        return {}

    def _set_read_only(self, disk: Disk, *, read_only: bool) -> None:
        if read_only:
            _not_critical(disk)
        elif disk.record.medium_read_only:
            raise MethodFailed(ReturnCode.DISK_READ_ONLY, f"the medium of disk {disk.number} is read-only")
        self._disks.update(disk, replace(disk.record, read_only=read_only))

    def _give_new_identity(self, disk: Disk) -> None:
        """What Windows does to a copy that is brought online: nothing on it keeps its old name."""
        fresh_guid = self._disks.fresh_guid
        guid, signature = fresh_guid(), int(fresh_guid()[:8], 16) or 1
        partition_table.rename_disk(disk.device, disk.layout, guid, signature, fresh_guid)
        disk.reload()


def _not_critical(disk: Disk) -> None:
    if disk.is_system:
        raise MethodFailed(ReturnCode.CRITICAL_DISK, "the system disk stays as it is")


def _identity_change(disk: Disk, style: PartitionStyle) -> None:
    _not_critical(disk)
    writable(disk)
    if disk.layout.style is PartitionStyle.RAW:
        raise MethodFailed(ReturnCode.NOT_INITIALIZED, f"disk {disk.number} is not initialized")
    if disk.layout.style is not style:
        raise MethodFailed(ReturnCode.NOT_FOR_THIS_PARTITION_TYPE, f"that is for {style.name} disks")


def _guid(text: str) -> str:
    try:
        return str(uuid.UUID(text.removeprefix("{").removesuffix("}")))
    except ValueError as error:
        raise MethodFailed(ReturnCode.INVALID_PARAMETER, "that is not a GUID") from error
