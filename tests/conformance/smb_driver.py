"""What csi-driver-smb does on a Windows node: its CSI calls as sequences of RPCs, in both generations.

Local steps of the driver (making a directory, reading a link) are done on the host, as the driver's container
does them through its mount of kubelet's directory.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# An RPC of a version with its fields; the reply's fields.
Call = Callable[[str, str, Mapping[str, object]], Mapping[str, object]]
PLUGIN, POD = 0, 1


@dataclass(frozen=True)
class Volume:
    r"""A volume: where it is staged and published (``c:\…``), its source and who may use it."""

    staging: str
    published: str
    source: str
    user: str
    password: str


class SmbDriver:
    """One generation of the driver; ``on_host`` says where a path of drive C: is."""

    def __init__(self, call: Call, on_host: Callable[[str], str], *, beta: bool) -> None:
        self._call = call
        self._on_host = on_host
        self._files, self._smb = (
            ("filesystem/v1beta1", "smb/v1beta1") if beta else ("filesystem/v1", "smb/v1")
        )
        self._beta = beta

    # --- the CSI calls

    def stage(self, volume: Volume) -> None:
        """NodeStageVolume."""
        if self._is_mounted(volume.staging):
            return
        os.makedirs(self._on_host(volume.staging), exist_ok=True)
        if self._exists(volume.staging):
            self._rmdir(volume.staging)
        parent = volume.staging.rpartition("\\")[0]
        if not self._exists(parent):
            self._call(self._files, "Mkdir", {"path": parent} | self._context(PLUGIN))
        self._call(
            self._smb,
            "NewSmbGlobalMapping",
            {
                "remote_path": volume.source.replace("/", "\\").removesuffix("\\"),
                "local_path": volume.staging,
                "username": volume.user,
                "password": volume.password,
            },
        )

    def publish(self, volume: Volume) -> None:
        """NodePublishVolume."""
        if self._is_mounted(volume.published):
            return
        os.makedirs(self._on_host(volume.published), exist_ok=True)
        if self._exists(volume.published):
            self._rmdir(volume.published)
        rpc = "LinkPath" if self._beta else "CreateSymlink"
        self._call(self._files, rpc, {"source_path": volume.staging, "target_path": volume.published})

    def unpublish(self, volume: Volume) -> None:
        """NodeUnpublishVolume."""
        self._rmdir(volume.published)

    def unstage(self, volume: Volume, target: str) -> None:
        """NodeUnstageVolume; ``target`` is where the staging link leads, "" when it cannot be read."""
        if target:
            self._call(self._smb, "RemoveSmbGlobalMapping", {"remote_path": target.removesuffix("\\")})
        self._rmdir(volume.staging)

    # --- its mounter

    def _is_mounted(self, path: str) -> bool:
        if not self._exists(path):
            return False
        question, answer = ("IsMountPoint", "is_mount_point") if self._beta else ("IsSymlink", "is_symlink")
        if not self._call(self._files, question, {"path": path}).get(answer):
            return False
        try:
            os.listdir(self._on_host(path))
        except OSError:
            self._rmdir(path)
            return False
        return True

    def _exists(self, path: str) -> bool:
        return bool(self._call(self._files, "PathExists", {"path": path} | self._context(POD)).get("exists"))

    def _rmdir(self, path: str) -> None:
        self._call(self._files, "Rmdir", {"path": path, "force": True} | self._context(POD))

    def _context(self, context: int) -> dict[str, object]:
        return {"context": context} if self._beta else {}
