"""Calls go to the node once: a broken connection fails one call, and the next makes a new one."""

import errno
import socket
import threading

import pytest
from tests.emulator.peer import GREETING, Peer

from csiproxy.emulator import frames, wire
from csiproxy.emulator.places import Places
from csiproxy.emulator.pool import MOST_ATTEMPTS, MOST_CONNECTIONS, MOST_IDLE, Pool
from csiproxy.emulator.wire import Failure, Greeting, Reply
from csiproxy.errors import HostError, HostUnreachable, Win32Error


def dead() -> socket.socket:
    """A connection whose node greets and is gone before it can be asked anything."""
    ours, theirs = socket.socketpair()
    frames.send(theirs, wire.encode(GREETING))
    theirs.close()
    return ours


def test_a_call_gives_what_the_node_answers():
    pool = Pool(Peer().dial)
    assert pool.call("x", 1, "two") == (1, "two")
    assert pool.greeting() == GREETING
    pool.close()


def test_what_the_node_fails_with_is_raised():
    pool = Pool(Peer(answer=lambda request: Failure(Win32Error(5, "Call", "no"))).dial)
    with pytest.raises(Win32Error) as caught:
        pool.call("x")
    assert (caught.value.windows_code, caught.value.detail) == (5, "no")
    pool.close()


def test_calls_after_each_other_share_a_connection():
    peer = Peer()
    pool = Pool(peer.dial)
    for number in range(5):
        pool.call("x", number)
    assert len(peer.connections) == 1
    pool.close()


@pytest.mark.parametrize("reply", [None, b"...", wire.encode(GREETING)], ids=["none", "babble", "greeting"])
def test_a_call_whose_reply_is_lost_fails_once_and_is_not_made_again(reply):
    peer = Peer(answer=lambda request: reply if request.arguments == (0,) else Reply("fine"))
    pool = Pool(peer.dial)
    with pytest.raises(HostUnreachable, match="whether it was done is not known"):
        pool.call("x", 0)
    assert [request.arguments for request in peer.requests] == [(0,)]
    assert pool.call("x", 1) == "fine"
    pool.close()


def test_a_connection_that_the_node_closed_while_it_was_idle_costs_no_call():
    peer = Peer()
    pool = Pool(peer.dial)
    pool.call("x")
    peer.connections[0].shutdown(socket.SHUT_RDWR)
    assert pool.call("x", 2) == (2,)
    assert len(peer.connections) == 2
    pool.close()


def test_a_call_that_no_node_can_have_seen_is_made_again_on_another_connection():
    peer = Peer()
    dials = [dead] * (MOST_ATTEMPTS - 1) + [peer.dial]
    pool = Pool(lambda: dials.pop(0)())
    assert pool.call("x", 1) == (1,)
    assert len(peer.requests) == 1
    pool.close()


def test_a_node_that_greets_and_hangs_up_is_not_dialled_for_ever():
    dials = []

    def dial():
        dials.append(1)
        return dead()

    with pytest.raises(HostUnreachable, match="closes every connection"):
        Pool(dial).call("x")
    assert len(dials) == MOST_ATTEMPTS


def test_a_call_that_is_too_large_is_refused_before_anything_is_sent():
    peer = Peer()
    pool = Pool(peer.dial)
    with pytest.raises(HostError, match="too many for the socket") as caught:
        pool.call("x", "y" * frames.LARGEST)
    assert not isinstance(caught.value, HostUnreachable)
    assert (peer.connections, peer.requests) == ([], [])


def test_calls_at_the_same_time_have_connections_of_their_own_and_few_are_kept():
    callers = MOST_IDLE + 4
    together = threading.Barrier(callers)

    def answer(request):
        together.wait(30)
        return Reply("done")

    peer = Peer(answer=answer)
    pool = Pool(peer.dial)
    for dialled in (callers, callers + (callers - MOST_IDLE)):
        threads = [threading.Thread(target=pool.call, args=("x",)) for _ in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(peer.connections) == dialled
    pool.close()
    peer.wait_until_left()


def test_more_callers_than_connections_take_turns():
    callers = 3 * MOST_CONNECTIONS
    ready = threading.Barrier(callers)
    together = threading.Barrier(MOST_CONNECTIONS)
    lock = threading.Lock()
    dialled, ended, most = 0, 0, 0

    def hang_up(request):
        # Every connection has one call: what was dialled and has not ended is open now.
        nonlocal ended
        # No call ends before as many calls are under way as there may be connections.
        together.wait(30)
        with lock:
            ended += 1

    peer = Peer(answer=hang_up)

    def dial():
        nonlocal dialled, most
        with lock:
            dialled += 1
            most = max(most, dialled - ended)
        return peer.dial()

    def call():
        ready.wait(30)
        with pytest.raises(HostUnreachable):
            pool.call("x")

    pool = Pool(dial)
    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (dialled, ended, most) == (callers, callers, MOST_CONNECTIONS)
    pool.close()


def test_a_closed_pool_has_no_connection_and_a_later_call_makes_one():
    peer = Peer()
    pool = Pool(peer.dial)
    pool.call("x")
    pool.close()
    peer.wait_until_left()
    assert pool.call("x", 2) == (2,)
    pool.close()


def test_connections_are_closed_when_nobody_has_the_pool_any_more():
    peer = Peer()
    pool = Pool(peer.dial)
    pool.call("x")
    del pool
    peer.wait_until_left()


@pytest.mark.parametrize(
    ("greeting", "hint"),
    [
        (Greeting(wire.VERSION + 1, 1, Places({}, "")), "another release"),
        (Reply(1), "served by something else"),
        (Failure(Win32Error(5, "Call", "full")), "refuses this program"),
        (b"SSH-2.0", "does not greet"),
    ],
)
def test_what_does_not_greet_as_a_node_is_no_node(greeting, hint):
    peer = Peer(greeting)
    with pytest.raises(HostUnreachable, match=hint):
        Pool(peer.dial).call("x")
    peer.wait_until_left()


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), "answers: No such file"),
        (OSError(errno.ENAMETOOLONG, "choose a shorter one", "/node"), "answers: choose a shorter one"),
        (OSError("timed out"), "answers: timed out"),
    ],
)
def test_a_node_that_cannot_be_reached_is_unreachable_and_says_why(error, text):
    def dial():
        raise error

    with pytest.raises(HostUnreachable, match=f"no emulated node {text}"):
        Pool(dial).call("x")
