"""A driver with two emulated nodes, and what a container orchestrator does around it."""

import os
from pathlib import Path
from typing import Any

from tests.csi_conformance.client import MIB, Csi, Mode, mounted
from tests.testing.csi_driver.ground import Driver

from csiproxy.csi import v1_pb2

KUBELET = r"C:\var\lib\kubelet"


class Bed:
    """The driver, a caller, and paths as kubelet makes them."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.nodes = driver.nodes
        self.csi = Csi(driver.socket)

    def close(self) -> None:
        self.csi.close()

    def log(self) -> str:
        """What the driver has said."""
        return (self.driver.directory / "driver.log").read_text()

    def host(self, path: str) -> Path:
        """Where a path of the first node is on this machine."""
        return self.nodes[0].path(path)

    # --- what the orchestrator makes

    def name(self) -> str:
        return f"pvc-{os.urandom(8).hex()}"

    def staging(self, volume: str) -> str:
        path = rf"{KUBELET}\plugins\kubernetes.io\csi\d\{volume}\globalmount"
        os.makedirs(self.host(path), exist_ok=True)
        return path

    def target(self, volume: str, pod: str = "pod") -> str:
        path = rf"{KUBELET}\pods\{pod}\volumes\kubernetes.io~csi\{volume}\mount"
        os.makedirs(self.host(path).parent, exist_ok=True)
        return path

    # --- requests that are right

    def create(self, name: str = "", required: int = 64 * MIB, limit: int = 0, **fields: Any) -> Any:
        fields.setdefault("volume_capabilities", [mounted()])
        request = v1_pb2.CreateVolumeRequest(name=name or self.name(), **fields)
        request.capacity_range.required_bytes = required
        request.capacity_range.limit_bytes = limit
        return request

    def attach(
        self, volume: str, node: str = "node-1", mode: int = Mode.SINGLE_NODE_WRITER, **fields: Any
    ) -> Any:
        fields.setdefault("volume_capability", mounted(mode))
        return v1_pb2.ControllerPublishVolumeRequest(volume_id=volume, node_id=node, **fields)

    def stage(self, volume: "Provisioned", **fields: Any) -> Any:
        fields.setdefault("staging_target_path", self.staging(volume.id))
        fields.setdefault("volume_capability", mounted(volume.mode))
        return v1_pb2.NodeStageVolumeRequest(
            volume_id=volume.id,
            publish_context=volume.context,
            volume_context=volume.volume_context,
            **fields,
        )

    def publish(self, volume: "Provisioned", pod: str = "pod", **fields: Any) -> Any:
        fields.setdefault("staging_target_path", self.staging(volume.id))
        fields.setdefault("target_path", self.target(volume.id, pod))
        fields.setdefault("volume_capability", mounted(volume.mode))
        return v1_pb2.NodePublishVolumeRequest(
            volume_id=volume.id,
            publish_context=volume.context,
            volume_context=volume.volume_context,
            **fields,
        )

    def unpublish(self, volume: "Provisioned", pod: str = "pod") -> Any:
        return v1_pb2.NodeUnpublishVolumeRequest(volume_id=volume.id, target_path=self.target(volume.id, pod))

    def unstage(self, volume: "Provisioned") -> Any:
        return v1_pb2.NodeUnstageVolumeRequest(
            volume_id=volume.id, staging_target_path=self.staging(volume.id)
        )

    def stats(self, volume: str, path: str) -> Any:
        return v1_pb2.NodeGetVolumeStatsRequest(volume_id=volume, volume_path=path)

    def grow(self, volume: str, path: str, required: int = 64 * MIB) -> Any:
        request = v1_pb2.NodeExpandVolumeRequest(volume_id=volume, volume_path=path)
        request.capacity_range.required_bytes = required
        return request

    def expand(self, volume: str, required: int, limit: int = 0) -> Any:
        request = v1_pb2.ControllerExpandVolumeRequest(volume_id=volume)
        request.capacity_range.required_bytes = required
        request.capacity_range.limit_bytes = limit
        return request

    # --- steps that are not what a test is about

    def provisioned(self, mode: int = Mode.SINGLE_NODE_WRITER) -> "Provisioned":
        """A volume on the first node."""
        volume = self.csi(self.create(volume_capabilities=[mounted(mode)])).volume
        context = self.csi(self.attach(volume.volume_id, mode=mode)).publish_context
        return Provisioned(volume.volume_id, dict(context), dict(volume.volume_context), mode)

    def staged(self, mode: int = Mode.SINGLE_NODE_WRITER) -> "Provisioned":
        volume = self.provisioned(mode)
        self.csi(self.stage(volume))
        return volume

    def published(self, mode: int = Mode.SINGLE_NODE_WRITER) -> "Provisioned":
        volume = self.staged(mode)
        self.csi(self.publish(volume))
        return volume

    def files(self, volume: "Provisioned", pod: str = "pod") -> Path:
        """What a workload sees."""
        return self.host(self.target(volume.id, pod))


class Provisioned:
    """A volume and what its controller said of it."""

    def __init__(self, name: str, context: dict[str, str], volume_context: dict[str, str], mode: int) -> None:
        self.id, self.context, self.volume_context, self.mode = name, context, volume_context, mode
