"""Calls go to the node once: a broken connection fails one call, and the next makes a new one."""

import socket
import threading

import pytest

from csiproxy.emulator import frames, wire
from csiproxy.emulator.places import Places
from csiproxy.emulator.pool import MOST_ATTEMPTS, MOST_CONNECTIONS, MOST_IDLE, Pool
from csiproxy.emulator.wire import Failure, Greeting, Reply
from csiproxy.errors import HostUnreachable, Win32Error

GREETING = Greeting(wire.VERSION, 1234, Places({"C": "/c"}, "/locks"))


class Peer:
    """A node's end that answers with what the test gives it."""

    def __init__(self, greeting=GREETING, answer=lambda request: Reply(request.arguments)):
        self.greeting, self.answer = greeting, answer
        self.connections, self.requests = [], []

    def dial(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        self.connections.append(theirs)
        threading.Thread(target=self._serve, args=(theirs,), daemon=True).start()
        return ours

    def _serve(self, connection) -> None:
        frames.send(connection, wire.encode(self.greeting))
        while frame := frames.receive(connection):
            frame.close()
            request = wire.decode(frame.message)
            self.requests.append(request)
            answer = self.answer(request)
            if answer is None:
                break
            frames.send(connection, wire.encode(answer))
        connection.close()


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


def test_a_connection_that_breaks_under_a_call_fails_it_once_and_it_is_not_made_again():
    peer = Peer(answer=lambda request: None if request.arguments == (0,) else Reply("fine"))
    pool = Pool(peer.dial)
    with pytest.raises(HostUnreachable, match="whether it was done is not known"):
        pool.call("x", 0)
    assert [request.arguments for request in peer.requests] == [(0,)]
    assert pool.call("x", 1) == "fine"
    pool.close()


def test_a_connection_that_the_node_has_closed_is_not_used_again():
    peer = Peer()
    pool = Pool(peer.dial)
    pool.call("x")
    peer.connections[0].shutdown(socket.SHUT_RDWR)
    assert pool.call("x", 2) == (2,)
    assert len(peer.connections) == 2
    pool.close()


def test_calls_at_the_same_time_have_connections_of_their_own_and_few_are_kept():
    together = threading.Barrier(MOST_IDLE + 4)

    def answer(request):
        together.wait(10)
        return Reply("done")

    peer = Peer(answer=answer)
    pool = Pool(peer.dial)
    threads = [threading.Thread(target=pool.call, args=("x",)) for _ in range(together.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(peer.connections) == together.parties
    assert len(pool._idle) <= MOST_IDLE
    pool.close()


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


@pytest.mark.parametrize(
    ("greeting", "hint"),
    [
        (Greeting(wire.VERSION + 1, 1, Places({}, "")), "another release"),
        (Reply(1), "something else"),
        (Failure(Win32Error(5, "Call", "full")), "refuses"),
    ],
)
def test_a_greeting_that_is_not_ours_is_unreachable(greeting, hint):
    with pytest.raises(HostUnreachable, match=hint):
        Pool(Peer(greeting).dial).call("x")


def test_no_node_is_unreachable():
    def dial():
        raise FileNotFoundError(2, "no")

    with pytest.raises(HostUnreachable, match="no emulated node answers"):
        Pool(dial).call("x")


def test_a_peer_that_greets_and_hangs_up_is_not_dialled_for_ever():
    dials = []

    def dial():
        ours, theirs = socket.socketpair()
        frames.send(theirs, wire.encode(GREETING))
        theirs.close()
        dials.append(1)
        return ours

    with pytest.raises(HostUnreachable):
        Pool(dial).call("x")
    assert len(dials) <= MOST_ATTEMPTS
