"""Every benchmark runs and gives figures; how good they are is not a test's business."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "name", ["audit_trail", "core_call", "path_exists", "pods", "sdk_call", "start_and_memory", "volume_life"]
)
def test_a_benchmark_runs_and_gives_figures(name: str) -> None:
    command = [sys.executable, "-m", "benchmarks", "--quick", "--json", name]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert len(rows) >= 2
    assert all(
        any(character.isdigit() for character in row["value"]) or "not installed" in row["value"]
        for row in rows
    )
    assert all("nan" not in row["value"] for row in rows)
