"""What a volume's whole life costs, one at a time and many at once."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import TypeVar

from google.protobuf.message import Message

from benchmarks.measure import Row, by_turns, processor_seconds, ratio
from benchmarks.node import Node, emulated_node
from csiproxy.api.disk import v1_pb2 as disk
from csiproxy.api.filesystem import v1_pb2 as filesystem
from csiproxy.api.volume import v1_pb2 as volume
from csiproxy.emulator.control import Control
from csiproxy.rpc import unix
from csiproxy.rpc.channel import Channel

PLUGINS = r"C:\var\lib\kubelet\plugins\kubernetes.io\csi"
WIDTHS = (1, 16, 128)
TARGET = 1.3
MIB = 1 << 20
_channels = threading.local()
Reply = TypeVar("Reply", bound=Message)


@dataclass(frozen=True)
class Cost:
    """What one volume's life cost: processor seconds of proxy and node, and seconds that passed."""

    proxy: float
    node: float
    passed: float


def rows(rounds: int, seconds: float) -> list[Row]:
    fewest, widths = (32, WIDTHS) if seconds >= 0.5 else (4, (1, 2))
    costs = by_turns(rounds, {str(width): _lives(width, max(width, fewest)) for width in widths})
    alone = costs["1"]
    proxy, node, passed = (median(getattr(cost, of) for cost in alone) for of in ("proxy", "node", "passed"))
    parts = f"{(proxy + node) * 1e3:.1f} ms (proxy {proxy * 1e3:.1f}, node {node * 1e3:.1f})"
    found = [
        Row("a volume's life, 1 at a time: CPU", parts),
        Row("a volume's life, 1 at a time: time", f"{passed * 1e3:.1f} ms"),
    ]
    figures: dict[str, Callable[[Cost], float]] = {
        "CPU": lambda cost: cost.proxy + cost.node,
        "CPU of the proxy": lambda cost: cost.proxy,
        "CPU of the node": lambda cost: cost.node,
        "time": lambda cost: cost.passed,
    }
    for width in widths[1:]:
        for figure, of in figures.items():
            value = ratio([of(cost) for cost in costs[str(width)]], [of(cost) for cost in alone])
            target, met = (f"≤ {TARGET:.2f}×", value <= TARGET) if figure == "CPU" else ("", None)
            label = f"a volume's life, {width} at once, against 1: {figure}"
            found.append(Row(label, f"{value:.2f}×", target, met))
    return found


def _lives(width: int, lives: int) -> Callable[[], Cost]:
    """Have a fresh node see ``lives`` volumes come and go, so many at a time, and give the cost of one."""

    def measured() -> Cost:
        with emulated_node() as node, node.proxy() as proxy:
            _live(node, lives)  # loads what the first call of an endpoint loads
            pids = (proxy.pid, node.control.process)
            before, start = [processor_seconds(pid) for pid in pids], time.perf_counter()
            with ThreadPoolExecutor(width) as pool:
                list(pool.map(partial(_live, node), range(lives)))
            passed = time.perf_counter() - start
            spent = [processor_seconds(pid) - then for pid, then in zip(pids, before, strict=True)]
        return Cost(spent[0] / lives, spent[1] / lives, passed / lives)

    return measured


def _call(node: Node, group: str, rpc: str, request: Message, reply: type[Reply]) -> Reply:
    channels = _channels.__dict__.setdefault(str(node.path), {})
    if group not in channels:
        channels[group] = Channel(partial(unix.connect, str(node.endpoint(f"{group}-v1"))))
    answer = channels[group].call(f"/v1.{group.title()}/{rpc}", request.SerializeToString(), timeout=120)
    return reply.FromString(answer)


def _live(node: Node, life: int) -> None:
    """Attach, partition, format, mount, link, measure, unlink, unmount, offline, detach."""
    stage, pod = rf"{PLUGINS}\{life}", rf"C:\var\lib\kubelet\pods\{life}"
    on_disk, on_volume, on_files = (partial(_call, node, group) for group in ("disk", "volume", "filesystem"))
    with Control(str(node.path)) as control:
        number = control.attach(str(node.work / f"{life}.img"), create=64 * MIB)
        partition = disk.PartitionDiskRequest(disk_number=number)
        on_disk("PartitionDisk", partition, disk.PartitionDiskResponse)
        listing = volume.ListVolumesOnDiskRequest(disk_number=number)
        listed = _call(node, "volume", "ListVolumesOnDisk", listing, volume.ListVolumesOnDiskResponse)
        (name,) = listed.volume_ids
        on_volume("FormatVolume", volume.FormatVolumeRequest(volume_id=name), volume.FormatVolumeResponse)
        on_files("Mkdir", filesystem.MkdirRequest(path=stage), filesystem.MkdirResponse)
        mount = volume.MountVolumeRequest(volume_id=name, target_path=stage)
        on_volume("MountVolume", mount, volume.MountVolumeResponse)
        link = filesystem.CreateSymlinkRequest(source_path=stage, target_path=pod)
        on_files("CreateSymlink", link, filesystem.CreateSymlinkResponse)
        stats = volume.GetVolumeStatsRequest(volume_id=name)
        on_volume("GetVolumeStats", stats, volume.GetVolumeStatsResponse)
        on_files("Rmdir", filesystem.RmdirRequest(path=pod, force=True), filesystem.RmdirResponse)
        unmount = volume.UnmountVolumeRequest(volume_id=name, target_path=stage)
        on_volume("UnmountVolume", unmount, volume.UnmountVolumeResponse)
        on_files("Rmdir", filesystem.RmdirRequest(path=stage), filesystem.RmdirResponse)
        offline = disk.SetDiskStateRequest(disk_number=number, is_online=False)
        on_disk("SetDiskState", offline, disk.SetDiskStateResponse)
        control.detach(number)
