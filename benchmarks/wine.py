"""``python -m benchmarks.wine``: csi-proxy on named pipes against a grpc-go server on the same kind.

Both are Windows programs under Wine, alive at the same time, asked by turns by the same Go client.  Wine
makes a system call of Windows dear, so ratios say more than times, and nothing here was measured on Windows.
"""

import argparse
import base64
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from tests.wine import go_programs
from tools.wine.build_exe import PLACE
from tools.wine.prefix import Prefix
from tools.wine.prepare import prepare

from benchmarks.measure import Row, by_turns, processor_seconds, ratio, resident_bytes, table
from csiproxy.api.filesystem import v1_pb2 as filesystem

HEALTH = "/grpc.health.v1.Health/Check"
PATH_EXISTS = "/v1.Filesystem/PathExists"
KUBELET = "var/lib/kubelet/plugins"
PATH = base64.b64encode(
    filesystem.PathExistsRequest(path="C:\\" + KUBELET.replace("/", "\\")).SerializeToString()
).decode()
OURS, GOS = r"\\.\pipe\csi-proxy-filesystem-v1", r"\\.\pipe\bench-go"
EXE = r"C:\csi-proxy\csi-proxy.exe"
CALLS = {1: 400, 50: 20}
"""Calls of each client, by clients."""
TARGETS = {1: (1.0, 0.8), 50: (1.15, 1.2)}
"""Latency and processor time against grpc-go's, by clients."""
MEMORY = 36e6
"""Bytes: 0.8 times what the Go csi-proxy.exe has."""
START = 0.8
CIM = r"""
import json, time
from csiproxy.windows.com import ComSession
from csiproxy.windows.late_binding import open_namespace
def asked(session):
    began = time.perf_counter()
    session.instances("Win32_BIOS")
    return time.perf_counter() - began
warm = ComSession(open_namespace)
asked(warm)
pairs = []
for _ in range(40):
    cold = ComSession(open_namespace)
    pairs.append((asked(warm), asked(cold)))
    cold.close()
print(json.dumps(pairs))
"""


@contextmanager
def started(prefix: Prefix, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A server that prints a line once it answers."""
    running = prefix.start(*command, stderr=subprocess.DEVNULL)
    with running:
        try:
            assert running.stdout is not None
            if not running.stdout.readline():
                raise RuntimeError(f"{command[0]} did not start")
            yield running
        finally:
            running.kill()


class Client:
    """The Go client, in one program for each measurement."""

    def __init__(self, prefix: Prefix, program: str, clients: int) -> None:
        self._ask = partial(prefix.run, program, str(clients), str(CALLS[clients]))

    def cost(self, server: int, pipe: str, method: str = HEALTH, request: str = "") -> tuple[float, float]:
        """The median latency, and the server's processor time for a call, in seconds."""
        before = processor_seconds(server)
        ended = self._ask(method, request, pipe)
        if ended.returncode:
            raise RuntimeError(ended.stderr)
        told = json.loads(ended.stdout)
        if told["errors"]:
            raise RuntimeError(told["errors"][0])
        return told["p50"], (processor_seconds(server) - before) / told["answered"]


def start_seconds(prefix: Prefix, *command: str) -> float:
    """From the start of a server to the line that says it answers."""
    began = time.monotonic()
    with started(prefix, *command):
        return time.monotonic() - began


def start_rows(rounds: int, subjects: dict[str, Callable[[], float]]) -> list[Row]:
    """How long servers take to answer."""
    found = {name: median(times) for name, times in by_turns(rounds, subjects).items()}
    return [
        Row(
            f"start to answering, {name}",
            f"{seconds:.2f} s",
            f"≤ {START} s" if name == "exe" else "",
            seconds <= START if name == "exe" else None,
        )
        for name, seconds in found.items()
    ]


def call_rows(rounds: int, client: Client, clients: int, ours: int, gos: int) -> list[Row]:
    """What calls cost beside grpc-go, and what the question about a path does."""
    subjects = {
        "ours": partial(client.cost, ours, OURS),
        "go": partial(client.cost, gos, GOS),
        "path": partial(client.cost, ours, OURS, PATH_EXISTS, PATH),
    }
    for subject in subjects.values():
        subject()
    found = by_turns(rounds, subjects)
    who = f"{clients} client" + "s" * (clients > 1)
    rows = []
    for at, (name, target) in enumerate(zip(("p50", "server CPU per call"), TARGETS[clients], strict=True)):
        column = {subject: [costs[at] for costs in measured] for subject, measured in found.items()}
        value = ratio(column["ours"], column["go"])
        rows.append(
            Row(
                f"{who}: {name} against grpc-go",
                f"{value:.2f}× ({median(column['ours']) * 1e3:.2f} ms)",
                f"≤ {target:.2f}×",
                value <= target,
            )
        )
        rows.append(
            Row(
                f"{who}: {name} of PathExists",
                f"{median(column['path']) * 1e3:.2f} ms",
            )
        )
    return rows


def cim_row(prefix: Prefix) -> Row:
    """A query on a connection that stays open, against one that is made for it."""
    pairs = json.loads(prefix.run_python(["-c", CIM]).stdout)
    warm, cold = zip(*pairs, strict=True)
    return Row(
        "warm CIM query against a cold connection's (Win32_BIOS, Wine's own WMI)",
        f"{ratio(warm, cold):.2f}× ({median(warm) * 1e3:.1f} ms)",
    )


def rows(prefix: Prefix, programs: Path, rounds: int) -> list[Row]:
    """Every figure."""
    go = shutil.which("go")
    if go is None:
        raise RuntimeError("go is not installed (make system-packages installs it)")
    crowd, server = (str(go_programs.build(programs, go, name)) for name in ("crowd", "server"))
    shutil.copytree(PLACE, prefix.drive_c / "csi-proxy")
    (prefix.drive_c / KUBELET).mkdir(parents=True)
    serve = ["serve", "--audit-log", r"C:\audit.log"]
    exe = [EXE, *serve]
    script = [prefix.python, "-m", "csiproxy", *serve]
    start = partial(start_seconds, prefix)
    listed = start_rows(
        rounds,
        {
            "exe": partial(start, *exe),
            "script": partial(start, *script),
            "grpc-go with one pipe": partial(start, server, GOS),
        },
    )
    with started(prefix, *exe) as ours, started(prefix, server, GOS) as gos:
        idle, go_idle = resident_bytes(ours.pid), resident_bytes(gos.pid)
        value = f"{idle / 1e6:.0f} MB (grpc-go with one pipe: {go_idle / 1e6:.0f} MB)"
        listed.append(Row("idle memory, 25 pipes", value, f"≤ {MEMORY / 1e6:.0f} MB", idle <= MEMORY))
        for clients in CALLS:
            listed += call_rows(rounds, Client(prefix, crowd, clients), clients, ours.pid, gos.pid)
    return [*listed, cim_row(prefix)]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.wine", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round: shows that it runs, not how fast")
    rounds = 1 if parser.parse_args().quick else 7
    if not PLACE.is_dir():
        sys.exit("csi-proxy.exe is not built: make windows")
    with (
        tempfile.TemporaryDirectory() as scratch,
        Prefix(prepare(), Path(scratch, "prefix")) as prefix,
    ):
        print(table(rows(prefix, Path(scratch), rounds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
