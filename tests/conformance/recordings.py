"""What two real drivers call, in which order, in their newest and their fallback generation of the API.

Each table is one CSI call on a node.  Names in braces are filled in when it is played: the disk's number,
the staging and the published path, as kubelet spells them for that driver, and what earlier replies gave.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Step:
    """One RPC: what is sent, what of the reply is looked at, and what is kept of it for later.

    ``reply`` maps fields to values wanted; ``keep`` a name to the field whose value it stands for (of a
    repeated field, the first).  ``refused`` is the status where the driver gets, and lives with, an error.
    """

    group: str
    rpc: str
    send: Mapping[str, Any] = field(default_factory=dict)
    reply: Mapping[str, Any] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""


@dataclass(frozen=True)
class Driver:
    """A driver's generation: the version of each group, the spelling of paths, and its CSI calls."""

    versions: Mapping[str, str]
    stage: tuple[Step, ...]
    stage_again: tuple[Step, ...]
    publish: tuple[Step, ...]
    stats: tuple[Step, ...]
    expand: tuple[Step, ...]
    unpublish: tuple[Step, ...]
    unstage: tuple[Step, ...]


# Kubelet hands a path without a drive; drivers put a small c: in front of it, or forget to.
STAGING, RAW_STAGING = "c:{staging}", "{staging}"
TARGET, RAW_TARGET = "c:{published}", "{published}"

GCP_V1 = Driver(
    versions={"disk": "v1", "filesystem": "v1", "volume": "v1"},
    stage=(
        Step("disk", "ListDiskIDs"),
        Step("filesystem", "IsSymlink", {"path": RAW_STAGING}, {"is_symlink": False}),
        Step("disk", "GetDiskStats", {"disk_number": "{disk}"}, {"total_bytes": 64 << 20}),
        Step("disk", "PartitionDisk", {"disk_number": "{disk}"}),
        Step("disk", "SetDiskState", {"disk_number": "{disk}", "is_online": True}),
        Step("volume", "ListVolumesOnDisk", {"disk_number": "{disk}"}, keep={"volume": "volume_ids"}),
        Step("volume", "IsVolumeFormatted", {"volume_id": "{volume}"}, {"formatted": False}),
        Step("volume", "FormatVolume", {"volume_id": "{volume}"}),
        Step("volume", "MountVolume", {"volume_id": "{volume}", "target_path": RAW_STAGING}),
        Step("volume", "GetVolumeIDFromTargetPath", {"target_path": RAW_STAGING}, {"volume_id": "{volume}"}),
        Step("volume", "ResizeVolume", {"volume_id": "{volume}"}),
    ),
    stage_again=(
        Step("disk", "ListDiskIDs"),
        Step("filesystem", "IsSymlink", {"path": RAW_STAGING}, {"is_symlink": True}),
    ),
    publish=(
        Step("filesystem", "IsSymlink", {"path": RAW_TARGET}, refused="NOT_FOUND"),
        Step("filesystem", "PathExists", {"path": TARGET}, {"exists": False}),
        Step("filesystem", "CreateSymlink", {"source_path": STAGING, "target_path": TARGET}),
        Step("filesystem", "IsSymlink", {"path": RAW_TARGET}, {"is_symlink": True}),
    ),
    stats=(
        Step("volume", "GetVolumeIDFromTargetPath", {"target_path": RAW_TARGET}, {"volume_id": "{volume}"}),
        Step("volume", "GetVolumeStats", {"volume_id": "{volume}"}),
    ),
    expand=(
        Step("disk", "ListDiskIDs"),
        Step("volume", "GetVolumeIDFromTargetPath", {"target_path": RAW_TARGET}, {"volume_id": "{volume}"}),
        Step("volume", "ResizeVolume", {"volume_id": "{volume}"}),
        Step("disk", "GetDiskStats", {"disk_number": "{disk}"}, {"total_bytes": 256 << 20}),
    ),
    unpublish=(Step("filesystem", "Rmdir", {"path": TARGET, "force": True}),),
    unstage=(
        Step("filesystem", "PathExists", {"path": STAGING}, {"exists": True}),
        Step("volume", "GetVolumeIDFromTargetPath", {"target_path": STAGING}, {"volume_id": "{volume}"}),
        Step("volume", "UnmountVolume", {"volume_id": "{volume}", "target_path": STAGING}),
        Step("filesystem", "Rmdir", {"path": STAGING, "force": True}),
        Step("volume", "GetDiskNumberFromVolumeID", {"volume_id": "{volume}"}, {"disk_number": "{disk}"}),
        Step("disk", "SetDiskState", {"disk_number": "{disk}", "is_online": False}),
        Step("disk", "ListDiskIDs"),
    ),
)

PLUGIN, POD = 0, 1

GCP_BETA = Driver(
    versions={"disk": "v1beta2", "filesystem": "v1beta1", "volume": "v1beta1"},
    stage=(
        Step("disk", "ListDiskIDs"),
        Step("filesystem", "IsMountPoint", {"path": RAW_STAGING}, {"is_mount_point": False, "error": ""}),
        Step("disk", "DiskStats", {"diskID": "{disk_text}"}, {"diskSize": 64 << 20}),
        Step("disk", "PartitionDisk", {"diskID": "{disk_text}"}),
        Step("disk", "SetAttachState", {"diskID": "{disk_text}", "isOnline": True}),
        Step("volume", "ListVolumesOnDisk", {"disk_id": "{disk_text}"}, keep={"volume": "volume_ids"}),
        Step("volume", "IsVolumeFormatted", {"volume_id": "{volume}"}, {"formatted": False}),
        Step("volume", "FormatVolume", {"volume_id": "{volume}"}),
        Step("volume", "MountVolume", {"volume_id": "{volume}", "path": RAW_STAGING}),
        Step("volume", "GetVolumeIDFromMount", {"mount": RAW_STAGING}, {"volume_id": "{volume}"}),
        Step("volume", "ResizeVolume", {"volume_id": "{volume}"}),
    ),
    stage_again=(
        Step("disk", "ListDiskIDs"),
        Step("filesystem", "IsMountPoint", {"path": RAW_STAGING}, {"is_mount_point": True, "error": ""}),
    ),
    publish=(
        Step("filesystem", "IsMountPoint", {"path": RAW_TARGET}, refused="NOT_FOUND"),
        Step("filesystem", "PathExists", {"path": TARGET, "context": POD}, {"exists": False, "error": ""}),
        Step("filesystem", "LinkPath", {"source_path": STAGING, "target_path": TARGET}, {"error": ""}),
        Step("filesystem", "IsMountPoint", {"path": RAW_TARGET}, {"is_mount_point": True, "error": ""}),
    ),
    stats=(
        Step("volume", "GetVolumeIDFromMount", {"mount": RAW_TARGET}, {"volume_id": "{volume}"}),
        Step("volume", "VolumeStats", {"volume_id": "{volume}"}),
    ),
    expand=(
        Step("disk", "ListDiskIDs"),
        Step("volume", "GetVolumeIDFromMount", {"mount": RAW_TARGET}, {"volume_id": "{volume}"}),
        Step("volume", "ResizeVolume", {"volume_id": "{volume}"}),
        Step("disk", "DiskStats", {"diskID": "{disk_text}"}, {"diskSize": 256 << 20}),
    ),
    unpublish=(Step("filesystem", "Rmdir", {"path": TARGET, "context": POD, "force": True}, {"error": ""}),),
    unstage=(
        Step("filesystem", "PathExists", {"path": STAGING, "context": PLUGIN}, {"exists": True}),
        Step("volume", "GetVolumeIDFromMount", {"mount": STAGING}, {"volume_id": "{volume}"}),
        Step("volume", "DismountVolume", {"volume_id": "{volume}", "path": STAGING}),
        Step("filesystem", "Rmdir", {"path": STAGING, "context": PLUGIN, "force": True}, {"error": ""}),
        Step("volume", "GetVolumeDiskNumber", {"volume_id": "{volume}"}, {"diskNumber": "{disk}"}),
        Step("disk", "SetAttachState", {"diskID": "{disk_text}", "isOnline": False}),
        Step("disk", "ListDiskIDs"),
    ),
)

AZURE_V1 = Driver(
    versions={"disk": "v1", "filesystem": "v1", "volume": "v1"},
    stage=(
        Step("disk", "Rescan"),
        Step("disk", "ListDiskLocations"),
        Step("filesystem", "PathExists", {"path": STAGING}, {"exists": True}),
        Step("filesystem", "IsSymlink", {"path": STAGING}, {"is_symlink": False}),
        Step("disk", "PartitionDisk", {"disk_number": "{disk}"}),
        Step("volume", "ListVolumesOnDisk", {"disk_number": "{disk}"}, keep={"volume": "volume_ids"}),
        Step("volume", "IsVolumeFormatted", {"volume_id": "{volume}"}, {"formatted": False}),
        Step("volume", "FormatVolume", {"volume_id": "{volume}"}),
        Step("volume", "MountVolume", {"volume_id": "{volume}", "target_path": STAGING}),
        # Newer releases of this driver send the disk's number for the volume's id, and fail once.
        Step("volume", "ResizeVolume", {"volume_id": "{disk_text}"}, refused="INVALID_ARGUMENT"),
    ),
    stage_again=(
        Step("disk", "Rescan"),
        Step("disk", "ListDiskLocations"),
        Step("filesystem", "PathExists", {"path": STAGING}, {"exists": True}),
        Step("filesystem", "IsSymlink", {"path": STAGING}, {"is_symlink": True}),
    ),
    publish=(
        Step("filesystem", "PathExists", {"path": TARGET}, {"exists": False}),
        Step("filesystem", "PathExists", {"path": TARGET}, {"exists": False}),
        Step("filesystem", "CreateSymlink", {"source_path": STAGING, "target_path": TARGET}),
    ),
    stats=(
        Step("volume", "GetVolumeIDFromTargetPath", {"target_path": RAW_TARGET}, {"volume_id": "{volume}"}),
        Step("volume", "GetVolumeStats", {"volume_id": "{volume}"}),
    ),
    expand=(
        Step("volume", "GetVolumeIDFromTargetPath", {"target_path": TARGET}, {"volume_id": "{volume}"}),
        Step("volume", "GetVolumeStats", {"volume_id": "{volume}"}),
        Step("volume", "ResizeVolume", {"volume_id": "{volume}"}),
        Step("volume", "GetVolumeStats", {"volume_id": "{volume}"}),
    ),
    unpublish=(Step("filesystem", "Rmdir", {"path": TARGET, "force": True}),),
    unstage=(
        Step("volume", "GetVolumeIDFromTargetPath", {"target_path": RAW_STAGING}, {"volume_id": "{volume}"}),
        Step("volume", "WriteVolumeCache", {"volume_id": "{volume}"}),
        Step("filesystem", "Rmdir", {"path": STAGING, "force": True}),
    ),
)

AZURE_BETA = Driver(
    versions={"disk": "v1beta2", "filesystem": "v1beta1", "volume": "v1beta2"},
    stage=(
        Step("disk", "Rescan"),
        Step("disk", "ListDiskLocations"),
        Step("filesystem", "PathExists", {"path": STAGING, "context": POD}, {"exists": True}),
        Step("filesystem", "IsMountPoint", {"path": STAGING}, {"is_mount_point": False}),
        Step("disk", "PartitionDisk", {"diskID": "{disk_text}"}),
        Step("volume", "ListVolumesOnDisk", {"disk_id": "{disk_text}"}, keep={"volume": "volume_ids"}),
        Step("volume", "IsVolumeFormatted", {"volume_id": "{volume}"}, {"formatted": False}),
        Step("volume", "FormatVolume", {"volume_id": "{volume}"}),
        Step("volume", "MountVolume", {"volume_id": "{volume}", "path": STAGING}),
        Step("volume", "ResizeVolume", {"volume_id": "{disk_text}"}, refused="INVALID_ARGUMENT"),
    ),
    stage_again=(
        Step("disk", "Rescan"),
        Step("disk", "ListDiskLocations"),
        Step("filesystem", "PathExists", {"path": STAGING, "context": POD}, {"exists": True}),
        Step("filesystem", "IsMountPoint", {"path": STAGING}, {"is_mount_point": True}),
    ),
    publish=(
        Step("filesystem", "PathExists", {"path": TARGET, "context": POD}, {"exists": False}),
        Step("filesystem", "PathExists", {"path": TARGET, "context": POD}, {"exists": False}),
        Step("filesystem", "LinkPath", {"source_path": STAGING, "target_path": TARGET}, {"error": ""}),
    ),
    stats=(
        Step("volume", "GetVolumeIDFromMount", {"mount": RAW_TARGET}, {"volume_id": "{volume}"}),
        Step("volume", "VolumeStats", {"volume_id": "{volume}"}),
    ),
    expand=(
        Step("volume", "GetVolumeIDFromMount", {"mount": TARGET}, {"volume_id": "{volume}"}),
        Step("volume", "VolumeStats", {"volume_id": "{volume}"}),
        Step("volume", "ResizeVolume", {"volume_id": "{volume}"}),
        Step("volume", "VolumeStats", {"volume_id": "{volume}"}),
    ),
    unpublish=(Step("filesystem", "Rmdir", {"path": TARGET, "context": POD, "force": True}, {"error": ""}),),
    unstage=(
        Step("volume", "GetVolumeIDFromMount", {"mount": RAW_STAGING}, {"volume_id": "{volume}"}),
        Step("volume", "WriteVolumeCache", {"volume_id": "{volume}"}),
        Step("filesystem", "Rmdir", {"path": STAGING, "context": POD, "force": True}, {"error": ""}),
    ),
)

DRIVERS = {
    "gcp-pd v1": GCP_V1,
    "gcp-pd beta": GCP_BETA,
    "azuredisk v1": AZURE_V1,
    "azuredisk beta": AZURE_BETA,
}
