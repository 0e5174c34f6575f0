"""What a proxy costs before anybody calls it: processor time until the first answer, and idle memory."""

import time
from statistics import median

from benchmarks.measure import (
    Row,
    all_processor_seconds,
    directory,
    process,
    processor_seconds,
    python,
    resident_bytes,
)
from benchmarks.raw_client import Client, Load
from csiproxy.emulator import connect
from csiproxy.emulator.control import Control

METHOD = "/v1.Filesystem/PathExists"
MIB = 1 << 20


def rows(rounds: int, seconds: float) -> list[Row]:
    with directory() as work:
        connect.connect(f"{work}/n")  # the node is there before: what is measured is the proxy
        measured = [_start(f"{work}/n") for _ in range(rounds)]
        with Control(f"{work}/n") as control:
            control.stop()
    memory, before_reply, until_reply = (median(column) for column in zip(*measured, strict=True))
    return [
        Row(
            "idle memory of serve with all contracts (resident)",
            f"{memory / MIB:.1f} MiB",
            "≤ 24 MB",
            memory <= 24e6,
        ),
        Row("CPU from start to readiness", f"{before_reply:.2f} s"),
        Row("CPU from start to first reply", f"{until_reply:.2f} s", "≤ 0.20 s", until_reply <= 0.20),
    ]


def _start(node: str) -> tuple[float, float, float]:
    with process(
        python("-m", "csiproxy", "serve", "--host", f"emulator:{node}", "--audit-log", "/dev/null")
    ) as one:
        time.sleep(0.1)  # until the threads of the start have ended
        memory = resident_bytes(one.pid)
        ready = max(processor_seconds(one.pid), all_processor_seconds(one.pid))
        from pathlib import Path

        client = Client(Path(node, "endpoints", "csi-proxy-filesystem-v1.sock"), METHOD, b"", Load(1, 1))
        client.batch()
        client.close()
        return memory, ready, max(processor_seconds(one.pid), all_processor_seconds(one.pid))
