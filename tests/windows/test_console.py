"""A console's events end the program in order."""

import subprocess
import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

pytestmark = pytest.mark.windows

PROGRAM = """
import ctypes, threading
kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
kernel32.FreeConsole()
assert kernel32.AllocConsole(), ctypes.get_last_error()
from csiproxy.windows.console import Console
console = Console()
print("waits", flush=True)
control_c_for_this_console = 0, 0
threading.Timer(0, kernel32.GenerateConsoleCtrlEvent, control_c_for_this_console).start()
console.wait()
console.stopping(1)
print("stops", flush=True)
"""


def test_control_c_ends_a_wait_at_once() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (0, "waits\nstops\n"), ended.stderr
