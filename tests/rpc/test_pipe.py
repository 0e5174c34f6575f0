"""A pipe between two ends of this process: bytes, the end, and writes that take longer."""

import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from tests.rpc.pipes import listener, pipe_name, polled, wait_for

from csiproxy.rpc.pipe import PipeClient, PipeStream, connect
from csiproxy.rpc.pipe_poller import PipePoller
from csiproxy.rpc.poller import HANGUP, READ, WRITE

pytestmark = pytest.mark.windows


def fill(end: PipeStream, block: bytes) -> int:
    """Write ``block`` until a write does not end; give the bytes of those that did."""
    sent = 0
    while True:
        try:
            sent += end.send(block)
        except BlockingIOError:
            return sent


Ends = tuple[PipePoller[str], PipeStream, PipeClient]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A poller with the served end ("served") under it, and the calling end."""
    pipe = pipe_name()
    listening = listener(pipe, waiting=1)
    with polled() as poller:
        poller.add(listening, "listener")
        calling = connect(pipe)
        wait_for(poller, "listener")
        served = listening.accept()
        poller.remove(listening)
        listening.close()
        poller.add(served, "served")
        yield poller, served, calling
        poller.remove(served)
        served.close()
        calling.close()


def test_what_one_end_writes_the_other_reads(ends: Ends) -> None:
    poller, served, calling = ends
    assert calling.send(b"question") == 8
    assert wait_for(poller, "served") == READ
    assert served.receive(100) == b"question"
    assert served.send(b"answer") == 6
    assert calling.wait(write=False, timeout=10)
    assert calling.receive(100) == b"answer"


def test_nothing_to_read_is_no_end(ends: Ends) -> None:
    _, served, calling = ends
    for end in (served, calling):
        with pytest.raises(BlockingIOError):
            end.receive(100)
    assert not calling.wait(write=False, timeout=0.01)


def test_the_end_comes_after_everything_that_was_written(ends: Ends) -> None:
    poller, served, calling = ends
    calling.send(b"last words")
    calling.close()
    assert wait_for(poller, "served") & READ
    assert served.receive(100) == b"last words"
    assert wait_for(poller, "served") & READ
    assert served.receive(100) == b""
    with pytest.raises(BrokenPipeError):
        served.send(b"too late")


def test_what_was_written_before_hanging_up_can_still_be_read(ends: Ends) -> None:
    poller, served, calling = ends
    served.send(b"goodbye")
    poller.remove(served)
    served.close()
    assert calling.wait(write=False, timeout=10)
    assert calling.receive(100) == b"goodbye"
    assert calling.wait(write=False, timeout=10)
    assert calling.receive(100) == b""


def test_a_read_takes_no_more_than_was_asked_for_and_reports_the_rest(ends: Ends) -> None:
    poller, served, calling = ends
    calling.send(b"abcdef")
    wait_for(poller, "served")
    assert served.receive(2) == b"ab"
    assert wait_for(poller, "served") & READ
    assert served.receive(100) == b"cdef"


def test_a_write_that_nobody_reads_blocks_until_somebody_does_and_is_not_lost(ends: Ends) -> None:
    poller, served, calling = ends
    block = bytes(range(256)) * 1024
    sent = fill(served, block)
    with pytest.raises(BlockingIOError):
        served.send(block)
    poller.watch(served, read=False, write=True)
    received = b""
    while len(received) < sent + len(block):
        assert calling.wait(write=False, timeout=10)
        received += calling.receive(65536)
    assert wait_for(poller, "served") == WRITE
    assert served.send(block) == len(block)
    assert received == block * (len(received) // len(block))


def test_a_write_that_did_not_end_has_to_be_repeated_as_it_was(ends: Ends) -> None:
    poller, served, calling = ends
    fill(served, b"x" * 100_000)
    poller.watch(served, read=False, write=True)
    while not (event := poller.wait(0.05)) or event != ("served", WRITE):
        calling.wait(write=False, timeout=10)
        calling.receive(65536)
    with pytest.raises(ValueError, match="same bytes"):
        served.send(b"y" * 100_000)


def test_what_is_not_watched_is_not_reported_but_the_peers_end_is(ends: Ends) -> None:
    poller, served, calling = ends
    poller.watch(served, read=False, write=False)
    calling.send(b"unheard")
    assert poller.wait(0.05) is None
    poller.watch(served, read=True, write=False)
    assert wait_for(poller, "served") & READ
    assert served.receive(100) == b"unheard"
    poller.watch(served, read=False, write=False)
    calling.close()
    assert wait_for(poller, "served") == HANGUP


def test_a_large_message_arrives_whole(ends: Ends) -> None:
    poller, served, calling = ends
    message = bytes(range(256)) * 16384
    received = bytearray()
    unsent = message
    while len(received) < len(message):
        if unsent:
            with suppress(BlockingIOError):
                unsent = unsent[calling.send(unsent) :]
        wait_for(poller, "served")
        with suppress(BlockingIOError):
            received += served.receive(32768)
    assert bytes(received) == message


def test_closing_twice_and_using_what_is_closed_do_no_harm(ends: Ends) -> None:
    _, served, calling = ends
    for end in (served, calling):
        end.close()
        end.close()
        with pytest.raises(OSError, match="closed"):
            end.send(b"x")


def test_a_pipe_that_nobody_serves_is_not_found() -> None:
    with pytest.raises(FileNotFoundError):
        connect(pipe_name())


def test_a_pipe_name_with_a_doubled_backslash_means_the_same(ends: Ends) -> None:
    pipe = pipe_name()
    listening = listener(pipe)
    with polled() as poller:
        poller.add(listening, "listener")
        connect(pipe.replace("pipe\\", "pipe\\\\")).close()
        assert wait_for(poller, "listener") == READ
        listening.close()
