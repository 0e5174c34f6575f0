"""Stale requests: bytes of calls that an earlier proxy answered, sent again to its successor.

What was right then may be wrong now: a disk number is another disk, a volume holds files, a path is in use.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from tests.attack.ground import LEVELS, PLUGINS, PODS
from tests.attack.suite import Attack, Result
from tests.attack.target import Own, Target
from tests.rpc.wire import START, data, framed, headers

from csiproxy.api import versions
from csiproxy.emulator.control import Control

STAGED = "\\".join((PLUGINS, *(level[0] for level in LEVELS)))
_HEAD = (b"POST", b"http")
_SECONDS = 20.0


@dataclass(frozen=True)
class Recorded:
    """A call as it went over the wire."""

    contract: str
    rpc: str
    wire: bytes


def record(contract_name: str, rpc: str, fields: Mapping[str, object]) -> Recorded:
    """A whole connection with one call, byte by byte."""
    contract = versions.contract(contract_name)
    path = f"/{contract.service}/{rpc}"
    message = contract.methods()[path].request(**fields).SerializeToString()
    head = (
        (b":method", _HEAD[0]),
        (b":scheme", _HEAD[1]),
        (b":path", path.encode()),
        (b":authority", b"localhost"),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        (b"grpc-timeout", b"10S"),
    )
    return Recorded(contract_name, rpc, START + headers(head=head) + data(framed(message)))


def send(target: Target, recorded: Recorded) -> None:
    """Send it, and wait until the proxy has answered or hung up."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_SECONDS)
        client.connect(target.socket(versions.contract(recorded.contract)))
        client.sendall(recorded.wire)
        seen = b""
        with suppress(OSError):
            while b"grpc-status" not in seen and (part := client.recv(1 << 16)):
                seen += part
                if len(seen) > len(START) + 60:  # settings, their acknowledgement, and an answer
                    break


def after_a_restart(own: Own, tries: int, seed: int) -> Result:
    """Play a volume's life, restart the proxy, change the node, and send every call of it again."""
    result = Result()
    volume = own.ground.volumes[0]
    calls: list[tuple[str, str, Mapping[str, object]]] = [
        ("disk/v1", "PartitionDisk", {"disk_number": 1}),
        ("disk/v1", "SetDiskState", {"disk_number": 1, "is_online": False}),
        ("volume/v1", "FormatVolume", {"volume_id": volume}),
        ("csi-proxy/v1alpha1", "FormatVolume", {"volume_device": volume, "type": 0, "staging_path": ""}),
        ("volume/v1", "UnmountVolume", {"volume_id": own.ground.volumes[1], "target_path": STAGED}),
        ("filesystem/v1", "Rmdir", {"path": STAGED, "force": False}),
        ("csi-proxy/v1beta1", "Rmdir", {"path": STAGED, "context": 0}),
        ("filesystem/v1", "Mkdir", {"path": STAGED}),
        ("volume/v1", "ResizeVolume", {"volume_id": volume, "size_bytes": 1}),
        ("filesystem/v1", "CreateSymlink", {"source_path": STAGED, "target_path": PODS + r"\stale"}),
    ]
    recorded = [record(*call) for call in calls]
    for one in recorded:
        send(own.target, one)
    own.stop()
    own.start()
    target = own.target
    target.call("disk/v1", "SetDiskState", disk_number=1, is_online=True)
    target.call("filesystem/v2alpha1", "Rmdir", path=STAGED, force=True)
    target.call("filesystem/v1", "Mkdir", path=STAGED)
    mounted = target.call("volume/v1", "MountVolume", volume_id=volume, target_path=STAGED)
    if not mounted.done:
        result.wrong(f"the volume cannot be mounted: {mounted.text}")
    file = os.path.join(_mounted(own), "kept")
    with open(file, "w") as kept:
        kept.write("kept")
    for _ in range(max(1, min(tries // len(recorded), 50))):
        for one in recorded:
            send(target, one)
            result.tries += 1
            _still_there(own, file, one, result)
    return result


def another_disk(own: Own, tries: int, seed: int) -> Result:
    """The number of a disk that was partitioned is another disk's after a restart, which holds data."""
    result = Result()
    stale = record("disk/v1", "PartitionDisk", {"disk_number": 1})
    again = record("csi-proxy/v1beta1", "PartitionDisk", {"disk_device": r"\\.\PhysicalDrive1", "type": 1})
    image = os.path.join(own.ground.directory, "1.img")
    own.stop()
    with Control(own.ground.node) as control:
        control.detach(1)
        control.detach(2)
        control.attach(image, number=1)
    own.start()
    before = _volumes(own.target)
    for one in (stale, again):
        send(own.target, one)
        result.tries += 1
    if _volumes(own.target) != before:
        result.wrong("a disk with data was partitioned anew")
    return result


def _volumes(target: Target) -> object:
    answer = target.call("volume/v1", "ListVolumesOnDisk", disk_number=1)
    return list(answer.reply.volume_ids) if answer.reply else answer  # type: ignore[attr-defined]


def _mounted(own: Own) -> str:
    return os.path.realpath(own.ground.on_host(STAGED))


def _still_there(own: Own, file: str, one: Recorded, result: Result) -> None:
    if not os.path.exists(file):
        result.wrong(f"{one.contract} {one.rpc}: the volume has lost its file")
    if os.path.realpath(own.ground.on_host(STAGED)) != os.path.dirname(file):
        result.wrong(f"{one.contract} {one.rpc}: the volume is not mounted any more")


ATTACKS = (
    Attack("replay after a restart", "what is mounted stays, no file is lost", run_own=after_a_restart),
    Attack("replay to another disk", "data stay", run_own=another_disk, spoils=True),
)
