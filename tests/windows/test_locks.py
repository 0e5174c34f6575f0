"""Locks among proxies: the death of a holder frees them, and every process is excluded."""

import subprocess
import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from csiproxy.errors import Win32Error
from csiproxy.windows.locks import held
from csiproxy.windows.nt_calls import NtCalls

pytestmark = pytest.mark.windows

HOLDER = """
import sys
from csiproxy.windows.locks import held
from csiproxy.windows.nt_calls import NtCalls
with held(NtCalls(), sys.argv[1], "disk 1", 60.0):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", ["released", "killed"])
def test_another_process_is_excluded_until_the_holder_is_done_or_dead(tmp_path, end) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Win32Error) as failure, held(NtCalls(), str(tmp_path), "disk 1", 0.1):
            pass
        assert failure.value.windows_code == 258
        with held(NtCalls(), str(tmp_path), "disk 2", 0.0):
            pass
        holder.communicate() if end == "released" else holder.kill()
    with held(NtCalls(), str(tmp_path), "disk 1", 60.0):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_no_lock_that_is_held(tmp_path) -> None:
    with pytest.raises(Win32Error) as failure, held(NtCalls(), str(tmp_path / "none"), "x", 60.0):
        pass
    assert failure.value.windows_code == 3
