"""Processes and their shares."""

from threading import Thread
from time import monotonic

import pytest

from csiproxy.rpc.clients import Clients
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.stream import Peer

LIMITS = Limits(buffered_bytes=100, buffered_bytes_per_client=60)


def test_connections_of_one_process_belong_together() -> None:
    clients = Clients(LIMITS)
    one, other, same = (clients.enter(Peer(pid, 0)) for pid in (7, 8, 7))
    assert one is same is not other
    assert (one.connections, other.connections) == (2, 1)


@pytest.mark.parametrize("pid", [None, 0])
def test_connections_of_nobody_known_are_on_their_own(pid: int | None) -> None:
    clients = Clients(LIMITS)
    one, other = clients.enter(Peer(pid, 0)), clients.enter(Peer(pid, 0))
    assert one is not other
    clients.leave(one)
    clients.leave(other)
    assert len(clients) == 0


def test_a_process_is_forgotten_with_its_last_connection() -> None:
    clients = Clients(LIMITS)
    first = clients.enter(Peer(7, 0))
    clients.enter(Peer(7, 0))
    clients.leave(first)
    assert len(clients) == 1
    clients.leave(first)
    assert len(clients) == 0
    assert clients.enter(Peer(7, 0)) is not first


def test_nobody_gets_more_than_a_share_and_all_together_not_more_than_there_is() -> None:
    clients = Clients(LIMITS)
    one, other = clients.enter(Peer(7, 0)), clients.enter(Peer(8, 0))
    assert not one.budget.take(61)
    assert one.budget.take(60)
    assert not other.budget.take(41)
    assert other.budget.take(40)
    assert clients.budget.held == 100
    one.budget.give(60)
    other.budget.give(40)
    assert clients.budget.held == 0


def test_threads_count_without_loss() -> None:
    clients = Clients(LIMITS)

    def churn() -> None:
        for _ in range(500):
            clients.leave(clients.enter(Peer(7, 0)))

    threads = [Thread(target=churn) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(clients) == 0


def test_a_client_may_call_so_often_in_a_burst_and_then_by_its_rate() -> None:
    limits = Limits(calls_per_client=100, calls_per_second_per_client=10.0)
    client = Clients(limits).enter(Peer(7, 0))
    begun = monotonic()

    def granted(now: float) -> int:
        count = 0
        while client.left or client.ask(now):
            count += 1 + client.left
            client.left = 0
        return count

    assert granted(begun) == 100
    assert granted(begun + 0.05) == 0
    assert granted(begun + 3.0) in (29, 30)
