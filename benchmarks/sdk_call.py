"""What a call through the Python SDK costs its caller, on top of the bytes on the wire.

The same PathExists four ways, by turns: prepared bytes over the core's channel (raw), the SDK, the SDK under
asyncio, and grpcio with generated message classes.  And the SDK without a proxy, in this process.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median

from benchmarks.measure import Row, by_turns, ratio
from benchmarks.node import Node, emulated_node
from csiproxy import connect, local
from csiproxy.api.filesystem import v1_pb2 as filesystem
from csiproxy.rpc import unix
from csiproxy.rpc.channel import Channel

METHOD = "/v1.Filesystem/PathExists"
PATH = r"C:\var\lib\kubelet\plugins\kubernetes.io\csi"
RAW, SDK, ASYNC, GRPCIO, LOCAL = "raw", "the SDK", "the SDK under asyncio", "grpcio", "in process"
TIME_TARGET = 1.25


@dataclass(frozen=True)
class Cost:
    """What a call cost: seconds of the caller's processor, and seconds until it was over (the median)."""

    cpu: float
    time: float


def rows(rounds: int, seconds: float) -> list[Row]:
    with emulated_node() as node, node.proxy():
        ways = {RAW: _raw, SDK: _sdk, ASYNC: _async, GRPCIO: _grpcio, LOCAL: _local}
        found = by_turns(rounds, {name: partial(way, node, seconds) for name, way in ways.items()})
    raw, sdk = found[RAW], found[SDK]
    extra = median(one.cpu - other.cpu for one, other in zip(sdk, raw, strict=True))
    slower = ratio([cost.time for cost in sdk], [cost.time for cost in raw])
    shown = [
        Row("PathExists, raw: the caller's CPU", f"{median(cost.cpu for cost in raw) * 1e6:.0f} µs"),
        Row("PathExists, what the SDK adds: the caller's CPU", f"{extra * 1e6:.0f} µs"),
        Row(
            "PathExists, the SDK against raw: time",
            f"{slower:.2f}×",
            f"≤ {TIME_TARGET:.2f}×",
            slower <= TIME_TARGET,
        ),
    ]
    for name in (ASYNC, GRPCIO, LOCAL):
        costs = found[name]
        cpu = ratio([cost.cpu for cost in costs], [cost.cpu for cost in sdk])
        passed = ratio([cost.time for cost in costs], [cost.time for cost in sdk])
        shown.append(
            Row(f"PathExists, {name} against the SDK: the caller's CPU, time", f"{cpu:.2f}×, {passed:.2f}×")
        )
    return shown


def _measured(call: Callable[[], object], seconds: float) -> Cost:
    """Call for so long after a first call, which loads what there is to load."""
    call()
    times = []
    begun, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - begun < seconds:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return Cost((time.process_time() - cpu) / len(times), median(times))


def _raw(node: Node, seconds: float) -> Cost:
    message = filesystem.PathExistsRequest(path=PATH).SerializeToString()
    with Channel(partial(unix.connect, str(node.endpoint("filesystem-v1")))) as channel:
        return _measured(lambda: channel.call(METHOD, message, timeout=60), seconds)


def _sdk(node: Node, seconds: float) -> Cost:
    with connect(node.path / "endpoints") as client:
        return _measured(lambda: client.filesystem.path_exists(PATH), seconds)


def _async(node: Node, seconds: float) -> Cost:
    async def run() -> Cost:
        async with connect(node.path / "endpoints").asynchronous() as client:
            await client.filesystem.path_exists(PATH)
            times = []
            begun, cpu = time.perf_counter(), time.process_time()
            while time.perf_counter() - begun < seconds:
                start = time.perf_counter()
                await client.filesystem.path_exists(PATH)
                times.append(time.perf_counter() - start)
            return Cost((time.process_time() - cpu) / len(times), median(times))

    return asyncio.run(run())


def _grpcio(node: Node, seconds: float) -> Cost:
    import grpc  # here: it starts threads of its own

    with grpc.insecure_channel(f"unix:{node.endpoint('filesystem-v1')}") as channel:
        call = channel.unary_unary(
            METHOD,
            request_serializer=filesystem.PathExistsRequest.SerializeToString,
            response_deserializer=filesystem.PathExistsResponse.FromString,
        )
        return _measured(lambda: call(filesystem.PathExistsRequest(path=PATH), timeout=60).exists, seconds)


def _local(node: Node, seconds: float) -> Cost:
    with local(f"emulator:{node.path}") as client:
        return _measured(lambda: client.filesystem.path_exists(PATH), seconds)
