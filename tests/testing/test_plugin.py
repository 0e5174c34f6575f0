"""The pytest plugin, in runs of pytest of its own."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(directory: Path, test: str, *arguments: str, ini: str = "") -> subprocess.CompletedProcess[str]:
    (directory / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
    (directory / "test_driver.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-p", "csiproxy.testing.plugin", "-p", "no:cacheprovider"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    return subprocess.run(
        [*command, "-q", *arguments, "test_driver.py"],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_driver_author_gets_nodes_as_fixtures(tmp_path):
    done = run(
        tmp_path,
        """
def test_one(csi_proxy_node):
    with csi_proxy_node.client() as client:
        assert client.disk.get_disk_state(0)

def test_two(csi_proxy_nodes):
    assert csi_proxy_nodes.first.directory != csi_proxy_nodes.second.directory
""",
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_the_versions_can_be_old_ones_and_the_node_shared(tmp_path):
    done = run(
        tmp_path,
        """
import pytest
seen = set()

@pytest.fixture(scope="module")
def csi_proxy_versions():
    return ("disk/v1beta1",)

@pytest.mark.parametrize("turn", [1, 2])
def test_shared(csi_proxy_node, turn):
    seen.add(csi_proxy_node.directory)
    with csi_proxy_node.client() as client:
        assert client.served() == ("disk/v1beta1",)
    assert len(seen) == 1
""",
        ini="csi_proxy_node_scope = module",
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_a_run_that_uses_no_fixture_loads_nothing_of_the_emulator_or_client(tmp_path):
    done = run(
        tmp_path,
        """
import sys

def test_nothing_was_loaded():
    mine = {name for name in sys.modules if name.startswith("csiproxy")}
    assert mine <= {"csiproxy", "csiproxy.version", "csiproxy.testing", "csiproxy.testing.plugin"}
    assert not any(name.startswith("google.protobuf") for name in sys.modules)
""",
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_pytest_finds_the_plugin_under_its_modules_name():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"csiproxy.testing.plugin": "csiproxy.testing.plugin"}
