"""What a call costs in the gRPC core alone (health Check), against grpclib and grpc-go.

The figures with targets come from a client that is nearly free; grpc-go's own client shows that they hold
for the clients that drivers have.
"""

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.measure import Row, by_turns, directory, process, processor_seconds, python, ratio
from benchmarks.peers.available import grpc_go_command, grpclib_command
from benchmarks.raw_client import Client, Load, Sample

METHOD = "/grpc.health.v1.Health/Check"
OURS = "csi-proxy"
ONE, MANY, WIDE = Load(1, 1), Load(64, 1), Load(64, 64)
TARGETS = {
    ("grpclib", ONE, "CPU"): 0.25,
    ("grpclib", MANY, "CPU"): 0.10,
    **{("grpc-go", load, figure): target for load, target in ((ONE, 1.2), (MANY, 1.0), (WIDE, 1.3))
       for figure in ("CPU", "p50")},
}  # fmt: skip


@dataclass(frozen=True)
class Server:
    """A running server: its process and its socket."""

    pid: int
    path: Path


@dataclass(frozen=True)
class Cost:
    """What a run of calls cost: seconds of the server's processors a call, and what the client saw."""

    cpu: float
    seen: Sample


def rows(rounds: int, seconds: float) -> list[Row]:
    with directory() as work, ExitStack() as running:
        commands = {
            OURS: python("-m", "benchmarks.peers.csiproxy_core"),
            "grpclib": grpclib_command(),
            "grpc-go": grpc_go_command("server", work),
        }
        servers: dict[str, Server] = {}
        missing = []
        for name, command in commands.items():
            if command is None:
                missing.append(Row(f"the core against {name}", "not installed here"))
                continue
            path = work / f"{name}.sock"
            servers[name] = Server(running.enter_context(process([*command, str(path)])).pid, path)
        go_client = grpc_go_command("client", work)
        found = []
        for load in (ONE, MANY, WIDE):
            found += _through_raw_client(load, servers, rounds, seconds)
            if go_client:
                found += _through_go_client(go_client, load, servers, rounds, seconds)
        return found + missing


def _through_raw_client(load: Load, servers: Mapping[str, Server], rounds: int, seconds: float) -> list[Row]:
    clients = {name: Client(server.path, METHOD, b"", load) for name, server in servers.items()}
    for client in clients.values():
        client.run(seconds / 4)
    start, used = time.perf_counter(), time.process_time()
    runs = {name: _cost_of(servers[name], partial(client.run, seconds)) for name, client in clients.items()}
    costs = by_turns(rounds, runs)
    busy = (time.process_time() - used) / (time.perf_counter() - start)
    for client in clients.values():
        client.close()
    mine = median(cost.cpu for cost in costs[OURS]) * 1e6
    p50 = median(cost.seen.p50 for cost in costs[OURS]) * 1e6
    return [
        Row(f"{load}: server CPU per call of our core", f"{mine:.0f} µs"),
        Row(f"{load}: p50 of our core", f"{p50:.0f} µs (client busy {busy:.0%})"),
        *_against_peers(str(load), load, costs),
    ]


def _through_go_client(
    client: list[str], load: Load, servers: Mapping[str, Server], rounds: int, seconds: float
) -> list[Row]:
    def run(server: Server) -> Sample:
        arguments = (str(server.path), str(load.calls), str(load.connections), str(seconds))
        done = subprocess.run([*client, *arguments], stdout=subprocess.PIPE, check=True)
        seen = json.loads(done.stdout)
        return Sample(seen["calls"], seen["p50"], seen["calls"] / seconds)

    names = [OURS, "grpc-go"]
    runs = {name: _cost_of(servers[name], partial(run, servers[name])) for name in names}
    return _against_peers(f"{load}, grpc-go's client", None, by_turns(rounds, runs))


def _cost_of(server: Server, run: Callable[[], Sample]) -> Callable[[], Cost]:
    def measured() -> Cost:
        before = processor_seconds(server.pid)
        seen = run()
        return Cost((processor_seconds(server.pid) - before) / seen.calls, seen)

    return measured


def _against_peers(label: str, load: Load | None, costs: Mapping[str, list[Cost]]) -> list[Row]:
    figures: dict[str, Callable[[Cost], float]] = {
        "CPU": lambda cost: cost.cpu,
        "p50": lambda cost: cost.seen.p50,
        "calls per second": lambda cost: cost.seen.per_second,
    }
    found = []
    for peer in sorted(costs.keys() - {OURS}):
        for figure, of in figures.items():
            value = ratio([of(cost) for cost in costs[OURS]], [of(cost) for cost in costs[peer]])
            target = TARGETS.get((peer, load, figure)) if load else None
            found.append(
                Row(
                    f"{label}: {figure} against {peer}",
                    f"{value:.2f}×",
                    f"≤ {target:.2f}×" if target else "",
                    value <= target if target else None,
                )
            )
    return found
