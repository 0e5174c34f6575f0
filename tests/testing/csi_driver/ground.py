"""A whole driver as a process, over one emulated node or two."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import csiproxy.testing
from csiproxy.csi import address, v1_pb2
from csiproxy.csi.calling import Caller
from csiproxy.rpc.status import RpcError

SECONDS = 60.0
MIB = 1 << 20
Mode = v1_pb2.VolumeCapability.AccessMode.Mode


def mounted(mode: int = Mode.SINGLE_NODE_WRITER) -> Any:
    capability = v1_pb2.VolumeCapability()
    capability.mount.fs_type = "ntfs"
    capability.access_mode.mode = mode
    return capability


class Driver:
    """``csi-proxy testing csi-driver``; Node is the first node's."""

    def __init__(self, directory: Path, nodes: Sequence[csiproxy.testing.Node], *flags: str) -> None:
        self.directory = directory
        self.nodes = nodes
        self.images = directory / "images"
        self.socket = str(directory / "csi.sock")
        self._command = [
            sys.executable, "-m", "csiproxy", "testing", "csi-driver", f"--endpoint={self.socket}",
            "--node-id=node-1", f"--proxy-endpoints={nodes[0].endpoints}", f"--images={self.images}",
            *(f"--node=node-{at}={node.directory / 'node'}" for at, node in enumerate(nodes, 1)), *flags,
        ]  # fmt: skip
        self._caller = Caller(address.channel(self.socket), v1_pb2.DESCRIPTOR)
        self.start()

    def start(self) -> None:
        ready, told = os.pipe()
        with open(self.directory / "driver.log", "ab") as log:
            self.process = subprocess.Popen(
                [*self._command, f"--ready-fd={told}"], pass_fds=[told], stderr=log, stdout=log
            )
        os.close(told)
        with os.fdopen(ready, "rb") as reader:
            assert reader.read() == b"READY\n", (self.directory / "driver.log").read_text()

    def close(self) -> None:
        self._caller.close()
        self.process.kill()
        self.process.wait(SECONDS)

    def call(self, request: Any) -> Any:
        reply = getattr(v1_pb2, type(request).__name__.removesuffix("Request") + "Response")
        return self._caller.call(request, reply, timeout=SECONDS)

    def fails(self, request: Any) -> RpcError:
        try:
            reply = self.call(request)
        except RpcError as error:
            return error
        raise AssertionError(f"it succeeded: {reply}")

    # --- requests

    def create_request(self, name: str, required: int = 64 * MIB, limit: int = 0, **fields: Any) -> Any:
        fields.setdefault("volume_capabilities", [mounted()])
        request = v1_pb2.CreateVolumeRequest(name=name, **fields)
        request.capacity_range.required_bytes = required
        request.capacity_range.limit_bytes = limit
        return request

    def create(self, name: str, required: int = 64 * MIB, **fields: Any) -> Any:
        return self.call(self.create_request(name, required, **fields)).volume

    def attach_request(
        self, volume: str, node: str = "node-1", mode: int = Mode.SINGLE_NODE_WRITER, **fields: Any
    ) -> Any:
        return v1_pb2.ControllerPublishVolumeRequest(
            volume_id=volume, node_id=node, volume_capability=mounted(mode), **fields
        )

    def detach(self, volume: str, node: str = "") -> None:
        self.call(v1_pb2.ControllerUnpublishVolumeRequest(volume_id=volume, node_id=node))

    def delete(self, volume: str) -> None:
        self.call(v1_pb2.DeleteVolumeRequest(volume_id=volume))
