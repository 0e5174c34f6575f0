"""What three real drivers call, in which order, in their newest and their fallback generation of the API.

Each table is one CSI call on a node, as the driver's source has it.  Names in braces are filled in when it is
played: the disk's number, the staging and the published path, as kubelet spells them for that driver, and
what earlier replies gave.  A driver goes on by what it is told, so rows say when they are left out, and
which reply ends the call; that is how it goes when kubelet calls again after a failure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Rows that are no RPC: what kubelet does before the driver, and what the driver does to its host itself.
KUBELET, DRIVER = "kubelet", "driver"


@dataclass(frozen=True)
class Step:
    """One RPC: what is sent, what of the reply is looked at, and what is kept of it for later.

    ``reply`` maps fields (``a.key.b``: into a map) to values wanted when nothing was disturbed; ``keep`` a
    name to the field whose value it stands for (of a repeated field, the first).  ``refused`` is the status
    that the driver gets when nothing was disturbed; with ``ignores_errors`` it goes on after any.  Other
    errors end the CSI call, after the rows of ``after_failure``.  A reply with the values of ``done`` ends it
    with success.  The row is left out unless what was kept as ``needs`` is true, or as ``unless`` is not.
    """

    group: str
    rpc: str
    send: Mapping[str, Any] = field(default_factory=dict)
    reply: Mapping[str, Any] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""
    ignores_errors: bool = False
    done: Mapping[str, Any] = field(default_factory=dict)
    needs: str = ""
    unless: str = ""
    after_failure: tuple["Step", ...] = ()


@dataclass(frozen=True)
class Loss:
    """What a driver makes of a lost reply that it does not cope with, on any server.

    ``stuck``: the CSI call fails from then on, however often kubelet makes it.  ``mend`` are the calls that
    are missing to the end that the call would have had.
    """

    why: str
    stuck: bool
    mend: tuple[Step, ...]


@dataclass(frozen=True)
class Driver:
    """A driver's generation: the version of each group, its CSI calls, and the replies it must not lose."""

    versions: Mapping[str, str]
    stage: tuple[Step, ...]
    publish: tuple[Step, ...]
    stats: tuple[Step, ...]
    expand: tuple[Step, ...]
    unpublish: tuple[Step, ...]
    unstage: tuple[Step, ...]
    unstage_losses: Mapping[str, Loss] = field(default_factory=dict)


# Kubelet hands a path without a drive; drivers put a small c: in front of it, or forget to.
STAGING, RAW_STAGING = "c:{staging}", "{staging}"
TARGET, RAW_TARGET = "c:{published}", "{published}"

# What kubelet makes before each try of NodeStageVolume and NodePublishVolume.
STAGING_MADE = Step(KUBELET, "MkdirAll", {"path": STAGING})
POD_MADE = Step(KUBELET, "MkdirAll", {"path": "c:{pod}"})

SIZE, GROWN = 64 << 20, 256 << 20

# --- the persistent disks of Google's cloud ----------------------------------------------------------------

NO_MOUNT = "when unmounting has ended unheard, the path exists and is no mounted folder, which is an error"
NO_PATH = "once the path is gone, the driver takes its disk for offline"


def gcp_losses(unmount: str, number: str, *mend: Step) -> Mapping[str, Loss]:
    """The three replies in the middle of NodeUnstageVolume."""
    *_, offline = mend
    return {
        unmount: Loss(NO_MOUNT, stuck=True, mend=mend),
        "Rmdir": Loss(NO_PATH, stuck=False, mend=(offline,)),
        number: Loss(NO_PATH, stuck=False, mend=(offline,)),
    }


GCP_V1_UNPUBLISH = Step("filesystem", "Rmdir", {"path": TARGET, "force": True})
GCP_V1_REMOVE = Step("filesystem", "Rmdir", {"path": STAGING, "force": True})
GCP_V1_OFFLINE = Step("disk", "SetDiskState", {"disk_number": "{disk}", "is_online": False})
GCP_V1_IDS = Step("disk", "ListDiskIDs", reply={"diskIDs.{disk}.page83": "{page83}"})
GCP_V1 = Driver(
    versions={"disk": "v1", "filesystem": "v1", "volume": "v1"},
    stage=(
        STAGING_MADE,
        GCP_V1_IDS,
        Step(
            "filesystem",
            "IsSymlink",
            {"path": RAW_STAGING},
            {"is_symlink": False},
            done={"is_symlink": True},
            ignores_errors=True,
        ),
        Step("disk", "GetDiskStats", {"disk_number": "{disk}"}, {"total_bytes": SIZE}),
        Step("disk", "PartitionDisk", {"disk_number": "{disk}"}),
        Step("disk", "SetDiskState", {"disk_number": "{disk}", "is_online": True}),
        Step("volume", "ListVolumesOnDisk", {"disk_number": "{disk}"}, keep={"volume": "volume_ids"}),
        Step(
            "volume",
            "IsVolumeFormatted",
            {"volume_id": "{volume}"},
            {"formatted": False},
            keep={"formatted": "formatted"},
        ),
        Step("volume", "FormatVolume", {"volume_id": "{volume}"}, unless="formatted"),
        Step("volume", "MountVolume", {"volume_id": "{volume}", "target_path": RAW_STAGING}),
        Step(
            "volume",
            "GetVolumeIDFromTargetPath",
            {"target_path": RAW_STAGING},
            {"volume_id": "{volume}"},
            keep={"mounted": "volume_id"},
        ),
        Step("volume", "ResizeVolume", {"volume_id": "{mounted}"}),
    ),
    publish=(
        POD_MADE,
        Step(
            "filesystem",
            "IsSymlink",
            {"path": RAW_TARGET},
            refused="NOT_FOUND",
            ignores_errors=True,
            done={"is_symlink": True},
        ),
        Step("filesystem", "PathExists", {"path": TARGET}, {"exists": False}, keep={"exists": "exists"}),
        Step("filesystem", "Rmdir", {"path": TARGET, "force": True}, needs="exists"),
        Step(
            "filesystem",
            "CreateSymlink",
            {"source_path": STAGING, "target_path": TARGET},
            after_failure=(
                Step(
                    "filesystem", "IsSymlink", {"path": RAW_TARGET}, keep={"mounted_after_all": "is_symlink"}
                ),
                Step("filesystem", "Rmdir", {"path": TARGET, "force": True}, needs="mounted_after_all"),
                Step("filesystem", "IsSymlink", {"path": RAW_TARGET}, needs="mounted_after_all"),
            ),
        ),
    ),
    stats=(
        Step(
            "volume",
            "GetVolumeIDFromTargetPath",
            {"target_path": RAW_TARGET},
            {"volume_id": "{volume}"},
            keep={"mounted": "volume_id"},
        ),
        Step("volume", "GetVolumeStats", {"volume_id": "{mounted}"}),
    ),
    expand=(
        GCP_V1_IDS,
        Step(
            "volume",
            "GetVolumeIDFromTargetPath",
            {"target_path": RAW_TARGET},
            {"volume_id": "{volume}"},
            keep={"mounted": "volume_id"},
        ),
        Step("volume", "ResizeVolume", {"volume_id": "{mounted}"}),
        Step("disk", "GetDiskStats", {"disk_number": "{disk}"}, {"total_bytes": GROWN}),
    ),
    unpublish=(GCP_V1_UNPUBLISH,),
    unstage=(
        Step("filesystem", "PathExists", {"path": STAGING}, {"exists": True}, done={"exists": False}),
        Step(
            "volume",
            "GetVolumeIDFromTargetPath",
            {"target_path": STAGING},
            {"volume_id": "{volume}"},
            keep={"mounted": "volume_id"},
        ),
        Step("volume", "UnmountVolume", {"volume_id": "{mounted}", "target_path": STAGING}),
        GCP_V1_REMOVE,
        Step(
            "volume",
            "GetDiskNumberFromVolumeID",
            {"volume_id": "{mounted}"},
            {"disk_number": "{disk}"},
            keep={"unmounted": "disk_number"},
        ),
        Step("disk", "SetDiskState", {"disk_number": "{unmounted}", "is_online": False}),
        Step("disk", "ListDiskIDs", ignores_errors=True),
    ),
    unstage_losses=gcp_losses("UnmountVolume", "GetDiskNumberFromVolumeID", GCP_V1_REMOVE, GCP_V1_OFFLINE),
)

PLUGIN, POD = 0, 1

GCP_BETA_REMOVE = Step(
    "filesystem", "Rmdir", {"path": STAGING, "context": PLUGIN, "force": True}, {"error": ""}
)
GCP_BETA_OFFLINE = Step("disk", "SetAttachState", {"diskID": "{disk_text}", "isOnline": False})
GCP_BETA_IDS = Step("disk", "ListDiskIDs", reply={"diskIDs.{disk_text}.identifiers.page83": "{page83}"})
GCP_BETA = Driver(
    versions={"disk": "v1beta2", "filesystem": "v1beta1", "volume": "v1beta1"},
    stage=(
        STAGING_MADE,
        GCP_BETA_IDS,
        Step(
            "filesystem",
            "IsMountPoint",
            {"path": RAW_STAGING},
            {"is_mount_point": False, "error": ""},
            done={"is_mount_point": True},
            ignores_errors=True,
        ),
        Step("disk", "DiskStats", {"diskID": "{disk_text}"}, {"diskSize": SIZE}),
        Step("disk", "PartitionDisk", {"diskID": "{disk_text}"}),
        Step("disk", "SetAttachState", {"diskID": "{disk_text}", "isOnline": True}),
        Step("volume", "ListVolumesOnDisk", {"disk_id": "{disk_text}"}, keep={"volume": "volume_ids"}),
        Step(
            "volume",
            "IsVolumeFormatted",
            {"volume_id": "{volume}"},
            {"formatted": False},
            keep={"formatted": "formatted"},
        ),
        Step("volume", "FormatVolume", {"volume_id": "{volume}"}, unless="formatted"),
        Step("volume", "MountVolume", {"volume_id": "{volume}", "path": RAW_STAGING}),
        Step(
            "volume",
            "GetVolumeIDFromMount",
            {"mount": RAW_STAGING},
            {"volume_id": "{volume}"},
            keep={"mounted": "volume_id"},
        ),
        Step("volume", "ResizeVolume", {"volume_id": "{mounted}"}),
    ),
    publish=(
        POD_MADE,
        Step(
            "filesystem",
            "IsMountPoint",
            {"path": RAW_TARGET},
            refused="NOT_FOUND",
            ignores_errors=True,
            done={"is_mount_point": True},
        ),
        Step(
            "filesystem",
            "PathExists",
            {"path": TARGET},
            {"exists": False, "error": ""},
            keep={"exists": "exists"},
        ),
        Step("filesystem", "Rmdir", {"path": TARGET, "context": POD, "force": True}, needs="exists"),
        Step(
            "filesystem",
            "LinkPath",
            {"source_path": STAGING, "target_path": TARGET},
            {"error": ""},
            after_failure=(
                Step(
                    "filesystem",
                    "IsMountPoint",
                    {"path": RAW_TARGET},
                    keep={"mounted_after_all": "is_mount_point"},
                ),
                Step(
                    "filesystem",
                    "Rmdir",
                    {"path": TARGET, "context": POD, "force": True},
                    needs="mounted_after_all",
                ),
                Step("filesystem", "IsMountPoint", {"path": RAW_TARGET}, needs="mounted_after_all"),
            ),
        ),
    ),
    stats=(
        Step(
            "volume",
            "GetVolumeIDFromMount",
            {"mount": RAW_TARGET},
            {"volume_id": "{volume}"},
            keep={"mounted": "volume_id"},
        ),
        Step("volume", "VolumeStats", {"volume_id": "{mounted}"}),
    ),
    expand=(
        GCP_BETA_IDS,
        Step(
            "volume",
            "GetVolumeIDFromMount",
            {"mount": RAW_TARGET},
            {"volume_id": "{volume}"},
            keep={"mounted": "volume_id"},
        ),
        Step("volume", "ResizeVolume", {"volume_id": "{mounted}"}),
        Step("disk", "DiskStats", {"diskID": "{disk_text}"}, {"diskSize": GROWN}),
    ),
    unpublish=(Step("filesystem", "Rmdir", {"path": TARGET, "context": POD, "force": True}, {"error": ""}),),
    unstage=(
        Step("filesystem", "PathExists", {"path": STAGING}, {"exists": True}, done={"exists": False}),
        Step(
            "volume",
            "GetVolumeIDFromMount",
            {"mount": STAGING},
            {"volume_id": "{volume}"},
            keep={"mounted": "volume_id"},
        ),
        Step("volume", "DismountVolume", {"volume_id": "{mounted}", "path": STAGING}),
        GCP_BETA_REMOVE,
        Step("volume", "GetVolumeDiskNumber", {"volume_id": "{mounted}"}, {"diskNumber": "{disk}"}),
        GCP_BETA_OFFLINE,
        Step("disk", "ListDiskIDs", ignores_errors=True),
    ),
    unstage_losses=gcp_losses("DismountVolume", "GetVolumeDiskNumber", GCP_BETA_REMOVE, GCP_BETA_OFFLINE),
)

# --- the disks of Azure ------------------------------------------------------------------------------------

AZURE_V1_FIND = (
    Step("disk", "Rescan", ignores_errors=True),
    Step("disk", "ListDiskLocations", reply={"disk_locations.{disk}.LUNID": "{lun}"}),
)
AZURE_V1 = Driver(
    versions={"disk": "v1", "filesystem": "v1", "volume": "v1"},
    stage=(
        STAGING_MADE,
        *AZURE_V1_FIND,
        Step("filesystem", "PathExists", {"path": STAGING}, {"exists": True}, keep={"exists": "exists"}),
        Step(
            "filesystem",
            "IsSymlink",
            {"path": STAGING},
            {"is_symlink": False},
            needs="exists",
            done={"is_symlink": True},
        ),
        Step("disk", "PartitionDisk", {"disk_number": "{disk}"}),
        Step("volume", "ListVolumesOnDisk", {"disk_number": "{disk}"}, keep={"volume": "volume_ids"}),
        Step(
            "volume",
            "IsVolumeFormatted",
            {"volume_id": "{volume}"},
            {"formatted": False},
            keep={"formatted": "formatted"},
        ),
        Step("volume", "FormatVolume", {"volume_id": "{volume}"}, unless="formatted"),
        Step("volume", "MountVolume", {"volume_id": "{volume}", "target_path": STAGING}),
        # Newer releases of this driver send the disk's number for the volume's id, and fail once.
        Step("volume", "ResizeVolume", {"volume_id": "{disk_text}"}, refused="INVALID_ARGUMENT"),
    ),
    publish=(
        POD_MADE,
        Step("filesystem", "PathExists", {"path": TARGET}, {"exists": False}, keep={"exists": "exists"}),
        Step("filesystem", "Rmdir", {"path": TARGET, "force": True}, needs="exists"),
        Step("filesystem", "PathExists", {"path": TARGET}, {"exists": False}),
        Step("filesystem", "CreateSymlink", {"source_path": STAGING, "target_path": TARGET}),
    ),
    stats=(
        Step(
            "volume",
            "GetVolumeIDFromTargetPath",
            {"target_path": RAW_TARGET},
            {"volume_id": "{volume}"},
            keep={"mounted": "volume_id"},
        ),
        Step("volume", "GetVolumeStats", {"volume_id": "{mounted}"}),
    ),
    expand=(
        Step(
            "volume",
            "GetVolumeIDFromTargetPath",
            {"target_path": TARGET},
            {"volume_id": "{volume}"},
            keep={"mounted": "volume_id"},
        ),
        Step("volume", "GetVolumeStats", {"volume_id": "{mounted}"}),
        Step("volume", "ResizeVolume", {"volume_id": "{mounted}"}),
        Step("volume", "GetVolumeStats", {"volume_id": "{mounted}"}),
    ),
    unpublish=(Step("filesystem", "Rmdir", {"path": TARGET, "force": True}),),
    unstage=(
        Step(
            "volume",
            "GetVolumeIDFromTargetPath",
            {"target_path": RAW_STAGING},
            {"volume_id": "{volume}"},
            keep={"mounted": "volume_id"},
            ignores_errors=True,
        ),
        Step("volume", "WriteVolumeCache", {"volume_id": "{mounted}"}, needs="mounted", ignores_errors=True),
        Step("filesystem", "Rmdir", {"path": STAGING, "force": True}),
    ),
)

AZURE_BETA = Driver(
    versions={"disk": "v1beta2", "filesystem": "v1beta1", "volume": "v1beta2"},
    stage=(
        STAGING_MADE,
        Step("disk", "Rescan", ignores_errors=True),
        Step("disk", "ListDiskLocations", reply={"disk_locations.{disk_text}.LUNID": "{lun}"}),
        Step("filesystem", "PathExists", {"path": STAGING}, {"exists": True}, keep={"exists": "exists"}),
        Step(
            "filesystem",
            "IsMountPoint",
            {"path": STAGING},
            {"is_mount_point": False},
            needs="exists",
            done={"is_mount_point": True},
        ),
        Step("disk", "PartitionDisk", {"diskID": "{disk_text}"}),
        Step("volume", "ListVolumesOnDisk", {"disk_id": "{disk_text}"}, keep={"volume": "volume_ids"}),
        Step(
            "volume",
            "IsVolumeFormatted",
            {"volume_id": "{volume}"},
            {"formatted": False},
            keep={"formatted": "formatted"},
        ),
        Step("volume", "FormatVolume", {"volume_id": "{volume}"}, unless="formatted"),
        Step("volume", "MountVolume", {"volume_id": "{volume}", "path": STAGING}),
        Step("volume", "ResizeVolume", {"volume_id": "{disk_text}"}, refused="INVALID_ARGUMENT"),
    ),
    publish=(
        POD_MADE,
        Step("filesystem", "PathExists", {"path": TARGET}, {"exists": False}, keep={"exists": "exists"}),
        Step("filesystem", "Rmdir", {"path": TARGET, "context": POD, "force": True}, needs="exists"),
        Step("filesystem", "PathExists", {"path": TARGET}, {"exists": False}),
        Step("filesystem", "LinkPath", {"source_path": STAGING, "target_path": TARGET}, {"error": ""}),
    ),
    stats=(
        Step(
            "volume",
            "GetVolumeIDFromMount",
            {"mount": RAW_TARGET},
            {"volume_id": "{volume}"},
            keep={"mounted": "volume_id"},
        ),
        Step("volume", "VolumeStats", {"volume_id": "{mounted}"}),
    ),
    expand=(
        Step(
            "volume",
            "GetVolumeIDFromMount",
            {"mount": TARGET},
            {"volume_id": "{volume}"},
            keep={"mounted": "volume_id"},
        ),
        Step("volume", "VolumeStats", {"volume_id": "{mounted}"}),
        Step("volume", "ResizeVolume", {"volume_id": "{mounted}"}),
        Step("volume", "VolumeStats", {"volume_id": "{mounted}"}),
    ),
    unpublish=(Step("filesystem", "Rmdir", {"path": TARGET, "context": POD, "force": True}, {"error": ""}),),
    unstage=(
        Step(
            "volume",
            "GetVolumeIDFromMount",
            {"mount": RAW_STAGING},
            {"volume_id": "{volume}"},
            keep={"mounted": "volume_id"},
            ignores_errors=True,
        ),
        Step("volume", "WriteVolumeCache", {"volume_id": "{mounted}"}, needs="mounted", ignores_errors=True),
        Step("filesystem", "Rmdir", {"path": STAGING, "context": POD, "force": True}, {"error": ""}),
    ),
)

DISK_DRIVERS = {
    "gcp-pd v1": GCP_V1,
    "gcp-pd beta": GCP_BETA,
    "azuredisk v1": AZURE_V1,
    "azuredisk beta": AZURE_BETA,
}
