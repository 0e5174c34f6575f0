"""Both halves of the port over the socket: the node's types or HostUnreachable."""

import pytest
from tests.emulator.peer import Peer

from csiproxy.emulator.pool import Pool
from csiproxy.emulator.remote import RemoteNamespace, RemoteSession
from csiproxy.emulator.wire import Reply
from csiproxy.errors import HostUnreachable
from csiproxy.host.cim import Instance, Result
from csiproxy.host.win32 import Entry, EntryKind

INSTANCE = Instance("MSFT_Disk", "key", {"Number": 1})


def session(value):
    return RemoteSession(Pool(Peer(answer=lambda _: Reply(value)).dial))


def namespace(value):
    return RemoteNamespace(Pool(Peer(answer=lambda _: Reply(value)).dial))


def test_answers_of_the_right_type_are_given():
    assert session([INSTANCE]).instances("MSFT_Disk", Number=1) == [INSTANCE]
    assert session((INSTANCE,)).associated(INSTANCE, "A", "B") == [INSTANCE]
    assert session(Result(0, {})).invoke(INSTANCE, "Online") == Result(0, {})
    assert namespace([Entry("a", EntryKind.FILE)]).describe(0, ["a"]) == [Entry("a", EntryKind.FILE)]
    assert namespace(["C:\\x"]).mount_points("v") == ["C:\\x"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda: session([1]).instances("MSFT_Disk"),
        lambda: session("text").instances("MSFT_Disk"),
        lambda: session([INSTANCE]).invoke("MSFT_Disk", "Online"),
        lambda: namespace(["x"]).describe(0, ["a"]),
        lambda: namespace(3).final_path(0),
        lambda: namespace("x").storage_device("y"),
        lambda: namespace([None]).mount_points("v"),
    ],
)
def test_an_answer_of_another_type_is_no_answer(ask):
    with pytest.raises(HostUnreachable, match="instead of"):
        ask()


def test_conditions_and_parameters_travel_by_name():
    peer = Peer(answer=lambda _: Reply(Result(0, {})))
    RemoteSession(Pool(peer.dial)).invoke("MSFT_Disk", "Initialize", PartitionStyle=2)
    assert peer.requests[0].arguments == ("MSFT_Disk", "Initialize", {"PartitionStyle": 2})


def test_where_things_are_costs_no_call():
    peer = Peer()
    assert RemoteNamespace(Pool(peer.dial)).places().drives == {"C": "/c"}
    assert peer.requests == []
