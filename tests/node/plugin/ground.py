r"""A node plugin on an emulated node: the plugin in this process or another, everything below it for real."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import csiproxy.testing
from csiproxy.client import connect
from csiproxy.csi import address, v1_pb2
from csiproxy.csi.calling import Caller
from csiproxy.csi.serving import server
from csiproxy.node.plugin.node import NodeInfo
from csiproxy.node.plugin.program import services
from csiproxy.node.plugin.settings import Settings
from csiproxy.rpc.status import RpcError

SECONDS = 60.0
MIB = 1 << 20
KUBELET = r"C:\var\lib\kubelet"
DRIVER = "disk.csi.example"
STAGING = KUBELET + rf"\plugins\kubernetes.io\csi\{DRIVER}"
PODS = KUBELET + r"\pods"
Mode = v1_pb2.VolumeCapability.AccessMode.Mode


def mounted(mode: int = Mode.SINGLE_NODE_WRITER, fs_type: str = "ntfs", flags: tuple[str, ...] = ()) -> Any:
    """A capability: as a file system."""
    capability = v1_pb2.VolumeCapability()
    capability.mount.fs_type = fs_type
    capability.mount.mount_flags.extend(flags)
    capability.access_mode.mode = mode
    return capability


class Plugin:
    """What kubelet would do with a plugin, in few words.  Paths are made as kubelet makes them."""

    def __init__(self, node: csiproxy.testing.Node, caller: Caller, socket: str = "") -> None:
        self.node = node
        self.socket = socket
        self._caller = caller

    def call(self, request: Any, timeout: float = SECONDS) -> Any:
        reply = getattr(v1_pb2, type(request).__name__.removesuffix("Request") + "Response")
        return self._caller.call(request, reply, timeout=timeout)

    def fails(self, request: Any) -> RpcError:
        """Make a call that is bound to fail."""
        try:
            reply = self.call(request)
        except RpcError as error:
            return error
        raise AssertionError(f"it succeeded: {reply}")

    # --- kubelet's paths

    def staging_path(self, volume: str) -> str:
        """A staging directory, made."""
        path = rf"{STAGING}\{volume}\globalmount"
        os.makedirs(self.node.path(path), exist_ok=True)
        return path

    def target_path(self, pod: str, volume: str = "pv") -> str:
        """A target path whose parent is there."""
        path = rf"{PODS}\{pod}\volumes\kubernetes.io~csi\{volume}\mount"
        os.makedirs(self.node.path(path).parent, exist_ok=True)
        return path

    # --- requests

    def stage_request(self, volume: str, publish: dict[str, str], **fields: Any) -> Any:
        fields.setdefault("staging_target_path", self.staging_path(volume))
        fields.setdefault("volume_capability", mounted())
        return v1_pb2.NodeStageVolumeRequest(volume_id=volume, publish_context=publish, **fields)

    def publish_request(
        self, volume: str, pod: str, publish: dict[str, str] | None = None, **fields: Any
    ) -> Any:
        fields.setdefault("staging_target_path", self.staging_path_only(volume))
        fields.setdefault("target_path", self.target_path(pod))
        fields.setdefault("volume_capability", mounted())
        return v1_pb2.NodePublishVolumeRequest(volume_id=volume, publish_context=publish or {}, **fields)

    @staticmethod
    def staging_path_only(volume: str) -> str:
        return rf"{STAGING}\{volume}\globalmount"

    def unpublish(self, volume: str, pod: str) -> None:
        path = rf"{PODS}\{pod}\volumes\kubernetes.io~csi\pv\mount"
        self.call(v1_pb2.NodeUnpublishVolumeRequest(volume_id=volume, target_path=path))

    def unstage(self, volume: str) -> None:
        path = self.staging_path_only(volume)
        self.call(v1_pb2.NodeUnstageVolumeRequest(volume_id=volume, staging_target_path=path))

    # --- the storage system

    def disk(self, size: int = 64 * MIB, **options: Any) -> tuple[csiproxy.testing.Disk, dict[str, str]]:
        """Attach a disk; with what a controller would say of it."""
        serial = options.pop("serial", f"TEST-{os.urandom(4).hex()}")
        return self.node.attach(size=size, serial=serial, **options), {"serialNumber": serial}

    def pod_directory(self, pod: str) -> Path:
        """What a pod's container sees, on this machine."""
        return self.node.path(rf"{PODS}\{pod}\volumes\kubernetes.io~csi\pv\mount")


@contextmanager
def in_process(node: csiproxy.testing.Node, directory: Path, **info: Any) -> Iterator[Plugin]:
    """A plugin in this process, on the node's proxy."""
    settings = Settings(
        driver=DRIVER,
        socket=str(directory / "csi.sock"),
        state=str(directory / "state"),
        proxy=str(node.endpoints),
        drive_c=str(node.path("C:\\")),
        info=NodeInfo(**{"node_id": "node-1", **info}),
        ready_fd=None,
    )
    log = io.StringIO()
    with connect(settings.proxy) as client:
        running = server(services(settings, client), log)
        running.add(address.listen(settings.socket, DRIVER))
        running.start()
        caller = Caller(address.channel(settings.socket), v1_pb2.DESCRIPTOR)
        try:
            yield Plugin(node, caller, settings.socket)
        finally:
            caller.close()
            running.stop(0)


class PluginProcess:
    """``csi-proxy node-plugin`` as a process that may be killed."""

    def __init__(self, node: csiproxy.testing.Node, directory: Path) -> None:
        self._command = [
            sys.executable, "-m", "csiproxy", "node-plugin", f"--endpoint=unix://{directory}/csi.sock",
            f"--driver-name={DRIVER}", "--node-id=node-1", f"--proxy-endpoints={node.endpoints}",
            f"--drive-c={node.path('/')}",
        ]  # fmt: skip
        self._caller = Caller(address.channel(str(directory / "csi.sock")), v1_pb2.DESCRIPTOR)
        self.plugin = Plugin(node, self._caller)
        self.start()

    def start(self) -> None:
        ready, told = os.pipe()
        self.process = subprocess.Popen(
            [*self._command, f"--ready-fd={told}"], pass_fds=[told], stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        os.close(told)
        with os.fdopen(ready, "rb") as reader:
            assert reader.read() == b"READY\n", self.process.stderr.read()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(SECONDS)
        self.process.stderr.close()

    def close(self) -> None:
        self._caller.close()
        self.kill()


@contextmanager
def second_caller(plugin: Plugin) -> Iterator[Plugin]:
    """Another connection to the same plugin."""
    caller = Caller(address.channel(plugin.socket), v1_pb2.DESCRIPTOR)
    yield Plugin(plugin.node, caller, plugin.socket)
    caller.close()
