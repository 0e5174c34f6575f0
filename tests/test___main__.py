"""``python -m csiproxy`` is the command."""

import subprocess
import sys

from csiproxy import __version__


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "csiproxy", *arguments], capture_output=True, text=True, timeout=30
    )


def test_it_tells_its_version():
    assert __version__ in run("--version").stdout


def test_its_exit_code_is_the_commands():
    assert run("serve", "--nonsense").returncode == 2
    assert run("versions").returncode == 0
