"""The events of the Windows event log: an id for everything that can be told, which stays what it is.

Filters and alarms of operators name events by these ids, so rows are added at an end and none is moved.  They
are below 1001: the message file of Windows that shows them as they are has no others.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from csiproxy.api.versions import GROUPS, Contract
from csiproxy.errors import Code


class Level(IntEnum):
    """How bad it is: the types of ReportEvent."""

    ERROR = 1
    WARNING = 2
    INFORMATION = 4


@dataclass(frozen=True, slots=True)
class Kind:
    """An RPC as an event: its id, its name in the newest version, and whether it only reads."""

    id: int
    name: str
    reads: bool


STARTED: Final = 1
"""Calls are answered from now on."""
STOPPED: Final = 2
"""No more calls are answered."""
SECURITY: Final = 3
"""What concerns security and is no call: somebody else has an endpoint who should not."""
LEFT_OUT: Final = 4
"""Reading calls beyond the limit were not told one by one, or events were lost."""
OTHER_CALL: Final = 5
"""A call of a method that does not exist."""
CHECKPOINT: Final = 6
"""A signed checkpoint of the audit trail, as it stands there, to hold the trail against."""

_RPCS: Final[Mapping[str, tuple[int, tuple[str, ...]]]] = {
    "disk": (
        100,
        (
            "ListDiskLocations",
            "PartitionDisk",
            "Rescan",
            "ListDiskIDs",
            "GetDiskStats",
            "SetDiskState",
            "GetDiskState",
            "GetDiskNumberByName",
        ),
    ),
    "filesystem": (
        200,
        ("PathExists", "Mkdir", "Rmdir", "RmdirContents", "CreateSymlink", "IsSymlink"),
    ),
    "iscsi": (
        300,
        (
            "AddTargetPortal",
            "DiscoverTargetPortal",
            "RemoveTargetPortal",
            "ListTargetPortals",
            "ConnectTarget",
            "DisconnectTarget",
            "GetTargetDisks",
            "SetMutualChapSecret",
        ),
    ),
    "smb": (400, ("NewSmbGlobalMapping", "RemoveSmbGlobalMapping")),
    "system": (500, ("GetBIOSSerialNumber", "StartService", "StopService", "GetService")),
    "volume": (
        600,
        (
            "ListVolumesOnDisk",
            "MountVolume",
            "UnmountVolume",
            "IsVolumeFormatted",
            "FormatVolume",
            "ResizeVolume",
            "GetVolumeStats",
            "GetDiskNumberFromVolumeID",
            "GetVolumeIDFromTargetPath",
            "GetClosestVolumeIDFromTargetPath",
            "WriteVolumeCache",
        ),
    ),
    "csi-proxy": (
        700,
        (
            "PathExists",
            "Mkdir",
            "Rmdir",
            "Rescan",
            "PartitionDisk",
            "FormatVolume",
            "MountVolume",
            "MountSMBShare",
            "UnmountSMBShare",
            "MountISCSILun",
            "UnmountISCSILun",
            "LinkPath",
            "UnlinkPath",
            "ListDiskLocations",
            "ListDiskIDs",
            "ListDiskVolumeMappings",
            "ResizeVolume",
            "DismountVolume",
        ),
    ),
}
"""The first id of each group, and its RPCs under their newest names: the next id each."""

_READING: Final = ("Get", "List", "Is", "PathExists")
_BROKEN: Final = frozenset((Code.UNKNOWN, Code.INTERNAL, Code.UNAVAILABLE, Code.DATA_LOSS))


def level_of(outcome: Code) -> Level:
    """Refusals that their caller can act on warn; what is wrong with the node or this program is an error."""
    if outcome is Code.OK:
        return Level.INFORMATION
    return Level.ERROR if outcome in _BROKEN else Level.WARNING


def kinds() -> list[tuple[str, Kind]]:
    """Every row with its group, by id."""
    return [
        (group, Kind(first + at, name, name.startswith(_READING)))
        for group, (first, names) in _RPCS.items()
        for at, name in enumerate(names)
    ]


def by_path(contracts: Iterable[Contract]) -> dict[str, Kind]:
    """What every method of some contracts is, by its gRPC path (``/v1beta1.Disk/DiskStats``)."""
    known = {(group, kind.name): kind for group, kind in kinds()}
    groups = {group.name: group for group in GROUPS}
    found: dict[str, Kind] = {}
    for contract in contracts:
        for rpc in contract.rpcs:
            change = groups[contract.group].change(rpc, contract.version)
            name = change.hub if change and change.hub else rpc
            found[f"/{contract.service}/{rpc}"] = known[contract.group, name]
    return found
