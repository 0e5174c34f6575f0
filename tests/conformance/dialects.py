"""How each version of a group says the same thing.

Written down from the published .proto files, not from the program's own version table: names of RPCs and
fields, and whether a disk is a number or its text.
"""

from collections.abc import Callable
from typing import Any

from tests.conformance.wire import Client, Refusal

Say = Callable[..., Any]

DISK = {
    "v1alpha1": {"number": "diskID"},
    "v1beta1": {"number": "diskID", "stats": ("DiskStats", "diskSize")},
    "v1beta2": {
        "number": "diskID",
        "stats": ("DiskStats", "diskSize"),
        "state": ("SetAttachState", "GetAttachState", "isOnline"),
    },
    "v1beta3": {
        "number": "disk_number",
        "stats": ("GetDiskStats", "total_bytes"),
        "state": ("SetDiskState", "GetDiskState", "is_online"),
    },
    "v1": {
        "number": "disk_number",
        "stats": ("GetDiskStats", "total_bytes"),
        "state": ("SetDiskState", "GetDiskState", "is_online"),
    },
}

FILESYSTEM = {
    "v1alpha1": {"context": 1, "link": "LinkPath", "is_link": ("IsMountPoint", "is_mount_point")},
    "v1beta1": {"context": 1, "link": "LinkPath", "is_link": ("IsMountPoint", "is_mount_point")},
    "v1beta2": {"link": "CreateSymlink", "is_link": ("IsSymlink", "is_symlink")},
    "v1": {"link": "CreateSymlink", "is_link": ("IsSymlink", "is_symlink")},
    "v2alpha1": {
        "link": "CreateSymlink",
        "is_link": ("IsSymlink", "is_symlink"),
        "contents": "RmdirContents",
    },
}

_OLD_VOLUME = {"disk": "disk_id", "path": "path", "unmount": "DismountVolume", "size": "size"}
_MIDDLE_VOLUME = {
    **_OLD_VOLUME,
    "stats": ("VolumeStats", "volumeSize", "volumeUsedSize"),
    "disk_of": ("GetVolumeDiskNumber", "diskNumber"),
    "behind": ("GetVolumeIDFromMount", "mount"),
}
_NEW_VOLUME = {
    "disk": "disk_number",
    "path": "target_path",
    "unmount": "UnmountVolume",
    "size": "size_bytes",
    "stats": ("GetVolumeStats", "total_bytes", "used_bytes"),
    "disk_of": ("GetDiskNumberFromVolumeID", "disk_number"),
    "behind": ("GetVolumeIDFromTargetPath", "target_path"),
    "flush": "WriteVolumeCache",
}
VOLUME = {
    "v1alpha1": _OLD_VOLUME,
    "v1beta1": _MIDDLE_VOLUME,
    "v1beta2": {**_MIDDLE_VOLUME, "flush": "WriteVolumeCache"},
    "v1beta3": _NEW_VOLUME,
    "v1": _NEW_VOLUME,
    "v2alpha1": {**_NEW_VOLUME, "closest": "GetClosestVolumeIDFromTargetPath"},
}


class Disk:
    """The disk group of one version."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.words: dict[str, Any] = DISK[client.api.version]
        self.is_text = self.words["number"] == "diskID"

    def has(self, what: str) -> bool:
        return what in self.words

    def key(self, number: int) -> Any:
        return str(number) if self.is_text else number

    def named(self, number: int | str) -> dict[str, Any]:
        return {self.words["number"]: self.key(number) if isinstance(number, int) else number}

    def partition(self, number: int | str, say: Say | None = None) -> Any:
        return (say or self.client)("PartitionDisk", **self.named(number))

    def size(self, number: int | str, say: Say | None = None) -> Any:
        rpc, field = self.words["stats"]
        reply = (say or self.client)(rpc, **self.named(number))
        return reply if isinstance(reply, Refusal) else getattr(reply, field)

    def switch(self, number: int | str, online: bool, say: Say | None = None) -> Any:
        rpc, _, field = self.words["state"]
        return (say or self.client)(rpc, **self.named(number), **{field: online})

    def is_online(self, number: int | str, say: Say | None = None) -> Any:
        _, rpc, field = self.words["state"]
        reply = (say or self.client)(rpc, **self.named(number))
        return reply if isinstance(reply, Refusal) else getattr(reply, field)

    def page83(self, number: int) -> str:
        ids = self.client("ListDiskIDs").diskIDs[self.key(number)]
        return ids.identifiers["page83"] if self.is_text else ids.page83

    def serial(self, number: int) -> str:
        ids = self.client("ListDiskIDs").diskIDs[self.key(number)]
        return ids.identifiers["serialNumber"] if self.is_text else ids.serial_number


class Filesystem:
    """The filesystem group of one version.  ``error`` fields of old replies must stay empty."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.words: dict[str, Any] = FILESYSTEM[client.api.version]

    def has(self, what: str) -> bool:
        return what in self.words

    def _context(self) -> dict[str, int]:
        return {"context": self.words["context"]} if "context" in self.words else {}

    @staticmethod
    def _silent(reply: Any) -> Any:
        if not isinstance(reply, Refusal):
            assert getattr(reply, "error", "") == ""
        return reply

    def exists(self, path: str, say: Say | None = None) -> Any:
        reply = self._silent((say or self.client)("PathExists", path=path, **self._context()))
        return reply if isinstance(reply, Refusal) else reply.exists

    def mkdir(self, path: str, say: Say | None = None) -> Any:
        return self._silent((say or self.client)("Mkdir", path=path, **self._context()))

    def rmdir(self, path: str, *, force: bool = False, say: Say | None = None) -> Any:
        return self._silent((say or self.client)("Rmdir", path=path, force=force, **self._context()))

    def link(self, source: str, target: str, say: Say | None = None) -> Any:
        return self._silent((say or self.client)(self.words["link"], source_path=source, target_path=target))

    def is_link(self, path: str, say: Say | None = None) -> Any:
        rpc, field = self.words["is_link"]
        reply = self._silent((say or self.client)(rpc, path=path))
        return reply if isinstance(reply, Refusal) else getattr(reply, field)

    def empty(self, path: str, say: Say | None = None) -> Any:
        return (say or self.client)(self.words["contents"], path=path)


class Volume:
    """The volume group of one version."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.words: dict[str, Any] = VOLUME[client.api.version]

    def has(self, what: str) -> bool:
        return what in self.words

    def on_disk(self, number: int) -> list[str]:
        named = str(number) if self.words["disk"] == "disk_id" else number
        return list(self.client("ListVolumesOnDisk", **{self.words["disk"]: named}).volume_ids)

    def is_formatted(self, volume: str, say: Say | None = None) -> Any:
        reply = (say or self.client)("IsVolumeFormatted", volume_id=volume)
        return reply if isinstance(reply, Refusal) else reply.formatted

    def format(self, volume: str, say: Say | None = None) -> Any:
        return (say or self.client)("FormatVolume", volume_id=volume)

    def mount(self, volume: str, path: str, say: Say | None = None) -> Any:
        return (say or self.client)("MountVolume", volume_id=volume, **{self.words["path"]: path})

    def unmount(self, volume: str, path: str, say: Say | None = None) -> Any:
        return (say or self.client)(self.words["unmount"], volume_id=volume, **{self.words["path"]: path})

    def resize(self, volume: str, size: int, say: Say | None = None) -> Any:
        return (say or self.client)("ResizeVolume", volume_id=volume, **{self.words["size"]: size})

    def stats(self, volume: str, say: Say | None = None) -> Any:
        rpc, total, used = self.words["stats"]
        reply = (say or self.client)(rpc, volume_id=volume)
        return reply if isinstance(reply, Refusal) else (getattr(reply, total), getattr(reply, used))

    def disk_of(self, volume: str) -> int:
        rpc, field = self.words["disk_of"]
        return getattr(self.client(rpc, volume_id=volume), field)

    def behind(self, path: str, say: Say | None = None) -> Any:
        rpc, field = self.words["behind"]
        reply = (say or self.client)(rpc, **{field: path})
        return reply if isinstance(reply, Refusal) else reply.volume_id

    def closest(self, path: str) -> str:
        return self.client(self.words["closest"], target_path=path).volume_id

    def flush(self, volume: str) -> None:
        self.client(self.words["flush"], volume_id=volume)
