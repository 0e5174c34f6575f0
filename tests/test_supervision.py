"""Who ends the daemon, on a system with signals."""

import subprocess
import sys

import pytest

from csiproxy import supervision

PROGRAM = """
import os, signal
from csiproxy.supervision import foreground
supervisor = foreground()
supervisor.serving()
os.kill(os.getpid(), signal.{name})
supervisor.wait()
supervisor.stopping(1.0)
print("stops", signal.getsignal(signal.SIGINT) is signal.SIG_DFL)
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_the_wait_and_a_second_interrupt_would_end_the_process(name):
    code = PROGRAM.format(name=name)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stdout) == (0, "stops True\n"), ended.stderr


def test_there_are_no_windows_services_here():
    with pytest.raises(supervision.NoService, match="leave out --windows-service"):
        supervision.as_service(lambda supervisor: 0)
    with pytest.raises(OSError, match="no such place"):
        supervision.service_log()
    assert supervision.service_problem() == ""
