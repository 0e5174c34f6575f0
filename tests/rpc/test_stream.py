"""The streams and listeners that exist fit the shapes that the server works with."""

from pathlib import Path

import pytest

from csiproxy.rpc.memory import MemoryListener
from csiproxy.rpc.stream import Listener, Peer, Stream
from csiproxy.rpc.unix import UnixListener, connect


@pytest.fixture(params=["unix", "memory"])
def ends(request: pytest.FixtureRequest, tmp_path: Path):
    """A listener, and both ends of a connection through it."""
    listener: Listener
    if request.param == "unix":
        listener = unix = UnixListener(str(tmp_path / "s"), "s")
        client = connect(unix.path)
    else:
        listener = memory = MemoryListener("s")
        client = memory.connect()
    server = listener.accept()
    yield listener, client, server
    client.close()
    server.close()
    listener.close()


Ends = tuple[Listener, Stream, Stream]


def fill(stream: Stream) -> int:
    """Send until nothing more is taken; give the count."""
    sent = 0
    try:
        while True:
            sent += stream.send(b"x" * 100_000)
    except BlockingIOError:
        return sent


def test_bytes_pass_both_ways(ends: Ends) -> None:
    _, client, server = ends
    assert client.send(b"there") == 5
    assert server.wait(write=False, timeout=5)
    assert server.receive(100) == b"there"
    assert server.send(b"back") == 4
    assert client.receive(2) == b"ba"
    assert client.receive(100) == b"ck"


def test_nothing_to_read_and_nobody_to_accept_block_nobody(ends: Ends) -> None:
    listener, client, _ = ends
    with pytest.raises(BlockingIOError):
        client.receive(1)
    with pytest.raises(BlockingIOError):
        listener.accept()
    assert not client.wait(write=False, timeout=0)
    assert client.wait(write=True, timeout=0)


def test_a_peer_that_does_not_read_stops_the_writer(ends: Ends) -> None:
    _, client, server = ends
    sent = fill(client)
    assert not client.wait(write=True, timeout=0)
    got = 0
    while got < sent:
        got += len(server.receive(1 << 20))
    assert client.wait(write=True, timeout=5)
    assert client.send(b"y") == 1


def test_hanging_up_is_seen_after_what_was_sent(ends: Ends) -> None:
    _, client, server = ends
    client.send(b"last words")
    client.close()
    client.close()
    assert server.wait(write=False, timeout=5)
    assert server.receive(100) == b"last words"
    assert server.receive(100) == b""
    with pytest.raises(OSError):
        server.send(b"x")


def test_a_closed_end_can_not_be_used(ends: Ends) -> None:
    _, client, _ = ends
    client.close()
    with pytest.raises(OSError):
        client.receive(1)
    with pytest.raises(OSError):
        client.send(b"x")


def test_peers_compare_by_value() -> None:
    assert Peer(1, None) == Peer(1, None, "")
    assert Peer(1, None) != Peer(1, 0)
