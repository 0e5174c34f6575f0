"""A node and a proxy as processes, the RPCs of a volume's life, and what a workload does meanwhile."""

import hashlib
import os
import random
import re
from pathlib import Path

from tests.crash.calls import Request
from tests.emulated import PLUGINS, PODS
from tests.emulator.image_store.images import Part, tool
from tests.running import Running

from csiproxy.api import versions
from csiproxy.emulator.machine import Machine
from csiproxy.emulator.volume import StoreKind

DISK, VOLUME, FILESYSTEM, SERVICE = "disk/v1", "volume/v2alpha1", "filesystem/v2alpha1", "csi-proxy/v1beta1"
STAGING, PUBLISHED = PLUGINS + r"\pv\globalmount", PODS + r"\uid\volumes\pv"


class Life:
    """One node whose volumes are in their images; ``directory`` is empty and has a short path."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        Machine(str(directory / "node"), volumes=StoreKind.IMAGE).close()
        self.running = Running(directory, [DISK, VOLUME, FILESYSTEM, SERVICE])

    def call(self, contract: str, rpc: str, **fields: object):
        """An RPC that has to succeed; its reply."""
        request = Request(contract, rpc, fields)
        channel = self.running.proxy.channel(request)
        with channel:
            reply = channel.call(request.path, request.message, timeout=60)
        method = versions.contract(contract).methods()[request.path]
        message = method.reply.FromString(reply)
        assert not getattr(message, "error_code", 0), f"{rpc}: {message}"
        return message

    # --- by steps

    def stage(self, number: int, *, formatted: bool = False) -> str:
        """Partition a disk, format its volume, mount it and link a pod's path to it; the volume."""
        self.call(DISK, "PartitionDisk", disk_number=number)
        [volume] = self.call(VOLUME, "ListVolumesOnDisk", disk_number=number).volume_ids
        assert self.call(VOLUME, "IsVolumeFormatted", volume_id=volume).formatted is formatted
        if not formatted:
            self.call(VOLUME, "FormatVolume", volume_id=volume)
        self.publish(volume)
        return volume

    def publish(self, volume: str) -> None:
        self.call(FILESYSTEM, "Mkdir", path=STAGING)
        self.call(VOLUME, "MountVolume", volume_id=volume, target_path=STAGING)
        self.call(FILESYSTEM, "Mkdir", path=PUBLISHED.rpartition("\\")[0])
        self.call(FILESYSTEM, "CreateSymlink", source_path=STAGING, target_path=PUBLISHED)

    def unstage(self, volume: str, number: int) -> None:
        self.call(FILESYSTEM, "Rmdir", path=PUBLISHED)
        self.call(VOLUME, "UnmountVolume", volume_id=volume, target_path=STAGING)
        self.running.control.detach(number)

    @property
    def pod(self) -> str:
        """Where the pod's files are on the host."""
        return self.on_host(PUBLISHED)

    def on_host(self, path: str) -> str:
        return os.path.join(self.running.node.path, "c", *path.split("\\")[1:])

    def stats(self, volume: str) -> tuple[int, int]:
        reply = self.call(VOLUME, "GetVolumeStats", volume_id=volume)
        return reply.total_bytes, reply.used_bytes

    def close(self) -> None:
        self.running.close()


class Workload:
    """Writes files into a directory and knows what is in each."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self.sums: dict[str, str] = {}

    def write(self, root: str, names: list[str], least: int, most: int) -> None:
        for name in names:
            data = self._random.randbytes(self._random.randint(least, most))
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)
            self.sums[name] = hashlib.sha256(data).hexdigest()

    def fill(self, root: str, prefix: str, small: int, large: int) -> None:
        """Many small files in some directories, and a few large ones."""
        self.write(root, [f"{prefix}/{n % 7}/Datei {n} ä.txt" for n in range(small)], 0, 3000)
        self.write(root, [f"{prefix}/large-{n}.bin" for n in range(large)], 3 << 20, 4 << 20)


def sums(root: str) -> dict[str, str]:
    """The SHA-256 of every file below a directory."""
    return {
        os.path.relpath(os.path.join(base, name), root): hashlib.sha256(
            Path(base, name).read_bytes()
        ).hexdigest()
        for base, _, names in os.walk(root)
        for name in names
    }


def data_partition(image: str) -> tuple[int, int]:
    """Offset and size of the last partition, as sgdisk sees it, after it has found no fault in the table."""
    assert "No problems found" in tool("sgdisk", "-v", image)
    number = re.findall(r"^ +(\d+) ", tool("sgdisk", "-p", image), re.MULTILINE)[-1]
    said = tool("sgdisk", "-i", number, image)
    first, last = (int(re.search(rf"{word} sector: (\d+)", said)[1]) for word in ("First", "Last"))
    assert 512 * (last + 1) <= Part(image).size
    return 512 * first, 512 * (last + 1 - first)
