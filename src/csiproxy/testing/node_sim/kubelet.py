r"""Kubelet's side of a volume on one node: find the driver, stage, publish, grow, and take it all back.

Paths are kubelet's on Windows (``C:\var\lib\kubelet\…``); kubelet makes the directories around a volume
itself and leaves ``vol_data.json`` beside each, as it does in a cluster.
"""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import Final, TypeVar

from google.protobuf.message import Message

from csiproxy.csi import address, v1_pb2
from csiproxy.csi.calling import Caller
from csiproxy.kubelet.csi_drivers import PLUGIN_TYPE, CsiDrivers
from csiproxy.kubelet.paths import Drive, join
from csiproxy.kubelet.watcher import PluginWatcher
from csiproxy.testing.node_sim.retrying import Backoff, Done, NotRegistered, call, capability

ROOT: Final = r"C:\var\lib\kubelet"
REGISTRY: Final = join(ROOT, "plugins_registry")
_DATA: Final = "vol_data.json"

R = TypeVar("R", bound=Message)


@dataclass(frozen=True, slots=True)
class Volume:
    """A PersistentVolume: its name, driver and handle, how it is used, and what the controller said of it."""

    name: str
    driver: str
    handle: str
    access_mode: str
    mount_options: tuple[str, ...]
    context: dict[str, str]
    size: int


def plugin_directory(driver: str) -> str:
    """Where a driver's own socket is."""
    return join(ROOT, "plugins", driver)


def staging_path(volume: Volume) -> str:
    """Where a volume is staged: named by its handle, which may hold any character."""
    digest = sha256(volume.handle.encode()).hexdigest()
    return join(ROOT, "plugins", "kubernetes.io", "csi", volume.driver, digest, "globalmount")


def target_path(pod_uid: str, volume: Volume) -> str:
    """Where a pod's volume is published."""
    return join(ROOT, "pods", pod_uid, "volumes", "kubernetes.io~csi", volume.name, "mount")


class Kubelet:
    """Kubelet on one node, whose drive C: is a directory of this machine."""

    def __init__(self, drive: Drive, backoff: Backoff) -> None:
        self._drive = drive
        self._backoff = backoff
        self._lock = Lock()
        self._drivers: CsiDrivers | None = None
        self._watcher: PluginWatcher | None = None
        self.start()

    # --- its life

    def start(self) -> None:
        """Watch for plugins, with nothing in memory."""
        drivers = CsiDrivers(self._dial)
        watcher = PluginWatcher(
            REGISTRY,
            self._drive,
            {PLUGIN_TYPE: drivers},
            first_pause=self._backoff.first * self._backoff.pace,
        )
        watcher.start()
        with self._lock:
            self._drivers, self._watcher = drivers, watcher

    def stop(self) -> None:
        """Forget everything; volumes stay as they are."""
        with self._lock:
            watcher, self._watcher, self._drivers = self._watcher, None, None
        if watcher is not None:
            watcher.stop()

    def registered(self, driver: str) -> str:
        """The id that a driver knows this node by; "" while it is not registered."""
        with self._lock:
            found = self._drivers.get(driver) if self._drivers else None
        return found.node_id if found else ""

    # --- volumes

    def stage(self, volume: Volume, publish_context: dict[str, str]) -> Done:
        """NodeStageVolume, in a directory that kubelet makes."""
        path = staging_path(volume)
        self._make(path)
        self._write_data(
            path.rpartition("\\")[0], {"driverName": volume.driver, "volumeHandle": volume.handle}
        )
        request = v1_pb2.NodeStageVolumeRequest(
            volume_id=volume.handle,
            publish_context=publish_context,
            staging_target_path=path,
            volume_capability=capability(volume.access_mode, volume.mount_options),
            volume_context=volume.context,
        )
        return self._call(volume, request, v1_pb2.NodeStageVolumeResponse)[1]

    def publish(
        self, volume: Volume, publish_context: dict[str, str], pod_uid: str, *, read_only: bool
    ) -> Done:
        """NodePublishVolume; kubelet makes the directory above the target, the driver the target."""
        path = target_path(pod_uid, volume)
        parent = path.rpartition("\\")[0]
        self._make(parent)
        self._write_data(parent, {"specVolID": volume.name, "volumeHandle": volume.handle})
        request = v1_pb2.NodePublishVolumeRequest(
            volume_id=volume.handle,
            publish_context=publish_context,
            staging_target_path=staging_path(volume),
            target_path=path,
            volume_capability=capability(volume.access_mode, volume.mount_options),
            readonly=read_only,
            volume_context=volume.context,
        )
        return self._call(volume, request, v1_pb2.NodePublishVolumeResponse)[1]

    def expand(self, volume: Volume, size: int, pod_uid: str) -> tuple[int, Done]:
        """NodeExpandVolume while the pod runs; what the volume has now."""
        request = v1_pb2.NodeExpandVolumeRequest(
            volume_id=volume.handle,
            volume_path=target_path(pod_uid, volume),
            staging_target_path=staging_path(volume),
            volume_capability=capability(volume.access_mode, volume.mount_options),
        )
        request.capacity_range.required_bytes = size
        reply, done = self._call(volume, request, v1_pb2.NodeExpandVolumeResponse)
        return reply.capacity_bytes, done

    def stats(self, volume: Volume, pod_uid: str) -> tuple[v1_pb2.NodeGetVolumeStatsResponse, Done]:
        """NodeGetVolumeStats, as kubelet asks for its metrics."""
        request = v1_pb2.NodeGetVolumeStatsRequest(
            volume_id=volume.handle, volume_path=target_path(pod_uid, volume)
        )
        return self._call(volume, request, v1_pb2.NodeGetVolumeStatsResponse)

    def unpublish(self, volume: Volume, pod_uid: str) -> Done:
        """NodeUnpublishVolume, and kubelet's own directories of it."""
        path = target_path(pod_uid, volume)
        request = v1_pb2.NodeUnpublishVolumeRequest(volume_id=volume.handle, target_path=path)
        done = self._call(volume, request, v1_pb2.NodeUnpublishVolumeResponse)[1]
        self._remove(path.rpartition("\\")[0])
        return done

    def unstage(self, volume: Volume) -> Done:
        """NodeUnstageVolume, and kubelet's own directories of it."""
        path = staging_path(volume)
        request = v1_pb2.NodeUnstageVolumeRequest(volume_id=volume.handle, staging_target_path=path)
        done = self._call(volume, request, v1_pb2.NodeUnstageVolumeResponse)[1]
        if os.path.lexists(self._drive.on_host(path)):
            os.rmdir(self._drive.on_host(path))  # it is empty: kubelet removes no volume's files
        self._remove(path.rpartition("\\")[0])
        return done

    # --- pieces

    def on_host(self, path: str) -> str:
        """Where a path of the node is on this machine, as its container runtime sees it."""
        return self._drive.on_host(path)

    def _call(self, volume: Volume, request: Message, reply: type[R]) -> tuple[R, Done]:
        return call(lambda: self._caller(volume.driver), request, reply, self._backoff)

    def _caller(self, driver: str) -> Caller:
        with self._lock:
            found = self._drivers.get(driver) if self._drivers else None
        if found is None or not found.node_id:
            raise NotRegistered(f"the driver {driver} is not registered")
        return self._dial(found.endpoint)

    def _dial(self, path: str) -> Caller:
        return Caller(address.channel(self._drive.on_host(path)), v1_pb2.DESCRIPTOR)

    def _make(self, path: str) -> None:
        os.makedirs(self._drive.on_host(path), exist_ok=True)

    def _write_data(self, directory: str, data: dict[str, str]) -> None:
        with open(os.path.join(self._drive.on_host(directory), _DATA), "w", encoding="utf-8") as file:
            json.dump(data, file)

    def _remove(self, directory: str) -> None:
        """Remove a directory of kubelet's own, which holds nothing but its note by now."""
        where = self._drive.on_host(directory)
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(where, _DATA))
        with suppress(FileNotFoundError):
            os.rmdir(where)
