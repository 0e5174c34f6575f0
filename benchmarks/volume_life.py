"""What a volume's whole life costs, one at a time and many at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from benchmarks.measure import Row, all_processor_seconds, directory, process, python
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


def rows(rounds: int, seconds: float) -> list[Row]:
    lives = 128 if seconds >= 0.5 else 4
    widths = WIDTHS if seconds >= 0.5 else (1, 2)
    costs: dict[int, list[float]] = {width: [] for width in widths}
    for _ in range(max(1, rounds // 3)):
        for width in widths:
            costs[width].append(_cost(width, max(lives, width) if width > 1 else lives // 4))
    one = median(costs[1])
    found = [Row("a volume's life, 1 at a time: CPU of proxy and node", f"{one * 1e3:.1f} ms")]
    for width in widths[1:]:
        value = median(costs[width]) / one
        found.append(
            Row(f"a volume's life, {width} at once, against 1", f"{value:.2f}×", "≤ 1.30×", value <= TARGET)
        )
    return found


def _cost(width: int, lives: int) -> float:
    """Processor seconds of a life, proxy and node together, on a fresh node."""
    with directory() as work:
        command = python(
            "-m", "csiproxy", "serve", "--host", f"emulator:{work}/n", "--audit-log", "/dev/null"
        )
        with process(command) as proxy, Control(f"{work}/n") as control:
            pids = (proxy.pid, control.process)
            before = sum(map(all_processor_seconds, pids))
            with ThreadPoolExecutor(width) as pool:
                list(pool.map(lambda number: _live(work, number), range(lives)))
            spent = sum(map(all_processor_seconds, pids)) - before
            control.stop()
    return spent / lives


def _call(work: Path, group: str, rpc: str, request: object, reply: type) -> object:
    channels = _channels.__dict__.setdefault(str(work), {})
    if group not in channels:
        path = str(work / "n" / "endpoints" / f"csi-proxy-{group}-v1.sock")
        channels[group] = Channel(lambda: unix.connect(path))
    message = request.SerializeToString()  # type: ignore[attr-defined]
    return reply.FromString(channels[group].call(f"/v1.{group.title()}/{rpc}", message, timeout=120))  # type: ignore[attr-defined]


def _live(work: Path, life: int) -> None:
    """Attach, partition, format, mount, link, measure, unlink, unmount, offline, detach."""
    image = work / f"{life}.img"
    with Control(f"{work}/n") as control:
        number = control.attach(str(image), create=64 * MIB)
        _call(
            work,
            "disk",
            "PartitionDisk",
            disk.PartitionDiskRequest(disk_number=number),
            disk.PartitionDiskResponse,
        )
        listing = volume.ListVolumesOnDiskRequest(disk_number=number)
        (name,) = _call(
            work, "volume", "ListVolumesOnDisk", listing, volume.ListVolumesOnDiskResponse
        ).volume_ids  # type: ignore[attr-defined]
        _call(
            work,
            "volume",
            "FormatVolume",
            volume.FormatVolumeRequest(volume_id=name),
            volume.FormatVolumeResponse,
        )
        stage, pod = rf"{PLUGINS}\{life}", rf"C:\var\lib\kubelet\pods\{life}"
        _call(work, "filesystem", "Mkdir", filesystem.MkdirRequest(path=stage), filesystem.MkdirResponse)
        mount = volume.MountVolumeRequest(volume_id=name, target_path=stage)
        _call(work, "volume", "MountVolume", mount, volume.MountVolumeResponse)
        link = filesystem.CreateSymlinkRequest(source_path=stage, target_path=pod)
        _call(work, "filesystem", "CreateSymlink", link, filesystem.CreateSymlinkResponse)
        stats = volume.GetVolumeStatsRequest(volume_id=name)
        _call(work, "volume", "GetVolumeStats", stats, volume.GetVolumeStatsResponse)
        _call(
            work,
            "filesystem",
            "Rmdir",
            filesystem.RmdirRequest(path=pod, force=True),
            filesystem.RmdirResponse,
        )
        unmount = volume.UnmountVolumeRequest(volume_id=name, target_path=stage)
        _call(work, "volume", "UnmountVolume", unmount, volume.UnmountVolumeResponse)
        _call(work, "filesystem", "Rmdir", filesystem.RmdirRequest(path=stage), filesystem.RmdirResponse)
        offline = disk.SetDiskStateRequest(disk_number=number, is_online=False)
        _call(work, "disk", "SetDiskState", offline, disk.SetDiskStateResponse)
        control.detach(number)
