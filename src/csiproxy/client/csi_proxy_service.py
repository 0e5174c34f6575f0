r"""CSIProxyService, the one service of KEP-1122: the same storage in Windows' own terms.

A disk is ``\\.\PhysicalDriveN``, a volume ``\\?\Volume{guid}\``.  The server says in each reply how the call
ended (``error_code``); here a failure is raised as for every other group, with that code as its
``windows_code``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from csiproxy.client.call import Asynchronous, Call, Rpc, Synchronous, nothing

if TYPE_CHECKING:
    from csiproxy.api.csi_proxy_service import v1beta1_pb2

_GROUP = "csi-proxy"


class PathContext(IntEnum):
    """Which of the two configured directories a path lies under."""

    PLUGIN = 0
    POD = 1


class PartitionType(IntEnum):
    """The partition table that a raw disk gets."""

    MBR = 0
    GPT = 1


class FileSystemType(IntEnum):
    """The file system that a raw volume gets; FAT is FAT32."""

    NTFS = 0
    FAT = 1


class IscsiAuthentication(IntEnum):
    """CHAP: none, the initiator proves itself, or both do."""

    NONE = 0
    ONE_WAY = 1
    MUTUAL = 2


@dataclass(frozen=True, slots=True)
class DeviceLocation:
    """Where a disk hangs: numbers, as text."""

    disk_device: str
    adapter: str
    bus: str
    target: str
    lun_id: str


@dataclass(frozen=True, slots=True)
class DeviceIds:
    """Every identifier of a disk, with its kind in front (``naa.``, ``eui.``, ``t10.``, ``serial.``)."""

    disk_device: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeviceVolumes:
    """The volumes on a disk, by their place on it."""

    disk_device: str
    volume_devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chap:
    """A CHAP user and its secret."""

    username: str = ""
    secret: str = ""

    def __repr__(self) -> str:
        return f"Chap(username={self.username!r}, secret='***')"


class CsiProxyServiceCalls:
    """The calls.  All are safe to repeat."""

    @Rpc
    def path_exists(self, path: str) -> Call[bool]:
        """Whether something is at a path under either directory; a link without a target is."""
        return Call(_GROUP, "PathExists", _exists, {"path": path})

    @Rpc
    def mkdir(self, path: str, context: PathContext) -> Call[None]:
        """Make one directory.  AlreadyExists (183), NotFound (3: no parent)."""
        return Call(_GROUP, "Mkdir", nothing, {"path": path, "context": int(context)})

    @Rpc
    def rmdir(self, path: str, context: PathContext) -> Call[None]:
        """Remove an empty directory, no link.  NotFound (2), FailedPrecondition (145: not empty)."""
        return Call(_GROUP, "Rmdir", nothing, {"path": path, "context": int(context)})

    @Rpc
    def rescan(self) -> Call[None]:
        """Have Windows look for disks, and sizes of disks, that changed."""
        return Call(_GROUP, "Rescan", nothing)

    @Rpc
    def partition_disk(self, disk_device: str, table: PartitionType = PartitionType.GPT) -> Call[str]:
        """Bring a disk online and give a raw one a partition; its volume at the lowest offset.  NotFound."""
        fields = {"disk_device": disk_device, "type": int(table)}
        return Call(_GROUP, "PartitionDisk", _volume_device, fields)

    @Rpc
    def format_volume(
        self, volume_device: str, file_system: FileSystemType = FileSystemType.NTFS
    ) -> Call[None]:
        """Format a raw volume; that file system there already is success, another AlreadyExists (183)."""
        return Call(
            _GROUP, "FormatVolume", nothing, {"volume_device": volume_device, "type": int(file_system)}
        )

    @Rpc
    def mount_volume(self, volume_device: str, target_path: str, *, readonly: bool = False) -> Call[None]:
        """Mount a volume at an empty directory under the plugins directory.  NotFound, FailedPrecondition."""
        fields = {"volume_device": volume_device, "target_path": target_path, "readonly": readonly}
        return Call(_GROUP, "MountVolume", nothing, fields)

    @Rpc
    def dismount_volume(self, volume_device: str) -> Call[None]:
        """Flush a volume and remove its mount points under both directories."""
        return Call(_GROUP, "DismountVolume", nothing, {"volume_device": volume_device})

    @Rpc
    def resize_volume(self, volume_device: str, new_size: int = 0) -> Call[None]:
        """Grow a volume to at least so many bytes, 0 being all there is; never shrinks."""
        return Call(_GROUP, "ResizeVolume", nothing, {"volume_device": volume_device, "new_size": new_size})

    @Rpc
    def link_path(self, *, source_path: str, target_path: str) -> Call[None]:
        """Make the link ``source_path`` under the pods directory, which leads to ``target_path``."""
        return Call(_GROUP, "LinkPath", nothing, {"source_path": source_path, "target_path": target_path})

    @Rpc
    def unlink_path(self, path: str) -> Call[None]:
        """Remove a link that :meth:`link_path` made, never its target; nothing there is success."""
        return Call(_GROUP, "UnlinkPath", nothing, {"path": path})

    @Rpc
    def mount_smb_share(
        self,
        remote_share: str,
        host_path: str,
        *,
        username: str = "",
        password: str = "",
        readonly: bool = False,
    ) -> Call[None]:
        """Map a share for the node and let an empty directory become a link to it."""
        fields = {
            "remote_share": remote_share,
            "host_path": host_path,
            "readonly": readonly,
            "username": username,
            "password": password,
        }
        return Call(_GROUP, "MountSMBShare", nothing, fields)

    @Rpc
    def unmount_smb_share(self, host_path: str) -> Call[None]:
        """Remove the link to a share and, with its last link, the mapping."""
        return Call(_GROUP, "UnmountSMBShare", nothing, {"host_path": host_path})

    @Rpc
    def mount_iscsi_lun(
        self,
        node_iqn: str,
        target_portal_address: str,
        target_portal_port: int = 0,
        *,
        lun: int = 0,
        auth_type: IscsiAuthentication = IscsiAuthentication.NONE,
        discovery: Chap = Chap(),
        login: Chap = Chap(),
        initiator_chap_secret: str = "",
        readonly: bool = False,
    ) -> Call[str]:
        """Discover a target, log in, and give the device of the LUN's disk."""
        fields = {
            "node_iqn": node_iqn,
            "auth_type": int(auth_type),
            "discovery_chap_username": discovery.username,
            "discovery_chap_secret": discovery.secret,
            "session_chap_username": login.username,
            "session_chap_secret": login.secret,
            "target_portal_address": target_portal_address,
            "target_portal_port": target_portal_port,
            "initiator_chap_secret": initiator_chap_secret,
            "lun": lun,
            "readonly": readonly,
        }
        return Call(_GROUP, "MountISCSILun", _disk_device, fields)

    @Rpc
    def unmount_iscsi_lun(self, node_iqn: str) -> Call[None]:
        """Log out of a target; not connected is success.  FailedPrecondition (2404): a volume is mounted."""
        return Call(_GROUP, "UnmountISCSILun", nothing, {"node_iqn": node_iqn})

    @Rpc
    def list_disk_locations(self) -> Call[tuple[DeviceLocation, ...]]:
        """Where each disk hangs."""
        return Call(_GROUP, "ListDiskLocations", _locations)

    @Rpc
    def list_disk_ids(self) -> Call[tuple[DeviceIds, ...]]:
        """What names each disk; a disk that cannot be asked is left out."""
        return Call(_GROUP, "ListDiskIDs", _ids)

    @Rpc
    def list_disk_volume_mappings(self) -> Call[tuple[DeviceVolumes, ...]]:
        """Which volumes are on each disk; of v1alpha1 the first of each disk."""
        return Call(_GROUP, "ListDiskVolumeMappings", _volumes)


class CsiProxyService(CsiProxyServiceCalls, Synchronous):
    """A node's storage in Windows' terms."""


class AsyncCsiProxyService(CsiProxyServiceCalls, Asynchronous):
    """A node's storage in Windows' terms, for asyncio."""


def _exists(reply: v1beta1_pb2.PathExistsResponse) -> bool:
    return reply.exists


def _volume_device(reply: v1beta1_pb2.PartitionDiskResponse) -> str:
    return reply.volume_device


def _disk_device(reply: v1beta1_pb2.MountISCSILunResponse) -> str:
    return reply.disk_device


def _locations(reply: v1beta1_pb2.ListDiskLocationsResponse) -> tuple[DeviceLocation, ...]:
    return tuple(
        DeviceLocation(device, at.Adapter, at.Bus, at.Target, at.LUNID)
        for device, at in sorted(reply.disk_locations.items())
    )


def _ids(reply: v1beta1_pb2.ListDiskIDsResponse) -> tuple[DeviceIds, ...]:
    return tuple(DeviceIds(device, tuple(found.IDs)) for device, found in sorted(reply.disk_id.items()))


def _volumes(reply: v1beta1_pb2.ListDiskVolumeMappingsResponse) -> tuple[DeviceVolumes, ...]:
    return tuple(
        DeviceVolumes(device, tuple(found.volume_devices))
        for device, found in sorted(reply.disk_volumes.items())
    )
