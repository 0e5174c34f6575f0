"""What an audit record costs: made, chained, signed and written; and what it would without the chain."""

import io
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.measure import Row, by_turns, directory
from csiproxy.audit import key
from csiproxy.audit.chained_file import Bounds, ChainedFile
from csiproxy.audit.head import Head
from csiproxy.audit.key import Key
from csiproxy.audit.plain_file import PlainFile
from csiproxy.errors import Code
from csiproxy.rpc.stream import Peer
from csiproxy.server.audit import Record, Trail, encode

TARGET = 10e-6
RECORD = Record(
    time=datetime(2026, 1, 31, tzinfo=UTC),
    endpoint="csi-proxy-filesystem-v2alpha1",
    rpc="/v2alpha1.Filesystem/PathExists",
    peer=Peer(4711, 0),
    arguments={"path": r"C:\var\lib\kubelet\plugins\kubernetes.io\csi"},
    outcome=Code.OK,
    windows_code=0,
    seconds=0.000123,
    id="0a1b2c3d-4711",
)


def rows(rounds: int, seconds: float) -> list[Row]:
    with directory() as work:
        plain = Trail(PlainFile.open(f"{work}/plain"), io.StringIO())
        file = _chained(work)
        chained = Trail(file, io.StringIO())
        subjects: dict[str, Callable[[], object]] = {
            "made": lambda: encode(RECORD),
            "plain": lambda: plain.write(RECORD),
            "chained": lambda: chained.write(RECORD),
        }
        costs = by_turns(rounds, {name: partial(_cpu, work, seconds / 4) for name, work in subjects.items()})
        file.close()
    made, written, kept = (median(costs[name]) for name in subjects)
    extra = kept - written
    return [
        Row("an audit record: made as JSON", f"{made * 1e6:.1f} µs"),
        Row("— written to a file as it is", f"{written * 1e6:.1f} µs"),
        Row("— written to a chained, signed file with a head", f"{kept * 1e6:.1f} µs"),
        Row("what chain, signatures and head add", f"{extra * 1e6:.1f} µs", "≤ 10 µs", extra <= TARGET),
    ]


def _chained(work: Path) -> ChainedFile:
    head = Head(os.open(work / "head", os.O_RDWR | os.O_CREAT, 0o600))
    return ChainedFile(f"{work}/chained", Key.read(key.make()), head, Bounds(64 << 20, 2))


def _cpu(work: Callable[[], object], seconds: float) -> float:
    """Processor seconds that one turn of the work takes."""
    count, start = 0, time.thread_time()
    while time.thread_time() - start < seconds:
        for _ in range(50):
            work()
        count += 50
    return (time.thread_time() - start) / count
