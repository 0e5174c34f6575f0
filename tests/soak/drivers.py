"""What CSI drivers call, in several generations of the API; each call of kubelet's can be made again.

Unlike recordings of real drivers these cope with every lost reply: what is left of an earlier try is looked
at before anything is changed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.soak.client import Client, Refused

# Neither a mount point nor a link is there (4390), or nothing at all.
NOT_MOUNTED = ("NOT_FOUND", "FAILED_PRECONDITION")
MISSING_CODES, ALREADY_EXISTS = (2, 3), 183
PLUGIN, POD = 0, 1


class Find(Protocol):
    """How a driver is told which disk is meant: by its page-83 identifier, or by its LUN."""

    page83: str
    lun: int
    by_lun: bool


@dataclass(frozen=True)
class Dialect:
    """The names that a generation has for what v1 calls so: RPCs, fields of requests, fields of replies."""

    contracts: Mapping[str, str]
    rpcs: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    replies: Mapping[str, str] = field(default_factory=dict)
    textual: bool = False  # disks are named by text

    def call(self, client: Client, group: str, rpc: str, values: Mapping[str, object]) -> Any:
        names = self.fields.get(rpc, {})
        told = {
            names.get(name, name): str(value) if name == "disk_number" and self.textual else value
            for name, value in values.items()
        }
        return client(self.contracts[group], self.rpcs.get(rpc, rpc), **told)


_DISK = {"disk_number": "diskID"}
V1 = Dialect({"disk": "disk/v1", "volume": "volume/v1", "filesystem": "filesystem/v1"})
V2 = Dialect({"disk": "disk/v1", "volume": "volume/v2alpha1", "filesystem": "filesystem/v2alpha1"})
BETA = Dialect(
    {"disk": "disk/v1beta2", "volume": "volume/v1beta2", "filesystem": "filesystem/v1beta1"},
    rpcs={
        "SetDiskState": "SetAttachState",
        "GetDiskStats": "DiskStats",
        "UnmountVolume": "DismountVolume",
        "GetVolumeIDFromTargetPath": "GetVolumeIDFromMount",
        "GetVolumeStats": "VolumeStats",
        "CreateSymlink": "LinkPath",
        "IsSymlink": "IsMountPoint",
    },
    fields={
        "PartitionDisk": _DISK,
        "GetDiskStats": _DISK,
        "SetDiskState": {**_DISK, "is_online": "isOnline"},
        "ListVolumesOnDisk": {"disk_number": "disk_id"},
        "MountVolume": {"target_path": "path"},
        "UnmountVolume": {"target_path": "path"},
        "GetVolumeIDFromTargetPath": {"target_path": "mount"},
        "ResizeVolume": {"size_bytes": "size"},
    },
    replies={
        "is_symlink": "is_mount_point",
        "total_bytes": "volumeSize",
        "used_bytes": "volumeUsedSize",
        "disk_bytes": "diskSize",
    },
    textual=True,
)


@dataclass(frozen=True)
class Usage:
    """How large a volume is, and how much of it is used."""

    total: int
    used: int


class DiskDriver:
    """A driver of cloud disks, or of whatever becomes a disk by ``attach``."""

    def __init__(
        self,
        client: Client,
        dialect: Dialect,
        disk: Find,
        staging: str,
        published: str,
        attach: Callable[[], int] | None = None,
        detach: Callable[[], None] | None = None,
    ) -> None:
        self._client = client
        self._dialect = dialect
        self._disk = disk
        self._staging, self._published = staging, published
        self._attach, self._detach = attach, detach
        self._links = Links(lambda rpc, **values: self._do("filesystem", rpc, **values), dialect)

    def stage(self) -> str:
        """NodeStageVolume; the volume's id."""
        number = self._attach() if self._attach else self._find()
        self._do("disk", "PartitionDisk", disk_number=number)
        found = self._do("volume", "ListVolumesOnDisk", disk_number=number).volume_ids
        if len(found) != 1:
            raise Refused("ListVolumesOnDisk", "volumes", f"{len(found)} volumes on disk {number}")
        volume = found[0]
        if not self._do("volume", "IsVolumeFormatted", volume_id=volume).formatted:
            self._do("volume", "FormatVolume", volume_id=volume)
        self._do("filesystem", "Mkdir", path=self._staging.rpartition("\\")[0])
        if not self._do("filesystem", "PathExists", path=self._staging).exists:
            self._do("filesystem", "Mkdir", path=self._staging)
        self._do("volume", "MountVolume", volume_id=volume, target_path=self._staging)
        return volume

    def publish(self) -> None:
        """NodePublishVolume."""
        self._links.make(self._staging, self._published)

    def mounted(self) -> str:
        """The volume that the pod's path leads to."""
        path = {"target_path": self._published}
        return self._do("volume", "GetVolumeIDFromTargetPath", **path).volume_id

    def stats(self) -> Usage | None:
        """NodeGetVolumeStats."""
        found = self._do("volume", "GetVolumeStats", volume_id=self.mounted())
        return Usage(self._said(found, "total_bytes"), self._said(found, "used_bytes"))

    def grow(self, size: int) -> None:
        """NodeExpandVolume, after the disk has been made so large."""
        self._do("disk", "Rescan")
        self._do("volume", "ResizeVolume", volume_id=self.mounted(), size_bytes=size)

    def unpublish(self) -> None:
        """NodeUnpublishVolume."""
        self._do("filesystem", "Rmdir", path=self._published, force=True)

    def unstage(self) -> None:
        """NodeUnstageVolume; the disk is offline afterwards, or logged out of."""
        if self._do("filesystem", "PathExists", path=self._staging).exists:
            at = {"target_path": self._staging}
            try:
                volume = self._do("volume", "GetVolumeIDFromTargetPath", **at).volume_id
            except Refused as refused:
                if refused.status not in NOT_MOUNTED:
                    raise
            else:
                self._do("volume", "UnmountVolume", volume_id=volume, **at)
            self._do("filesystem", "Rmdir", path=self._staging, force=False)
        if self._detach:
            self._detach()
            return
        self._do("disk", "SetDiskState", disk_number=self._find(), is_online=False)

    def bring_online(self) -> None:
        """What an operator does about a disk that has gone offline."""
        self._client("disk/v1", "SetDiskState", disk_number=self._find(), is_online=True)

    def _find(self) -> int:
        if self._disk.by_lun:
            self._do("disk", "Rescan")
            places = self._do("disk", "ListDiskLocations").disk_locations
            found = [number for number, place in places.items() if str(self._disk.lun) == place.LUNID]
        else:
            ids = self._do("disk", "ListDiskIDs").diskIDs
            found = [
                number
                for number, named in ids.items()
                if (named.identifiers["page83"] if self._dialect.textual else named.page83)
                == self._disk.page83
            ]
        if not found:
            raise Refused("find", "NOT_FOUND", "the disk is not there (yet)")
        if len(found) > 1:
            raise Refused("find", "DATA_LOSS", f"disks {found} have the same name")
        return int(found[0])

    def _do(self, group: str, rpc: str, **values: object) -> Any:
        return self._dialect.call(self._client, group, rpc, values)

    def _said(self, reply: Any, name: str) -> Any:
        return getattr(reply, self._dialect.replies.get(name, name))


def make_directories(do: Callable[..., Any], path: str, context: int, levels: int) -> None:
    """The last ``levels`` parts of a path, with the service, which makes one directory at a time."""
    parts = path.split("\\")
    for end in range(len(parts) - levels + 1, len(parts) + 1):
        try:
            do("Mkdir", path="\\".join(parts[:end]), context=context)
        except Refused as refused:
            if refused.windows_code != ALREADY_EXISTS:
                raise


class Links:
    """Making a pod's link with the filesystem group."""

    def __init__(self, do: Callable[..., Any], dialect: Dialect) -> None:
        self._do = do
        self._dialect = dialect

    def make(self, staging: str, published: str) -> None:
        self._do("Mkdir", path=published.rpartition("\\")[0])
        if self._do("PathExists", path=published).exists:
            found = self._do("IsSymlink", path=published)
            if getattr(found, self._dialect.replies.get("is_symlink", "is_symlink")):
                return
            self._do("Rmdir", path=published, force=True)
        self._do("CreateSymlink", source_path=staging, target_path=published)


class ServiceDriver:
    """A driver that knows the KEP's own service alone."""

    CONTRACT = "csi-proxy/v1beta1"

    def __init__(
        self,
        client: Client,
        disk: Find,
        staging: str,
        published: str,
        attach: Callable[[], str] | None = None,
        detach: Callable[[], None] | None = None,
    ) -> None:
        self._client = client
        self._disk = disk
        self._staging, self._published = staging, published
        self._attach, self._detach = attach, detach
        self._volume = ""

    def stage(self) -> str:
        device = self._attach() if self._attach else self._find()
        self._volume = volume = self._do("PartitionDisk", disk_device=device, type=1).volume_device
        self._do("FormatVolume", volume_device=volume, type=0)  # keeps what is there
        make_directories(self._do, self._staging, PLUGIN, levels=2)
        self._do("MountVolume", volume_device=volume, target_path=self._staging)
        return volume

    def publish(self) -> None:
        make_directories(self._do, self._published.rpartition("\\")[0], POD, levels=3)
        self._do("LinkPath", source_path=self._published, target_path=self._staging)

    def mounted(self) -> str:
        """The service cannot tell; another driver on the node could."""
        at = {"target_path": self._published}
        return self._client("volume/v1", "GetVolumeIDFromTargetPath", **at).volume_id

    def stats(self) -> Usage | None:
        """The service has no such call."""
        return None

    def grow(self, size: int) -> None:
        self._do("Rescan")
        self._do("ResizeVolume", volume_device=self._volume, new_size=size)

    def unpublish(self) -> None:
        self._do("UnlinkPath", path=self._published)

    def unstage(self) -> None:
        self._do("DismountVolume", volume_device=self._volume)
        try:
            self._do("Rmdir", path=self._staging, context=PLUGIN)
        except Refused as refused:
            if refused.windows_code not in MISSING_CODES:
                raise
        if self._detach:
            self._detach()

    def bring_online(self) -> None:
        number = int(self._find().rpartition("PhysicalDrive")[2])
        self._client("disk/v1", "SetDiskState", disk_number=number, is_online=True)

    def _find(self) -> str:
        if self._disk.by_lun:
            self._do("Rescan")
            places = self._do("ListDiskLocations").disk_locations
            found = [device for device, place in places.items() if str(self._disk.lun) == place.LUNID]
        else:
            ids = self._do("ListDiskIDs").disk_id
            found = [
                device
                for device, named in ids.items()
                if any(one.endswith(self._disk.page83) for one in named.IDs)
            ]
        if not found:
            raise Refused("find", "NOT_FOUND", "the disk is not there (yet)")
        if len(found) > 1:
            raise Refused("find", "DATA_LOSS", f"disks {found} have the same name")
        return found[0]

    def _do(self, rpc: str, **values: object) -> Any:
        return self._client(self.CONTRACT, rpc, **values)
