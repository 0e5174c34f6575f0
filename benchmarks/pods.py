"""Pods brought to "volume ready" by the node plugin: how many a second, with how many calls to the proxy."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import median

import csiproxy.testing
from benchmarks.measure import Row, by_turns
from csiproxy.csi import address, v1_pb2
from csiproxy.csi.calling import Caller

KUBELET = r"C:\var\lib\kubelet"
WIDTHS = (1, 8, 64)
MIB = 1 << 20
SECONDS = 120.0
# What the Windows drivers of Google and Azure make for the same, formatted, disk (read from their sources).
FIELD = {"NodeStageVolume": 8, "NodePublishVolume": 3, "NodeUnpublishVolume": 1, "NodeUnstageVolume": 2}
_local = threading.local()


class Plugin:
    """A node with a proxy and a plugin, each a process, and raw disks as pods need them."""

    def __init__(self, node: csiproxy.testing.Node) -> None:
        self.node = node
        self._socket = str(node.directory / "csi.sock")
        ready, told = os.pipe()
        command = [
            sys.executable,
            "-m",
            "csiproxy",
            "node-plugin",
            f"--endpoint={self._socket}",
            "--node-id=n",
        ]
        command += [f"--proxy-endpoints={node.endpoints}", f"--ready-fd={told}"]
        silent = subprocess.DEVNULL
        self.process = subprocess.Popen(command, pass_fds=[told], stdout=silent, stderr=silent)
        os.close(told)
        with os.fdopen(ready, "rb") as reader:
            reader.read()

    def call(self, request: object) -> None:
        caller = _local.__dict__.get(self._socket)
        if caller is None:
            caller = _local.__dict__[self._socket] = Caller(address.channel(self._socket), v1_pb2.DESCRIPTOR)
        reply = getattr(v1_pb2, type(request).__name__.removesuffix("Request") + "Response")
        caller.call(request, reply, timeout=SECONDS)

    def attach(self, pod: int) -> None:
        """What controller and kubelet do before the plugin is called."""
        self.node.attach(f"{pod}.img", size=64 * MIB, serial=f"POD-{pod}")
        for path in (_staging(pod), _target(pod).rpartition("\\")[0]):
            os.makedirs(self.node.path(path), exist_ok=True)

    def bring_up(self, pod: int) -> None:
        self.call(v1_pb2.NodeStageVolumeRequest(staging_target_path=_staging(pod), **_volume(pod)))
        self.call(
            v1_pb2.NodePublishVolumeRequest(
                staging_target_path=_staging(pod), target_path=_target(pod), **_volume(pod)
            )
        )

    def take_down(self, pod: int) -> None:
        name = f"v{pod}"
        self.call(v1_pb2.NodeUnpublishVolumeRequest(volume_id=name, target_path=_target(pod)))
        self.call(v1_pb2.NodeUnstageVolumeRequest(volume_id=name, staging_target_path=_staging(pod)))


def _staging(pod: int) -> str:
    return rf"{KUBELET}\plugins\kubernetes.io\csi\d\{pod}\globalmount"


def _target(pod: int) -> str:
    return rf"{KUBELET}\pods\{pod}\volumes\kubernetes.io~csi\v\mount"


def _volume(pod: int) -> dict[str, object]:
    capability = v1_pb2.VolumeCapability()
    capability.mount.fs_type = "ntfs"
    capability.access_mode.mode = v1_pb2.VolumeCapability.AccessMode.SINGLE_NODE_WRITER
    context = {"serialNumber": f"POD-{pod}"}
    return {"volume_id": f"v{pod}", "publish_context": context, "volume_capability": capability}


def rows(rounds: int, seconds: float) -> list[Row]:
    pods, widths = (64, WIDTHS) if seconds >= 0.5 else (4, (1, 2))
    rates = by_turns(min(rounds, 3), {str(width): partial(_rate, width, pods) for width in widths})
    found = [
        Row(f"pods to 'volume ready', {width} at once", f"{median(rates[str(width)]):.1f} a second")
        for width in widths
    ]
    return found + _calls()


def _with_plugin(measure: Callable[[Plugin], float]) -> float:
    with csiproxy.testing.Node.temporary() as node:
        plugin = Plugin(node)
        try:
            return measure(plugin)
        finally:
            plugin.process.terminate()
            plugin.process.wait(SECONDS)


def _rate(width: int, pods: int) -> float:
    def measure(plugin: Plugin) -> float:
        for pod in range(pods + 1):
            plugin.attach(pod)
        plugin.bring_up(pods)  # loads what the first call loads
        start = time.perf_counter()
        with ThreadPoolExecutor(width) as pool:
            list(pool.map(plugin.bring_up, range(pods)))
        return pods / (time.perf_counter() - start)

    return _with_plugin(measure)


def _calls() -> list[Row]:
    """How many calls each RPC of CSI makes, for a disk that was used before."""
    found: list[Row] = []

    def measure(plugin: Plugin) -> float:
        plugin.attach(0)
        plugin.bring_up(0)
        plugin.take_down(0)
        steps: dict[str, Callable[[], None]] = {
            "NodeStageVolume": lambda: plugin.call(
                v1_pb2.NodeStageVolumeRequest(staging_target_path=_staging(0), **_volume(0))
            ),
            "NodePublishVolume": lambda: plugin.call(
                v1_pb2.NodePublishVolumeRequest(
                    staging_target_path=_staging(0), target_path=_target(0), **_volume(0)
                )
            ),
            "NodeUnpublishVolume": lambda: plugin.call(
                v1_pb2.NodeUnpublishVolumeRequest(volume_id="v0", target_path=_target(0))
            ),
            "NodeUnstageVolume": lambda: plugin.call(
                v1_pb2.NodeUnstageVolumeRequest(volume_id="v0", staging_target_path=_staging(0))
            ),
        }
        for name, step in steps.items():
            before = len(plugin.node.audit())
            step()
            made = len(plugin.node.audit()) - before
            field = FIELD[name]
            target, met = (f"< {field}", made < field) if field > 2 else ("", None)
            found.append(Row(f"calls to the proxy, {name}", f"{made}", target, met))
        return 0.0

    _with_plugin(measure)
    return found
