"""A trail of a few calls, made by the real writer, and the command line to read it."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from csiproxy.auditing import AuditSettings, open_trail
from csiproxy.log import Output

CALLS = (
    ("12:00:00", "/v1.Disk/PartitionDisk", {"disk_number": 1}, "OK", {"pid": 7, "uid": 0}),
    (
        "12:00:01",
        "/v1.Volume/MountVolume",
        {
            "volume_id": "\\\\?\\Volume{3d178a9a-1209-432f-91e4-69a5136113d3}\\",
            "target_path": r"C:\var\lib\kubelet\pods\u-1\volumes\kubernetes.io~csi\pvc-c-1\mount",
        },
        "OK",
        {"pid": 8, "uid": None, "account": r"NODE\driver", "image": r"C:\driver.exe"},
    ),
    ("12:00:02", "/v1.Filesystem/PathExists", {"path": r"D:\x"}, "PERMISSION_DENIED", {"pid": 8}),
)


@pytest.fixture
def trail(tmp_path: Path) -> Path:
    path = tmp_path / "audit.jsonl"
    audit = open_trail(AuditSettings(str(path), "", False, (), 0, 16), Output(), io.StringIO())
    audit.trail.event("start", pid=1)
    for number, (time, rpc, arguments, outcome, caller) in enumerate(CALLS):
        line = {"time": f"2026-01-31T{time}Z", "id": f"a-{number}", "rpc": rpc, "caller": caller}
        line |= {"arguments": arguments, "outcome": outcome}
        if outcome != "OK":
            line |= {"decision": "refused", "rule": "prefix"}
        audit._file.write(json.dumps(line).encode() + b"\n")
    audit.close()
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run ``csi-proxy audit …``: the exit code and what was printed."""
    from csiproxy.cli.commands import main

    def runs(*arguments: object) -> tuple[int, str]:
        code = main(["audit", *map(str, arguments)])
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    return runs
