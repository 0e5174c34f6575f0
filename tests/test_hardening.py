"""A process gives up what it does not need (on Windows: tests/windows/test_privileges.py)."""

import subprocess
import sys

import pytest

from csiproxy.hardening import Hardening

PROGRAM = """
from csiproxy.hardening import harden
print(harden())
print([line for line in open("/proc/self/status") if line.startswith("NoNewPrivs")])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's switch is Linux'")
def test_no_program_that_is_started_gets_more_rights():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    said, status = done.stdout.splitlines()
    assert said == str(Hardening(("new privileges by execve",)))
    assert status == r"['NoNewPrivs:\t1\n']"
