"""The completion port as a poller: posts, wakes and sources that tell of themselves."""

import sys
from threading import Thread

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from tests.rpc.pipes import listener, pipe_name, polled, wait_for

from csiproxy.rpc.memory import pair
from csiproxy.rpc.pipe import connect
from csiproxy.rpc.pipe_poller import PipePoller
from csiproxy.rpc.poller import READ, WRITE, native_poller

pytestmark = pytest.mark.windows


def test_it_is_this_systems_own() -> None:
    native: PipePoller[str] = native_poller()  # type: ignore[assignment]
    assert isinstance(native, PipePoller)
    native.close()


def test_nothing_happens_until_the_time_is_over() -> None:
    with polled() as poller:
        assert poller.wait(0.001) is None
        assert poller.wait(0) is None


def test_posted_tokens_come_in_order() -> None:
    with polled() as poller:
        poller.post("first")
        poller.post("second")
        assert [poller.wait(5), poller.wait(5)] == [("first", READ | WRITE), ("second", READ | WRITE)]
        assert poller.wait(0) is None


def test_a_wait_without_end_is_woken_from_another_thread() -> None:
    with polled() as poller:
        thread = Thread(target=poller.wake)
        thread.start()
        assert poller.wait(None) is None
        thread.join()


def test_a_source_without_a_handle_tells_of_itself() -> None:
    with polled() as poller:
        left, right = pair()
        poller.add(left, "left")
        right.send(b"x")
        assert wait_for(poller, "left") == READ | WRITE
        assert left.receive(10) == b"x"


def test_what_was_removed_is_not_reported() -> None:
    pipe = pipe_name()
    listening = listener(pipe, waiting=1)
    with polled() as poller:
        poller.add(listening, "listener")
        poller.remove(listening)
        client = connect(pipe)
        assert poller.wait(0.05) is None
        client.close()
        listening.close()
