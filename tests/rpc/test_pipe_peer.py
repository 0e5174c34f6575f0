"""Who is at the other end of a pipe."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from tests.rpc.pipes import listener, pipe_name, polled, wait_for

from csiproxy.rpc.pipe import PipeClient, PipeStream, connect
from csiproxy.rpc.pipe_peer import account_name, account_of, server_of, serves_rightfully

pytestmark = pytest.mark.windows


@pytest.fixture
def ends() -> Iterator[tuple[PipeStream, PipeClient]]:
    pipe = pipe_name()
    listening = listener(pipe)
    with polled() as poller:
        poller.add(listening, "listener")
        client = connect(pipe)
        wait_for(poller, "listener")
        served = listening.accept()
        poller.add(served, "served")
        client.send(b"hello")
        wait_for(poller, "served")
        assert served.receive(10) == b"hello"
        yield served, client
        served.close()
        client.close()
        listening.close()


def test_both_ends_know_each_others_process(ends: tuple[PipeStream, PipeClient]) -> None:
    for end in ends:
        assert end.peer.pid == os.getpid()
        assert end.peer.image.lower().endswith("python.exe")
        assert end.peer.session is not None
        assert end.peer.account.endswith(f"\\{os.environ['USERNAME']}")
        assert end.peer.uid is None


def test_a_pipe_of_an_administrator_is_rightful(ends: tuple[PipeStream, PipeClient]) -> None:
    _, client = ends
    assert client._handle is not None
    assert server_of(client._handle).pid == os.getpid()
    assert serves_rightfully(client._handle)


def test_this_account_is_an_administrator_here() -> None:
    assert account_of(os.getpid()).privileged


def test_a_process_that_is_not_there_has_no_account() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    pid = ended.pid
    del ended
    with pytest.raises(OSError):
        account_of(pid + 2**20 * 4)


def test_accounts_of_this_machine_have_names_and_others_keep_their_sid() -> None:
    assert account_name("S-1-5-18").upper().endswith("SYSTEM")
    assert account_name("S-1-5-21-1-2-3-4444") == "S-1-5-21-1-2-3-4444"
    assert account_name("nonsense") == "nonsense"
