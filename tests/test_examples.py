"""Every example runs, prints what it promises, and leaves nothing behind."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
PROMISED = {
    "01-from-the-shell.sh": ("ready: 25 endpoints", "mounted at", '"rpc":"/v1.Volume/MountVolume"'),
    "02-from-grpcio.py": ("disk 0: serial number", "FAILED_PRECONDITION: disk 0 is not partitioned"),
    "03-from-python.py": ("is mounted, ", "FailedPrecondition, Windows error 50: disk 0 is not partitioned"),
    "04-from-asyncio.py": ("8 volumes are formatted",),
    "05-without-a-proxy.py": ("disk 0: serial number", "2 calls are in the audit log"),
    "06-test-a-driver": ("3 passed",),
    "08-find-a-rogue-call.py": (
        "1 of 19 calls were not asked for by a PersistentVolume; 16 were, 2 are about the node",
        "disk 3 belongs to no PersistentVolume that was used",
        "is missing at the end of the trail",
    ),
}


def _program(example: str) -> list[str]:
    """What runs an example: a program, or tests in a folder."""
    if (EXAMPLES / example).is_dir():
        tests = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
        return [sys.executable, "-B", *tests, "-p", "csiproxy.testing.plugin"]
    return [sys.executable] if example.endswith(".py") else ["/bin/sh"]


def test_every_example_is_tested() -> None:
    others = {"README.md", "kubernetes-audit.jsonl"}
    played = {"07-sql-server.yaml"}  # by csi-proxy testing node-sim, in tests/cli/testing
    assert {path.name for path in EXAMPLES.iterdir()} - others - played == set(PROMISED)


@pytest.mark.parametrize("example", PROMISED)
def test_an_example_runs_and_leaves_nothing_behind(
    example: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    commands = tmp_path / "bin"
    commands.mkdir()
    launcher = commands / "csi-proxy"
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m csiproxy "$@"\n')
    launcher.chmod(0o755)
    # Not below tmp_path: the address of a socket holds no more than 107 bytes.
    temporary = Path(tempfile.mkdtemp(prefix="x"))
    request.addfinalizer(lambda: shutil.rmtree(temporary, ignore_errors=True))
    environment = {
        **os.environ,
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        "TMPDIR": str(temporary),
        "COLUMNS": "200",
    }
    done = subprocess.run(
        [*_program(example), str(EXAMPLES / example)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for text in PROMISED[example]:
        assert text in done.stdout
    assert list(temporary.iterdir()) == []
