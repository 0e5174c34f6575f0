"""The version table: every API group, its versions, and each place where an older one differs from its hub.

This is the one place that knows versions.  Operations are written for the newest version of a group; what
is not listed here as a :class:`Change` is wire-identical to it, which a test proves for every RPC.

Importing this imports no protobuf; messages load at the first call of an endpoint.
"""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from csiproxy.api.consistency import check
from csiproxy.api.contract import Change, Contract, Group, Version
from csiproxy.api.conversions import csi_proxy_service, disk, filesystem, volume
from csiproxy.api.lifecycle import Stage
from csiproxy.api.method import Method
from csiproxy.errors import InvalidArgument

__all__ = ["CONTRACTS", "GROUPS", "Contract", "Method", "Stage", "contract", "select"]

_DISK_V1BETA3 = (
    "ListDiskLocations",
    "PartitionDisk",
    "Rescan",
    "ListDiskIDs",
    "GetDiskStats",
    "SetDiskState",
    "GetDiskState",
)
_DISK_V1BETA1 = ("ListDiskLocations", "PartitionDisk", "Rescan", "ListDiskIDs", "DiskStats")

DISK = Group(
    "disk",
    "Disk",
    versions=(
        Version("v1alpha1", ("ListDiskLocations", "PartitionDisk", "Rescan", "GetDiskNumberByName")),
        Version("v1beta1", _DISK_V1BETA1),
        Version("v1beta2", (*_DISK_V1BETA1, "SetAttachState", "GetAttachState")),
        Version("v1beta3", _DISK_V1BETA3),
        Version("v1", _DISK_V1BETA3),
    ),
    changes=(
        Change(
            "ListDiskLocations",
            until="v1beta2",
            reply=disk.list_disk_locations_reply,
            hear=disk.hear_disk_locations,
        ),
        Change("PartitionDisk", until="v1beta2", request=disk.partition_disk, ask=disk.ask_for_disk),
        Change("ListDiskIDs", until="v1beta2", reply=disk.list_disk_ids_reply, hear=disk.hear_disk_ids),
        Change(
            "DiskStats",
            until="v1beta2",
            hub="GetDiskStats",
            request=disk.disk_stats,
            ask=disk.ask_for_disk,
        ),
        Change(
            "SetAttachState",
            until="v1beta2",
            hub="SetDiskState",
            request=disk.set_attach_state,
            ask=disk.ask_for_attach_state,
        ),
        Change(
            "GetAttachState",
            until="v1beta2",
            hub="GetDiskState",
            request=disk.get_attach_state,
            ask=disk.ask_for_disk,
        ),
        Change("GetDiskNumberByName", until="v1alpha1", own_messages=True),
    ),
)

_FILESYSTEM_V1ALPHA1 = ("PathExists", "Mkdir", "Rmdir", "LinkPath", "IsMountPoint")
_FILESYSTEM_V1BETA2 = ("PathExists", "Mkdir", "Rmdir", "CreateSymlink", "IsSymlink")

FILESYSTEM = Group(
    "filesystem",
    "Filesystem",
    versions=(
        Version("v1alpha1", _FILESYSTEM_V1ALPHA1),
        Version("v1beta1", _FILESYSTEM_V1ALPHA1),
        Version("v1beta2", _FILESYSTEM_V1BETA2),
        Version("v1", _FILESYSTEM_V1BETA2),
        Version("v2alpha1", ("PathExists", "Mkdir", "Rmdir", "RmdirContents", "CreateSymlink", "IsSymlink")),
    ),
    changes=(
        Change(
            "PathExists",
            until="v1beta1",
            request=filesystem.path_exists,
            reply=filesystem.path_exists_reply,
            ask=filesystem.ask_with_context,
            hear=filesystem.hear_path_exists,
        ),
        Change("Mkdir", until="v1beta1", request=filesystem.mkdir, ask=filesystem.ask_with_context),
        Change("Rmdir", until="v1beta1", request=filesystem.rmdir, ask=filesystem.ask_rmdir),
        Change("LinkPath", until="v1beta1", hub="CreateSymlink"),
        Change(
            "IsMountPoint",
            until="v1beta1",
            hub="IsSymlink",
            reply=filesystem.is_mount_point_reply,
            hear=filesystem.hear_is_mount_point,
        ),
    ),
)

_ISCSI_V1ALPHA1 = (
    "AddTargetPortal",
    "DiscoverTargetPortal",
    "RemoveTargetPortal",
    "ListTargetPortals",
    "ConnectTarget",
    "DisconnectTarget",
    "GetTargetDisks",
)

ISCSI = Group(
    "iscsi",
    "Iscsi",
    versions=(
        Version("v1alpha1", _ISCSI_V1ALPHA1),
        Version("v1alpha2", (*_ISCSI_V1ALPHA1, "SetMutualChapSecret")),
    ),
)

_SMB_V1ALPHA1 = ("NewSmbGlobalMapping", "RemoveSmbGlobalMapping")

SMB = Group(
    "smb",
    "Smb",
    versions=(
        Version("v1alpha1", _SMB_V1ALPHA1),
        Version("v1beta1", _SMB_V1ALPHA1),
        Version("v1beta2", _SMB_V1ALPHA1),
        Version("v1", _SMB_V1ALPHA1),
    ),
)

SYSTEM = Group(
    "system",
    "System",
    versions=(Version("v1alpha1", ("GetBIOSSerialNumber", "StartService", "StopService", "GetService")),),
)

_VOLUME_V1ALPHA1 = (
    "ListVolumesOnDisk",
    "MountVolume",
    "DismountVolume",
    "IsVolumeFormatted",
    "FormatVolume",
    "ResizeVolume",
)
_VOLUME_V1BETA1 = (*_VOLUME_V1ALPHA1, "VolumeStats", "GetVolumeDiskNumber", "GetVolumeIDFromMount")
_VOLUME_V1BETA3 = (
    "ListVolumesOnDisk",
    "MountVolume",
    "UnmountVolume",
    "IsVolumeFormatted",
    "FormatVolume",
    "ResizeVolume",
    "GetVolumeStats",
    "GetDiskNumberFromVolumeID",
    "GetVolumeIDFromTargetPath",
    "WriteVolumeCache",
)

VOLUME = Group(
    "volume",
    "Volume",
    versions=(
        Version("v1alpha1", _VOLUME_V1ALPHA1),
        Version("v1beta1", _VOLUME_V1BETA1),
        Version("v1beta2", (*_VOLUME_V1BETA1, "WriteVolumeCache")),
        Version("v1beta3", _VOLUME_V1BETA3),
        Version("v1", _VOLUME_V1BETA3),
        Version("v2alpha1", (*_VOLUME_V1BETA3[:-1], "GetClosestVolumeIDFromTargetPath", "WriteVolumeCache")),
    ),
    changes=(
        Change(
            "ListVolumesOnDisk",
            until="v1beta2",
            request=volume.list_volumes_on_disk,
            ask=volume.ask_for_volumes_on_disk,
        ),
        Change("DismountVolume", until="v1beta2", hub="UnmountVolume"),
        Change("VolumeStats", until="v1beta2", hub="GetVolumeStats"),
        Change("GetVolumeDiskNumber", until="v1beta2", hub="GetDiskNumberFromVolumeID"),
        Change("GetVolumeIDFromMount", until="v1beta2", hub="GetVolumeIDFromTargetPath"),
    ),
)

CSI_PROXY_SERVICE = Group(
    "csi-proxy",
    "CSIProxyService",
    package="csiproxy.{}",
    endpoint="csi-proxy-{}",
    directory="csi_proxy_service",
    versions=(
        Version(
            "v1alpha1",
            (
                "PathExists",
                "Mkdir",
                "Rmdir",
                "Rescan",
                "PartitionDisk",
                "FormatVolume",
                "MountSMBShare",
                "MountISCSILun",
                "LinkPath",
                "ListDiskLocations",
                "ListDiskIDs",
                "ListDiskVolumeMappings",
                "ResizeVolume",
                "DismountVolume",
            ),
        ),
        Version(
            "v1beta1",
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
    ),
    changes=(
        # v1beta1 gave unlinking and mounting RPCs of their own, so these two mean more in v1alpha1.
        Change("Rmdir", until="v1alpha1", own_messages=True, operation="rmdir_or_unlink"),
        Change("FormatVolume", until="v1alpha1", own_messages=True, operation="format_volume_and_mount"),
        Change(
            "MountISCSILun",
            until="v1alpha1",
            request=csi_proxy_service.mount_iscsi_lun,
            ask=csi_proxy_service.ask_mount_iscsi_lun,
        ),
        Change(
            "ListDiskVolumeMappings",
            until="v1alpha1",
            reply=csi_proxy_service.list_disk_volume_mappings_reply,
            hear=csi_proxy_service.hear_disk_volume_mappings,
        ),
    ),
)

GROUPS: tuple[Group, ...] = (DISK, FILESYSTEM, ISCSI, SMB, SYSTEM, VOLUME, CSI_PROXY_SERVICE)
"""Every group, with the rows of versions that were removed too."""

check(GROUPS)

CONTRACTS: tuple[Contract, ...] = tuple(
    Contract(group, row) for group in GROUPS for row in group.versions if not row.lifecycle.removed_in
)
"""Every version that is served, by group, oldest first."""

_BY_NAME = {found.name: found for found in CONTRACTS}


def contract(name: str) -> Contract:
    """Return the contract called ``disk/v1beta1`` and the like; raises :class:`InvalidArgument`."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise InvalidArgument(f'there is no API version "{name}": give one of {_names()}') from None


def select(serve: Sequence[str], no_serve: Sequence[str]) -> tuple[Contract, ...]:
    """Return the contracts that one of the patterns ``serve`` names and none of ``no_serve``.

    A pattern is a contract's name in which ``*`` stands for any text: ``disk/v1``, ``volume/*``,
    ``csi-proxy/*``, ``*/v1``.  No pattern in ``serve`` means every contract.  Raises
    :class:`InvalidArgument` for a pattern that names nothing (a misspelt one must not be silent) and when
    nothing is left.
    """
    wanted = _matching(serve) if serve else set(_BY_NAME)
    left = wanted - _matching(no_serve)
    if not left:
        raise InvalidArgument("no API version is left to serve: exclude less than what is served")
    return tuple(found for found in CONTRACTS if found.name in left)


def _matching(patterns: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        names = {name for name in _BY_NAME if fnmatchcase(name, pattern)}
        if not names:
            raise InvalidArgument(
                f'"{pattern}" names no API version: give one of {_names()}, or * for any part'
            )
        found |= names
    return found


def _names() -> str:
    return ", ".join(_BY_NAME)
