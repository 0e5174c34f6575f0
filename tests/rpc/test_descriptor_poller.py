"""The poller of this system, with real sockets and with streams that have no descriptor."""

import socket
from collections.abc import Iterator
from threading import Thread

import pytest

from csiproxy.rpc.descriptor_poller import DescriptorPoller
from csiproxy.rpc.memory import pair
from csiproxy.rpc.poller import HANGUP, READ, WRITE

Sockets = tuple[socket.socket, socket.socket]


@pytest.fixture
def poller() -> Iterator[DescriptorPoller[str]]:
    made: DescriptorPoller[str] = DescriptorPoller()
    yield made
    made.close()


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    left, right = socket.socketpair()
    left.setblocking(False)
    right.setblocking(False)
    yield left, right
    left.close()
    right.close()


def test_nothing_happens_until_the_time_is_over(poller: DescriptorPoller[str]) -> None:
    assert poller.wait(0.001) is None


def test_a_readable_source_is_reported_until_it_is_read(
    poller: DescriptorPoller[str], sockets: Sockets
) -> None:
    left, right = sockets
    poller.add(left, "left")
    assert poller.wait(0) is None
    right.send(b"x")
    assert poller.wait(5) == ("left", READ)
    assert poller.wait(5) == ("left", READ)
    left.recv(10)
    assert poller.wait(0) is None


def test_a_source_is_watched_for_what_was_asked(poller: DescriptorPoller[str], sockets: Sockets) -> None:
    left, right = sockets
    poller.add(left, "left")
    right.send(b"x")
    poller.watch(left, read=False, write=False)
    assert poller.wait(0) is None
    poller.watch(left, read=False, write=True)
    assert poller.wait(5) == ("left", WRITE)
    poller.watch(left, read=True, write=False)
    assert poller.wait(5) == ("left", READ)


def test_a_hang_up_is_reported_even_when_nothing_is_watched(
    poller: DescriptorPoller[str], sockets: Sockets
) -> None:
    left, right = sockets
    poller.add(left, "left")
    poller.watch(left, read=False, write=True)
    right.close()
    event = poller.wait(5)
    assert event is not None
    assert event[1] & HANGUP


def test_one_event_is_given_at_a_time_and_sources_take_turns(poller: DescriptorPoller[str]) -> None:
    pairs = [socket.socketpair() for _ in range(3)]
    for number, (left, right) in enumerate(pairs):
        poller.add(left, str(number))
        right.send(b"x")
    assert {poller.wait(5) for _ in range(3)} == {("0", READ), ("1", READ), ("2", READ)}
    for left, right in pairs:
        left.close()
        right.close()


def test_a_source_that_was_removed_is_not_reported(poller: DescriptorPoller[str], sockets: Sockets) -> None:
    left, right = sockets
    poller.add(left, "left")
    right.send(b"x")
    poller.remove(left)
    poller.remove(left)
    poller.watch(left, read=True, write=True)
    assert poller.wait(0) is None


def test_another_thread_wakes_the_waiting_one(poller: DescriptorPoller[str]) -> None:
    thread = Thread(target=poller.wake)
    thread.start()
    assert poller.wait(60) is None
    thread.join()
    assert poller.wait(0) is None


def test_many_wakes_are_one(poller: DescriptorPoller[str]) -> None:
    for _ in range(100_000):
        poller.wake()
    assert poller.wait(5) is None
    assert poller.wait(0) is None


def test_what_was_posted_is_given_in_order(poller: DescriptorPoller[str]) -> None:
    poller.post("a")
    poller.post("b")
    given = [event for _ in range(6) if (event := poller.wait(0)) is not None]
    assert given == [("a", READ | WRITE), ("b", READ | WRITE)]


def test_posts_and_descriptors_do_not_starve_each_other(
    poller: DescriptorPoller[str], sockets: Sockets
) -> None:
    left, right = sockets
    poller.add(left, "left")
    right.send(b"x")
    seen = []
    for _ in range(8):
        poller.post("posted")
        event = poller.wait(0)
        seen.append(event and event[0])
    assert {"left", "posted"} <= set(seen)


def test_a_source_without_a_descriptor_reports_itself(poller: DescriptorPoller[str]) -> None:
    left, right = pair()
    poller.add(left, "left")
    assert poller.wait(5) == ("left", READ | WRITE)
    right.send(b"x")
    events = [poller.wait(0) for _ in range(3)]
    assert ("left", READ | WRITE) in events
    poller.remove(left)
    right.send(b"y")
    assert [poller.wait(0) for _ in range(3)] == [None] * 3
