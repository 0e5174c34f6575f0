"""csi-proxy installed into a Windows Python by pip."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pip
import pytest
from tools.wine.prefix import SOURCE, Prefix, windows_path

import csiproxy

pytestmark = pytest.mark.wine

SITE = r"C:\installed\Lib\site-packages"


@pytest.fixture(scope="module")
def installed(wine: Prefix, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prefix]:
    """The wheel is made here, and pip is this Python's own: it is the same for all systems."""
    made = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(made), str(SOURCE)]
    subprocess.run(build, check=True, env={**os.environ, "PYTHONPATH": ""})
    [wheel] = made.glob("csi_proxy-*.whl")
    shutil.copytree(Path(pip.__file__).parent, wine.drive_c / "pip" / "pip")
    flags = ["--no-index", "--no-deps", "--prefix", r"C:\installed", "--no-warn-script-location"]
    ended = python(wine, r"C:\pip", "-m", "pip", "install", "-q", *flags, windows_path(wheel))
    assert ended.returncode == 0, ended.stderr
    yield wine
    shutil.rmtree(wine.drive_c / "installed")
    shutil.rmtree(wine.drive_c / "pip")


def python(wine: Prefix, path: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return wine.run_python(arguments, environment={"PYTHONPATH": path})


def test_the_command_is_there_and_runs_what_was_installed(installed: Prefix) -> None:
    command = str(installed.drive_c / "installed" / "Scripts" / "csi-proxy.exe")
    ended = installed.run(command, "--version", environment={"PYTHONPATH": SITE})
    assert ended.stdout.strip() == f"csi-proxy {csiproxy.__version__}", ended.stderr
    where = python(installed, SITE, "-c", "import csiproxy; print(csiproxy.__file__)")
    assert where.stdout.strip() == rf"{SITE}\csiproxy\__init__.py"


def test_what_it_wants_on_windows_is_what_these_tests_have(installed: Prefix) -> None:
    ended = python(installed, rf"C:\pip;{SITE}", "-m", "pip", "check")
    assert ended.returncode == 0, ended.stdout
