"""The emulated node's CIM server: classes, associations, and the checks that WMI itself makes.

What a class knows and does is in its provider.  WBEM error constants:
https://learn.microsoft.com/windows/win32/wmisdk/wmi-error-constants
"""

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import TypeVar

from csiproxy.emulator.cim_disk import DiskClass
from csiproxy.emulator.cim_partition import PartitionClass
from csiproxy.emulator.cim_provider import Association, End, ObjectIds, Provider, Storage, matches
from csiproxy.emulator.cim_volume import VolumeClass
from csiproxy.emulator.disk import Disks
from csiproxy.emulator.fidelity import Fidelity, Point
from csiproxy.emulator.return_codes import MethodFailed
from csiproxy.emulator.state import StateError
from csiproxy.errors import CimError
from csiproxy.host import schema
from csiproxy.host.cim import Instance, Result, Session, Value
from csiproxy.host.schema import Method, comparable, fits

T = TypeVar("T")


class Wbem(IntEnum):
    """The HRESULTs that this server gives."""

    FAILED = 0x80041001
    INVALID_CLASS = 0x80041010
    INVALID_QUERY = 0x80041017
    INVALID_METHOD = 0x8004102E
    INVALID_METHOD_PARAMETERS = 0x8004102F
    METHOD_NOT_IMPLEMENTED = 0x80041055


class EmulatedSession(Session):
    """Answers from the emulated disks; further classes come as ``providers`` and ``associations``.

    ``mount_points`` gives the directories (``C:\\…``) where a volume is mounted; ``look_for_disks`` is called
    before a rescan; ``letters`` gives a data volume's drive letter, "" for none.
    """

    def __init__(
        self,
        disks: Disks,
        mount_points: Callable[[str], list[str]],
        providers: Sequence[Provider] = (),
        associations: Sequence[Association] = (),
        look_for_disks: Callable[[], None] = lambda: None,
        letters: Callable[[str], str] = lambda _: "",
    ) -> None:
        storage = Storage(disks, ObjectIds(disks.provider), mount_points, letters)
        own: tuple[Provider, ...] = (
            DiskClass(storage),
            PartitionClass(storage),
            VolumeClass(storage),
            StorageSettingClass(disks, look_for_disks),
        )
        self._providers: Mapping[str, Provider] = {
            provider.schema.name.lower(): provider for provider in (*own, *providers)
        }
        self._associations = {
            association.name.lower(): association
            for association in (*storage_associations(storage), *associations)
        }

    def steps(self) -> list[str]:
        """What can be asked of it: every class, and every method as ``Class.Method``."""
        known = [provider.schema for provider in self._providers.values()]
        return [name for one in known for name in (one.name, *(f"{one.name}.{m}" for m in one.methods))]

    def instances(self, class_name: str, /, **where: bool | int | str) -> list[Instance]:
        """The instances whose properties equal all of ``where``."""
        provider = self._provider(class_name, "ExecQuery")
        known = provider.schema.properties
        for name, value in where.items():
            if name not in known or not comparable(value, known[name]):
                raise CimError(Wbem.INVALID_QUERY, "ExecQuery", f"{class_name} has no {name} to compare so")
        found = self._guarded("ExecQuery", lambda: provider.instances(where))
        return [instance for instance in found if matches(instance.properties, where)]

    def associated(
        self, instance: Instance, association: str, result_class: str, result_role: str = ""
    ) -> list[Instance]:
        """What is joined to an instance; empty when it has gone or the classes do not meet there."""
        joined = self._associations.get(association.lower())
        if joined is None:
            raise CimError(Wbem.INVALID_CLASS, "AssociatorsOf", f"there is no class {association}")
        provider = self._provider(result_class, "AssociatorsOf")

        def related() -> list[Instance]:
            roles = joined.towards(instance.class_name, result_class, result_role)
            keys = [key for role in roles for key in joined.join(role, instance.key)]
            wanted = [{provider.schema.key: key} for key in keys]
            return [
                found
                for where in wanted
                for found in provider.instances(where)
                if matches(found.properties, where)
            ]

        return self._guarded("AssociatorsOf", related)

    def invoke(self, target: Instance | str, method: str, /, **parameters: Value) -> Result:
        """Call a method after checking its parameters, as WMI does, against the schema."""
        class_name = target if isinstance(target, str) else target.class_name
        provider = self._provider(class_name, "ExecMethod")
        called = f"{provider.schema.name}.{method}"
        known = provider.schema.methods.get(method)
        if known is None:
            raise CimError(Wbem.METHOD_NOT_IMPLEMENTED, called, "the class does not have it")
        if isinstance(target, str) and not known.static:
            raise CimError(Wbem.INVALID_METHOD, called, "it is a method of instances, not of the class")
        arguments = _arguments(called, known, parameters)
        key = None if isinstance(target, str) else target.key
        return self._guarded(called, lambda: provider.invoke(key, method, arguments))

    def _provider(self, class_name: str, operation: str) -> Provider:
        found = self._providers.get(class_name.lower())
        if found is None:
            raise CimError(Wbem.INVALID_CLASS, operation, f"there is no class {class_name}")
        return found

    @staticmethod
    def _guarded(operation: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except StateError as error:
            raise CimError(Wbem.FAILED, operation, str(error)) from error


def storage_associations(storage: Storage) -> tuple[Association, ...]:
    """MSFT_DiskToPartition and MSFT_PartitionToVolume, both ways."""
    disks, ids = storage.disks, storage.ids

    def disk_to_partition(role: str, key: str) -> list[str]:
        with disks.lock:
            if role == "Partition":
                disk = storage.disk(key)
                return [ids.partition(disk, partition) for partition in disk.layout.partitions]
            return [ids.disk(storage.partition(key)[0])]

    def partition_to_volume(role: str, key: str) -> list[str]:
        with disks.lock:
            if role == "Partition":
                disk, volume = storage.volume(key)
                return [ids.partition(disk, volume.partition)]
            disk, partition = storage.partition(key)
            if not partition.has_volume or disk.is_offline(partition):
                return []
            return [ids.volume(disks.volume_of(disk, partition))]

    disk_end, partition_end = End("Disk", schema.DISK), End("Partition", schema.PARTITION)
    volume_end = End("Volume", schema.VOLUME)
    return (
        Association(schema.DISK_TO_PARTITION, (disk_end, partition_end), _gone_is_empty(disk_to_partition)),
        Association(
            schema.PARTITION_TO_VOLUME, (partition_end, volume_end), _gone_is_empty(partition_to_volume)
        ),
    )


def _gone_is_empty(join: Callable[[str, str], list[str]]) -> Callable[[str, str], list[str]]:
    def joined(role: str, key: str) -> list[str]:
        try:
            return join(role, key)
        except MethodFailed:
            return []

    return joined


class StorageSettingClass:
    """Provider of MSFT_StorageSetting, of which only the rescan is emulated."""

    schema = schema.MSFT_STORAGE_SETTING
    fidelity = Fidelity(
        page="https://learn.microsoft.com/windows-hardware/drivers/storage/msft-storagesetting",
        like=(
            Point(
                "UpdateHostStorageCache finds grown disks and images that were missing",
                "emulator/test_disk.py",
                "test_windows_sees_a_grown_disk_after_a_rescan",
            ),
            Point(
                "it is called on the class, of which there is no instance",
                "emulator/test_session.py",
                "test_a_static_method_may_be_called_on_the_class",
            ),
        ),
    )

    def __init__(self, disks: Disks, look_for_disks: Callable[[], None]) -> None:
        self._disks = disks
        self._look_for_disks = look_for_disks

    def instances(self, where: Mapping[str, Value]) -> list[Instance]:  # noqa: ARG002
        """It has none: the class is there for its static methods."""
        return []

    def invoke(self, key: str | None, method: str, arguments: Mapping[str, Value]) -> Result:  # noqa: ARG002
        """UpdateHostStorageCache: look for disks that come and go, then at every disk, one at a time."""
        self._look_for_disks()
        self._disks.rescan()
        return Result(0, {})


# --- what WMI checks before a provider is called ---------------------------------------------------------


def _arguments(called: str, method: Method, parameters: Mapping[str, Value]) -> dict[str, Value]:
    """All in-parameters by name, NULL where none is given.  Unknown, missing or mistyped: refused."""
    for name, value in parameters.items():
        if name not in method.inputs:
            raise CimError(Wbem.INVALID_METHOD_PARAMETERS, called, f"it has no parameter {name}")
        if value is not None and not fits(value, method.inputs[name]):
            raise CimError(Wbem.INVALID_METHOD_PARAMETERS, called, f"{name} is a {method.inputs[name]}")
    missing = [name for name in method.required if parameters.get(name) is None]
    if missing:
        raise CimError(Wbem.INVALID_METHOD_PARAMETERS, called, f"{missing[0]} is required")
    return {name: parameters.get(name) for name in method.inputs}
