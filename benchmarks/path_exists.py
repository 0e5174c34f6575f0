"""What a whole PathExists costs: walk by handle, binding, audit record; and where it goes."""

import io
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.measure import Row, by_turns, processor_seconds
from benchmarks.node import Node, emulated_node
from benchmarks.raw_client import Client, Load
from csiproxy.api import versions
from csiproxy.api.filesystem import v2alpha1_pb2 as filesystem
from csiproxy.audit.plain_file import PlainFile
from csiproxy.emulator.machine import Machine
from csiproxy.host import Host
from csiproxy.operations import build
from csiproxy.operations.configuration import Configuration
from csiproxy.operations.context import Context
from csiproxy.rpc.call import Call
from csiproxy.rpc.stream import Peer
from csiproxy.server import route
from csiproxy.server.audit import Trail
from csiproxy.server.dispatch import Dispatcher

METHOD = "/v2alpha1.Filesystem/PathExists"
HEALTH = "/grpc.health.v1.Health/Check"
KUBELET = r"C:\var\lib\kubelet"
PATH = KUBELET + r"\plugins\kubernetes.io\csi"
TARGET = 80e-6
ONE, SIXTEEN = Load(1, 1), Load(16, 1)


def rows(rounds: int, seconds: float) -> list[Row]:
    request = filesystem.PathExistsRequest(path=PATH).SerializeToString()
    with emulated_node() as node:
        with node.proxy(f"{node.work}/audit") as server:
            whole = [_whole(node, server.pid, request, load, rounds, seconds) for load in (ONE, SIXTEEN)]
        return [*whole, *_layers(node.work, request, rounds, seconds)]


def _whole(node: Node, server: int, request: bytes, load: Load, rounds: int, seconds: float) -> Row:
    """What the server spends on PathExists beyond what it spends on a health check."""
    socket = node.endpoint("filesystem-v2alpha1")
    clients = {
        "PathExists": Client(socket, METHOD, request, load),
        "Check": Client(socket, HEALTH, b"", load),
    }

    def cost(name: str) -> float:
        before = processor_seconds(server)
        seen = clients[name].run(seconds)
        return (processor_seconds(server) - before) / seen.calls

    for client in clients.values():
        client.run(seconds / 4)
    found = by_turns(rounds, {name: partial(cost, name) for name in clients})
    for client in clients.values():
        client.close()
    whole, bare = median(found["PathExists"]), median(found["Check"])
    extra = whole - bare
    return Row(
        f"a whole PathExists on top of the bare call, {load}: CPU",
        f"{extra * 1e6:.0f} µs ({whole / bare:.1f}× the bare call of {bare * 1e6:.0f} µs)",
        "≤ 80 µs",
        extra <= TARGET,
    )


def _layers(work: Path, request: bytes, rounds: int, seconds: float) -> list[Row]:
    """The same request through one more layer each time, in this process."""
    with Machine(f"{work}/m") as machine:
        configuration = Configuration(KUBELET, (), PATH, KUBELET + r"\pods", allow_reformat=False)
        operations = build(Host(machine.session, machine.win32), configuration)
        contract = versions.contract("filesystem/v2alpha1")
        way = route.find(contract, METHOD, operations)
        assert way is not None
        sink = PlainFile.open("/dev/null")
        dispatcher = Dispatcher([contract], operations, Trail(sink, io.StringIO()), io.StringIO())

        def dispatch() -> None:
            dispatcher(Call(contract.endpoint, METHOD, request, Peer(1, 0)))

        steps = {
            "operation, storage and host: the walk": lambda: operations.filesystem.path_exists(
                Context(), path=PATH
            ),
            "binding and protobuf": lambda: way.write(way.run(Context(), request, way.decode(request))),
            "dispatch and audit record": dispatch,
        }
        costs = by_turns(rounds, {name: partial(_cpu, step, seconds / 4) for name, step in steps.items()})
    found, below = [], 0.0
    for name, taken in costs.items():
        cost = median(taken)
        found.append(Row(f"— of it {name} (in a loop of its own)", f"{(cost - below) * 1e6:.0f} µs"))
        below = cost
    return found


def _cpu(work: Callable[[], object], seconds: float) -> float:
    """Processor seconds that one turn of the work takes."""
    count, start = 0, time.thread_time()
    while time.thread_time() - start < seconds:
        for _ in range(50):
            work()
        count += 50
    return (time.thread_time() - start) / count
