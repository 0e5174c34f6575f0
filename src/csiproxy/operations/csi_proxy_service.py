r"""CSIProxyService, the KEP's own contract: the groups' operations under its rules and with its codes.

It names disks ``\\.\PhysicalDriveN`` and volumes by their device, and knows two prefixes, PLUGIN and POD.
Every failure's ``windows_code`` is what the client gets as ``error_code``.  (The call's own context is the
parameter ``call`` here: the wire has a field named context.)
"""

import re
from dataclasses import dataclass
from enum import IntEnum

from csiproxy.errors import AlreadyExists, FailedPrecondition, InvalidArgument, Win32Error, WindowsCode
from csiproxy.host.win32 import (
    Association,
    CodeSet,
    Entry,
    EntryKind,
    IdentifierType,
    StorageDevice,
    StorageIdentifier,
)
from csiproxy.operations.context import Context
from csiproxy.operations.disk import DiskGroup, DiskLocation
from csiproxy.operations.filesystem import PathExists, require_linkable
from csiproxy.operations.iscsi import (
    AuthenticationType,
    TargetPortal,
    checked_login,
    checked_name,
    checked_portal,
)
from csiproxy.operations.iscsi_lun import IscsiLuns
from csiproxy.operations.paths import Confinement, acting, shown
from csiproxy.operations.secret import Secret
from csiproxy.operations.smb import Share, SmbGroup, parse_credential, parse_share
from csiproxy.operations.volume import VolumeGroup, parse_volume_id
from csiproxy.storage import Storage
from csiproxy.storage.disk import PartitionStyle
from csiproxy.storage.namespace import ConfinedPath
from csiproxy.storage.share_links import share_of
from csiproxy.storage.volume import FileSystem, Volume

_DRIVE = re.compile(r"\\\\\.\\PhysicalDrive(0|[1-9][0-9]{0,9})", re.IGNORECASE)
_MAX_NUMBER = 0xFFFF_FFFF


class PathContext(IntEnum):
    """Which prefix a path lies under."""

    PLUGIN = 0
    POD = 1


class PartitionType(IntEnum):
    """The partition table of a raw disk."""

    MBR = 0
    GPT = 1


class FileSystemType(IntEnum):
    """The file system of a raw volume; FAT is FAT32."""

    NTFS = 0
    FAT = 1


_STYLES = {PartitionType.MBR: PartitionStyle.MBR, PartitionType.GPT: PartitionStyle.GPT}
_FILE_SYSTEMS = {FileSystemType.NTFS: FileSystem.NTFS, FileSystemType.FAT: FileSystem.FAT32}


@dataclass(frozen=True, slots=True)
class PartitionDisk:
    """The device of the disk's volume at the lowest offset."""

    volume_device: str


@dataclass(frozen=True, slots=True)
class ListDiskLocations:
    """Locations by disk device."""

    disk_locations: dict[str, DiskLocation]


@dataclass(frozen=True, slots=True)
class DiskIds:
    """Every identifier of a disk, with its kind in front (``naa.``, ``eui.``, ``t10.``, ``serial.``)."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListDiskIds:
    """Identifiers by disk device."""

    disk_id: dict[str, DiskIds]


@dataclass(frozen=True, slots=True)
class VolumeDevices:
    """The volumes of a disk, by offset."""

    volume_devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListDiskVolumeMappings:
    """Volumes by disk device."""

    disk_volumes: dict[str, VolumeDevices]


@dataclass(frozen=True, slots=True)
class MountIscsiLun:
    """The device of the LUN's disk."""

    disk_device: str


def parse_disk_device(text: str) -> int:
    r"""The number in ``\\.\PhysicalDriveN``, or InvalidArgument."""
    match = _DRIVE.fullmatch(text)
    if not match or int(match[1]) > _MAX_NUMBER:
        raise InvalidArgument(rf"{shown(text)} is not a disk device of the form \\.\PhysicalDriveN")
    return int(match[1])


def disk_device(number: int) -> str:
    """What a disk is called on the wire."""
    return rf"\\.\PhysicalDrive{number}"


class CsiProxyService:
    """The RPCs of the newest CSIProxyService, and of v1alpha1 where they mean something else."""

    def __init__(
        self,
        storage: Storage,
        disks: DiskGroup,
        volumes: VolumeGroup,
        luns: IscsiLuns,
        shares: SmbGroup,
        *,
        plugins: Confinement,
        pods: Confinement,
        either: Confinement,
    ) -> None:
        self._namespace = storage.namespace
        self._disks = disks
        self._volumes = volumes
        self._luns = luns
        self._shares = shares
        self._either = either
        self._prefixes = {PathContext.PLUGIN: plugins, PathContext.POD: pods}

    # --- paths ---------------------------------------------------------------------------------------

    def path_exists(self, call: Context, *, path: str) -> PathExists:
        """Whether there is an entry under either prefix; a dangling link exists."""
        confined = self._either.confine(path)
        with acting(call, f"look for {confined}"):
            return PathExists(self._namespace.find(confined) is not None)

    def mkdir(self, call: Context, *, path: str, context: PathContext) -> None:
        """Make one directory; an existing one is 183, a missing parent 3."""
        confined = self._prefixes[context].confine(path)
        if not confined.names:
            raise AlreadyExists(f"{confined} is the configured prefix and exists already")
        with acting(call, f"make directory {confined}"):
            self._namespace.make_directory(confined)

    def rmdir(self, call: Context, *, path: str, context: PathContext) -> None:
        """Remove an empty, real directory; a link or mount point is 4395."""
        confined = self._prefixes[context].confine_change(path)
        with acting(call, f"remove directory {confined}"):
            self._namespace.remove_directory(confined)

    def rmdir_or_unlink(self, call: Context, *, path: str, context: PathContext) -> None:
        """v1alpha1's Rmdir: also unlinks what LinkPath or MountSMBShare made, never what it leads to."""
        confined = self._prefixes[context].confine_change(path)
        with acting(call, f"remove {confined}"):
            entry = self._namespace.find(confined)
            if entry is None or not entry.kind.is_link:
                self._namespace.remove_directory(confined)
            elif context is PathContext.POD or share_of(entry.target):
                self._remove_link(call, confined, entry)
            else:
                self._namespace.remove_link(confined, lambda _: False)

    def _remove_link(self, call: Context, link: ConfinedPath, entry: Entry) -> None:
        """Remove a link that was seen; the mapping of a share goes with its last one."""
        with self._shares.leaving(call, link, entry.target, for_good=True):
            self._namespace.remove_link(link, lambda target: target == entry.target)

    def link_path(self, call: Context, *, source_path: str, target_path: str) -> None:
        """Make the link ``source_path`` under the pod prefix to ``target_path`` under the plugins prefix."""
        link = self._prefixes[PathContext.POD].confine_change(source_path)
        target = self._prefixes[PathContext.PLUGIN].confine(target_path)
        with acting(call, f"link {link} to {target}"):
            require_linkable(self._namespace, target)
            self._namespace.link(link, str(target), replace_empty=True)

    def unlink_path(self, call: Context, *, path: str) -> None:
        """Remove a link under the pod prefix, never its target; a missing one is success."""
        confined = self._prefixes[PathContext.POD].confine_change(path)
        with acting(call, f"unlink {confined}"):
            entry = self._namespace.find(confined)
            if entry is not None and entry.kind.is_link:
                self._remove_link(call, confined, entry)
            else:
                self._namespace.remove_link(confined, lambda _: False)

    # --- disks ---------------------------------------------------------------------------------------

    def rescan(self, call: Context) -> None:
        """Refresh the host's view of its disks."""
        self._disks.rescan(call)

    def partition_disk(self, call: Context, *, disk_device: str, type: PartitionType) -> PartitionDisk:
        """Initialise and partition a raw disk; a partitioned one is left alone, whatever its table."""
        volume = self._disks.prepare(call, parse_disk_device(disk_device), _STYLES[type])
        return PartitionDisk(volume.id)

    def list_disk_locations(self, call: Context) -> ListDiskLocations:
        """Where the disks hang."""
        found = self._disks.list_disk_locations(call).disk_locations
        return ListDiskLocations({disk_device(number): at for number, at in found.items()})

    def list_disk_ids(self, call: Context) -> ListDiskIds:
        """What names the disks; one that cannot be asked is left out and noted."""
        return ListDiskIds(
            {
                disk_device(disk.number): DiskIds(identifier_texts(device, disk.serial_number))
                for disk, device in self._disks.devices(call)
            }
        )

    def list_disk_volume_mappings(self, call: Context) -> ListDiskVolumeMappings:
        """Which volumes are on which disk; a disk without one is left out."""
        found = {disk.number: self._disks.volumes_of(disk.number) for disk, _ in self._disks.devices(call)}
        return ListDiskVolumeMappings(
            {
                disk_device(number): VolumeDevices(tuple(volume.id for volume in volumes))
                for number, volumes in found.items()
                if volumes
            }
        )

    # --- volumes -------------------------------------------------------------------------------------

    def format_volume(self, call: Context, *, volume_device: str, type: FileSystemType) -> None:
        """Format a raw volume; the same file system there already is success, another 183."""
        wanted = _FILE_SYSTEMS[type]

        def keep(volume: Volume) -> bool:
            if volume.file_system.upper() != wanted.value:
                raise AlreadyExists(
                    f"volume {volume.id} holds {volume.file_system or 'another file system'} already"
                )
            return False

        self._volumes.format(call, parse_volume_id(volume_device), wanted, keep)

    def format_volume_and_mount(
        self,
        call: Context,
        *,
        volume_device: str,
        type: FileSystemType,
        staging_path: str,
    ) -> None:
        """v1alpha1's FormatVolume: also mounts at the staging path, when one is given."""
        path = self._prefixes[PathContext.PLUGIN].confine_change(staging_path) if staging_path else None
        self.format_volume(call, volume_device=volume_device, type=type)
        if path is not None:
            self._volumes.mount(call, parse_volume_id(volume_device), path)

    def mount_volume(self, call: Context, *, volume_device: str, target_path: str, readonly: bool) -> None:
        """Mount a volume at an empty directory under the plugins prefix; there already is success."""
        path = self._prefixes[PathContext.PLUGIN].confine_change(target_path)
        if readonly:
            raise FailedPrecondition(
                "Windows has no read-only mount point; publish the volume read-only instead"
            )
        self._volumes.mount(call, parse_volume_id(volume_device), path)

    def resize_volume(self, call: Context, *, volume_device: str, new_size: int) -> None:
        """Grow a volume to at least ``new_size`` bytes."""
        self._volumes.resize(call, parse_volume_id(volume_device), new_size)

    def dismount_volume(self, call: Context, *, volume_device: str) -> None:
        """Flush a volume and remove its mount points under both prefixes."""
        self._volumes.dismount(call, parse_volume_id(volume_device), self._either)

    # --- iSCSI ---------------------------------------------------------------------------------------

    def mount_iscsi_lun(
        self,
        call: Context,
        *,
        node_iqn: str,
        auth_type: AuthenticationType,
        discovery_chap_username: str,
        discovery_chap_secret: Secret,
        session_chap_username: str,
        session_chap_secret: Secret,
        target_portal_address: str,
        readonly: bool,
        target_portal_port: int,
        initiator_chap_secret: Secret,
        lun: int,
    ) -> MountIscsiLun:
        """Discover a target, log in unless it is connected, and return the device of the LUN's disk."""
        asks = bool(discovery_chap_username or discovery_chap_secret)
        one_way = AuthenticationType.ONE_WAY_CHAP if asks else AuthenticationType.NONE
        number = self._luns.mount(
            call,
            checked_portal(TargetPortal(target_portal_address, target_portal_port)),
            checked_name(node_iqn),
            lun,
            discovery=checked_login(one_way, discovery_chap_username, discovery_chap_secret),
            login=checked_login(auth_type, session_chap_username, session_chap_secret),
            initiator_secret=initiator_chap_secret,
            read_only=readonly,
        )
        return MountIscsiLun(disk_device(number))

    def unmount_iscsi_lun(self, call: Context, *, node_iqn: str) -> None:
        """Log out of a target, which no mounted volume may be on; not connected is success."""
        self._luns.unmount(call, checked_name(node_iqn))

    # --- shares --------------------------------------------------------------------------------------

    def mount_smb_share(
        self,
        call: Context,
        *,
        remote_share: str,
        host_path: str,
        readonly: bool,
        username: str,
        password: Secret,
    ) -> None:
        """Map a share and let an empty directory under the plugins prefix become a link to it."""
        path = self._prefixes[PathContext.PLUGIN].confine_change(host_path)
        share = parse_share(remote_share, whole=True)
        credential = parse_credential(username, password)
        if readonly:
            raise FailedPrecondition(
                "a global mapping is never read-only; give a user who may only read, or publish it read-only"
            )
        with acting(call, f"mount {share.root} at {path}"):
            self._require_room(path, share)
        self._shares.mount(call, share, credential, path)

    def _require_room(self, path: ConfinedPath, share: Share) -> None:
        """There must be an empty directory, or the link to this share that an earlier call made."""
        entry = self._namespace.entry(path)
        if share_of(entry.target) == share.root:
            return
        if entry.kind is EntryKind.MOUNT_POINT or share_of(entry.target):
            raise Win32Error(WindowsCode.DIR_NOT_EMPTY, "mount", f"{entry.target} is mounted there")
        if not self._namespace.is_empty(path):
            raise Win32Error(WindowsCode.DIR_NOT_EMPTY, "mount")

    def unmount_smb_share(self, call: Context, *, host_path: str) -> None:
        """Remove the link to a share and, with its last one, the mapping; a link that has gone is success."""
        path = self._prefixes[PathContext.PLUGIN].confine_change(host_path)
        with acting(call, f"unmount the share at {path}"):
            entry = self._namespace.find(path)
            if entry is not None and share_of(entry.target):
                self._remove_link(call, path, entry)
            else:
                self._namespace.remove_link(path, lambda _: False)


# The kind of a descriptor as the field writes it; a SCSI name string says its kind itself.
_KINDS = {IdentifierType.VENDOR_ID: "t10.", IdentifierType.EUI64: "eui.", IdentifierType.FCPH_NAME: "naa."}


def identifier_texts(device: StorageDevice, serial_number: str) -> tuple[str, ...]:
    """Every identifier of the device with its kind, vendor-specific ones raw, then the serial number."""
    found = [
        _identifier_text(descriptor)
        for descriptor in device.identifiers
        if descriptor.association is Association.DEVICE and descriptor.identifier
    ]
    serial = serial_number.strip()
    return tuple(found + ([f"serial.{serial}"] if serial else []))


def _identifier_text(descriptor: StorageIdentifier) -> str:
    kind = _KINDS.get(descriptor.type, "")
    if descriptor.code_set in (CodeSet.ASCII, CodeSet.UTF8):
        text = descriptor.identifier.decode("utf-8", "replace")
    else:
        text = descriptor.identifier.hex()
    return text if text.lower().startswith(kind) else kind + text
