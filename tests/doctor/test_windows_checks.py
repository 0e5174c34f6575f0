"""This Windows is looked at line by line, and pipes are told by who serves them."""

import subprocess
import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from csiproxy.doctor import windows_checks
from csiproxy.doctor.checks import State

pytestmark = pytest.mark.windows

SERVER = """
import sys, threading
from csiproxy.api.endpoints import pipe_name
from csiproxy.rpc.pipe_listener import PipeListener, SDDL, SecurityDescriptor
from csiproxy.rpc.pipe_port import CompletionPort
listener = PipeListener(pipe_name("csi-proxy-disk-v1"), "csi-proxy-disk-v1", SecurityDescriptor(SDDL))
listener.attach(CompletionPort(), lambda: None)
print("up", flush=True)
sys.stdin.read()
"""


def test_every_line_has_a_state_and_what_is_not_well_a_next_step() -> None:
    found = list(windows_checks.of_this_machine())
    assert {"Windows", "account", "links", "data folder", "service", "pipes"} == {one.name for one in found}
    assert all(one.seen for one in found)
    assert all(one.next_step for one in found if one.state is State.FAILED)
    assert "nobody serves any" in next(one.seen for one in found if one.name == "pipes")


def test_a_pipe_is_told_with_the_process_that_serves_it() -> None:
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout.readline().strip() == "up"
        found = [one for one in windows_checks.of_this_machine() if one.name == "pipes"]
        server.communicate()
    assert any(f"process {server.pid} " in one.seen and one.state is State.OK for one in found)
    assert any("nobody serves" in one.seen and one.state is State.NOTE for one in found)
