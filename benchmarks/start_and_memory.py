"""What a proxy costs before anybody calls it: processor time until the first answer, and idle memory."""

from statistics import median

from benchmarks.measure import Row, processor_seconds, resident_bytes
from benchmarks.node import Node, emulated_node
from benchmarks.raw_client import Client, Load

METHOD = "/v1.Filesystem/PathExists"
MIB = 1 << 20


def rows(rounds: int, seconds: float) -> list[Row]:
    with emulated_node() as node:  # it is there before: what is measured is the proxy
        measured = [_start(node) for _ in range(rounds)]
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


def _start(node: Node) -> tuple[float, float, float]:
    """Resident bytes, processor seconds until ready, and until the first reply."""
    with node.proxy() as one:
        memory, ready = resident_bytes(one.pid), processor_seconds(one.pid)
        client = Client(node.endpoint("filesystem-v1"), METHOD, b"", Load(1, 1))
        client.run(0)
        client.close()
        return memory, ready, processor_seconds(one.pid)
