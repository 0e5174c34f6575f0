"""How a workload may use a volume on Windows: what is honoured, and what is refused because it cannot be.

Nothing that a request asks for is passed over.  Windows has no mount options; a mount point or a link cannot
be read-only, so a volume is read-only only where the storage system has attached it so; a raw disk cannot be
given to a container.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from csiproxy.csi import v1_pb2
from csiproxy.errors import InvalidArgument

Mode = v1_pb2.VolumeCapability.AccessMode.Mode


class Kind(StrEnum):
    """What a volume is, as its context says under ``type``."""

    DISK = "disk"
    SMB = "smb"
    ISCSI = "iscsi"


_FILE_SYSTEMS: Final = {
    Kind.DISK: ("", "ntfs"),
    Kind.ISCSI: ("", "ntfs"),
    Kind.SMB: ("", "smb", "cifs"),
}
_READERS: Final = frozenset({Mode.SINGLE_NODE_READER_ONLY, Mode.MULTI_NODE_READER_ONLY})
_SHARED_WRITERS: Final = frozenset({Mode.MULTI_NODE_SINGLE_WRITER, Mode.MULTI_NODE_MULTI_WRITER})


@dataclass(frozen=True, slots=True)
class Use:
    """How a volume is used: the name of its access mode.  Equal uses are compatible."""

    mode: str

    @property
    def one_target(self) -> bool:
        """Whether one workload alone may have it."""
        return self.mode == Mode.Name(Mode.SINGLE_NODE_SINGLE_WRITER)


def read(capability: v1_pb2.VolumeCapability, kind: Kind, *, attached_read_only: bool) -> Use:
    """Read a capability; InvalidArgument for what this volume cannot do on Windows, with the reason."""
    mode = capability.access_mode.mode
    asked = capability.WhichOneof("access_type")
    if asked is None or mode == Mode.UNKNOWN:
        raise InvalidArgument("the volume capability needs an access type and an access mode")
    if mode not in Mode.values():
        raise InvalidArgument(f"there is no access mode {mode} in this version of CSI")
    if asked == "block":
        raise InvalidArgument(
            "a raw block volume cannot be given to a Windows container: use volumeMode Filesystem"
        )
    _check_mount(capability.mount, kind)
    if mode in _SHARED_WRITERS and kind is not Kind.SMB:
        raise InvalidArgument("one node at a time can write NTFS: ask for an access mode of one node")
    if mode in _READERS:
        demand_read_only(attached_read_only=attached_read_only)
    return Use(Mode.Name(mode))


def _check_mount(mount: v1_pb2.VolumeCapability.MountVolume, kind: Kind) -> None:
    if mount.fs_type.lower() not in _FILE_SYSTEMS[kind]:
        known = " or ".join(name for name in _FILE_SYSTEMS[kind] if name)
        fs_type = mount.fs_type[:32]
        raise InvalidArgument(f"a volume of type {kind} has no file system '{fs_type}': ask for {known}")
    if mount.mount_flags:  # not named: they may be sensitive
        raise InvalidArgument(
            f"Windows has no mount options, {len(mount.mount_flags)} are asked for: leave mountOptions out"
        )
    if mount.volume_mount_group:
        raise InvalidArgument("files on Windows have no group that owns them: leave fsGroup out")


def demand_read_only(*, attached_read_only: bool) -> None:
    """InvalidArgument when a volume is to be read-only and its storage system has not attached it so."""
    if not attached_read_only:
        raise InvalidArgument(
            "Windows cannot mount a volume read-only: have it attached read-only, or ask for write access"
        )
