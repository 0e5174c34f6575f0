"""What a call costs in the gRPC core alone (health Check), against grpclib and grpc-go."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks.measure import Row, by_turns, directory, process, processor_seconds, python, ratio
from benchmarks.peers.available import grpc_go_command, grpclib_command
from benchmarks.raw_client import Client, Load

METHOD = "/grpc.health.v1.Health/Check"
ONE, MANY, WIDE = Load(1, 1), Load(64, 1), Load(64, 64)
TARGETS = {
    ("grpclib", ONE, "CPU"): 0.25,
    ("grpclib", MANY, "CPU"): 0.10,
    **{("grpc-go", load, figure): target for load, target in ((ONE, 1.2), (MANY, 1.0), (WIDE, 1.3))
       for figure in ("CPU", "p50")},
}  # fmt: skip


def rows(rounds: int, seconds: float) -> list[Row]:
    with directory() as work, ExitStack() as running:
        commands = {
            "csi-proxy": python("-m", "benchmarks.peers.csiproxy_core"),
            "grpclib": grpclib_command(),
            "grpc-go": grpc_go_command(work),
        }
        servers: dict[str, tuple[int, Path]] = {}
        missing = []
        for name, command in commands.items():
            if command is None:
                missing.append(Row(f"the core against {name}", "not installed here"))
                continue
            path = work / f"{name}.sock"
            servers[name] = running.enter_context(process([*command, str(path)])).pid, path
        found = []
        for load in (ONE, MANY, WIDE):
            found += _compare(load, servers, rounds, seconds)
        return found + missing


def _compare(load: Load, servers: dict[str, tuple[int, Path]], rounds: int, seconds: float) -> list[Row]:
    latency: dict[str, list[float]] = {name: [] for name in servers}
    rate: dict[str, list[float]] = {name: [] for name in servers}
    clients = {name: Client(path, METHOD, b"", load) for name, (_, path) in servers.items()}

    def subject(name: str) -> Callable[[], float]:
        def work() -> float:
            before = processor_seconds(servers[name][0])
            calls, p50, per_second = clients[name].run(seconds)
            latency[name].append(p50)
            rate[name].append(per_second)
            return (processor_seconds(servers[name][0]) - before) / calls

        return work

    for client in clients.values():
        client.run(seconds / 4)
    cost = by_turns(rounds, {name: subject(name) for name in servers})
    for client in clients.values():
        client.close()
    ours = f"{median(cost['csi-proxy']) * 1e6:.0f} µs"
    found = [Row(f"{load}: server CPU per call of our core", ours)]
    for peer in servers:
        if peer == "csi-proxy":
            continue
        figures = {
            "CPU": ratio(cost["csi-proxy"], cost[peer]),
            "p50": ratio(latency["csi-proxy"], latency[peer]),
            "calls per second": ratio(rate["csi-proxy"], rate[peer]),
        }
        for figure, value in figures.items():
            target = TARGETS.get((peer, load, figure))
            found.append(
                Row(
                    f"{load}: {figure} against {peer}",
                    f"{value:.2f}×",
                    f"≤ {target:.2f}×" if target else "",
                    value <= target if target else None,
                )
            )
    return found
