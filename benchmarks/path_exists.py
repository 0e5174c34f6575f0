"""What a whole PathExists costs: walk by handle, binding, audit record; and where it goes."""

import io
import time
from statistics import median

from benchmarks.measure import Row, by_turns, directory, process, processor_seconds, python
from benchmarks.raw_client import Client, Load
from csiproxy.api import versions
from csiproxy.api.filesystem import v2alpha1_pb2 as filesystem
from csiproxy.emulator.machine import Machine
from csiproxy.host import Host
from csiproxy.operations import build
from csiproxy.operations.configuration import Configuration
from csiproxy.operations.context import Context
from csiproxy.server import route
from csiproxy.server.audit import FileSink, Trail
from csiproxy.server.dispatch import Dispatcher

METHOD = "/v2alpha1.Filesystem/PathExists"
HEALTH = "/grpc.health.v1.Health/Check"
KUBELET = r"C:\var\lib\kubelet"
PATH = KUBELET + r"\plugins\kubernetes.io\csi"
TARGET = 80e-6


def rows(rounds: int, seconds: float) -> list[Row]:
    request = filesystem.PathExistsRequest(path=PATH).SerializeToString()
    with directory() as work:
        command = python(
            "-m", "csiproxy", "serve", "--host", f"emulator:{work}/n", "--audit-log", f"{work}/audit"
        )
        with process(command) as server:
            socket = work / "n" / "endpoints" / "csi-proxy-filesystem-v2alpha1.sock"
            clients = {
                "PathExists": Client(socket, METHOD, request, Load(1, 1)),
                "Check": Client(socket, HEALTH, b"", Load(1, 1)),
            }

            def cost(name: str) -> float:
                before = processor_seconds(server.pid)
                calls, _, _ = clients[name].run(seconds)
                return (processor_seconds(server.pid) - before) / calls

            for client in clients.values():
                client.run(seconds / 4)
            found = by_turns(rounds, {name: lambda name=name: cost(name) for name in clients})
            for client in clients.values():
                client.close()
        _stop(work)
        whole, bare = median(found["PathExists"]), median(found["Check"])
        extra = whole - bare
        return [
            Row(
                "a whole PathExists on top of the bare call: CPU",
                f"{extra * 1e6:.0f} µs ({whole / bare:.1f}× the bare call of {bare * 1e6:.0f} µs)",
                "≤ 80 µs",
                extra <= TARGET,
            ),
            *_layers(work, request, seconds),
        ]


def _stop(work: object) -> None:
    from csiproxy.emulator.control import Control

    with Control(f"{work}/n") as control:
        control.stop()


def _layers(work: object, request: bytes, seconds: float) -> list[Row]:
    """The same request through one more layer each time, in this process."""
    with Machine(f"{work}/m") as machine:
        configuration = Configuration(KUBELET, (), PATH, KUBELET + r"\pods", allow_reformat=False)
        operations = build(Host(machine.session, machine.win32), configuration)
        contract = versions.contract("filesystem/v2alpha1")
        way = route.find(contract, METHOD, operations)
        assert way is not None
        sink = FileSink.open(f"{work}/layers")
        dispatcher = Dispatcher([contract], operations, Trail(sink, io.StringIO()), io.StringIO())
        from csiproxy.rpc.call import Call
        from csiproxy.rpc.stream import Peer

        def dispatch() -> None:
            dispatcher(Call(contract.endpoint, METHOD, request, Peer(1, 0)))

        steps = {
            "operation, storage and host: the walk": lambda: operations.filesystem.path_exists(
                Context(), path=PATH
            ),
            "binding and protobuf": lambda: way.run(Context(), request, way.decode(request)),
            "dispatch and audit record": dispatch,
        }
        costs = {name: _cpu(step, seconds) for name, step in steps.items()}
    found, below = [], 0.0
    for name, cost in costs.items():
        found.append(Row(f"— of it {name}", f"{(cost - below) * 1e6:.0f} µs"))
        below = cost
    return found


def _cpu(work: object, seconds: float) -> float:
    count, start = 0, time.thread_time()
    while time.thread_time() - start < seconds:
        for _ in range(50):
            work()  # type: ignore[operator]
        count += 50
    return (time.thread_time() - start) / count
