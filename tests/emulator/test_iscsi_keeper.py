"""Sessions whose target goes away come back by themselves when it does."""

import time

import pytest
from tests.iscsi_node import portal_of

from csiproxy.emulator.iscsi_chap import NONE
from csiproxy.emulator.iscsi_keeper import Keeper
from csiproxy.emulator.machine import Machine

pytestmark = pytest.mark.foreign


@pytest.fixture
def machine(tmp_path):
    with Machine(str(tmp_path / "node")) as machine:
        yield machine


@pytest.fixture
def keeper(machine):
    keeper = Keeper(machine.initiator)
    yield keeper
    keeper.stop()


@pytest.fixture
def session(machine, target_server):
    portal = portal_of(target_server)
    iqn = target_server.offer()
    machine.initiator.add_portal(portal, NONE, "", "")
    return machine.initiator.connect(iqn, portal, NONE, "", "", persistent=False)


def wait_for(condition) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_target_that_dies_is_noticed_and_logged_in_to_again(keeper, session, target_server):
    keeper.start()
    target_server.kill()
    wait_for(lambda: not session.connected)
    target_server.start()
    wait_for(lambda: session.connected)
    assert target_server.sessions(session.target) == 1


def test_a_target_that_freezes_is_noticed_and_logged_in_to_again(keeper, session, target_server):
    keeper.start()
    target_server.freeze()
    wait_for(lambda: not session.connected)
    target_server.thaw()
    wait_for(lambda: session.connected)


def test_the_disk_of_a_lost_target_fails_and_works_again(machine, keeper, session, target_server):
    [disk] = machine.session.instances("MSFT_Disk", Number=1)
    machine.session.invoke(disk, "Online")
    machine.session.invoke(disk, "SetAttributes", IsReadOnly=False)
    target_server.kill()
    assert machine.session.invoke(disk, "Initialize", PartitionStyle=2).return_value == 40004
    target_server.start()
    keeper.start()
    wait_for(lambda: session.connected)
    wait_for(lambda: machine.session.invoke(disk, "Initialize", PartitionStyle=2).return_value in (0, 41001))
    [disk] = machine.session.instances("MSFT_Disk", Number=1)
    assert disk.number("PartitionStyle") == 2


def test_starting_twice_is_once_and_stopping_twice_is_once(machine):
    keeper = Keeper(machine.initiator)
    keeper.start()
    keeper.start()
    keeper.stop()
    keeper.stop()
    keeper.start()  # after the end there is no beginning


def test_a_keeper_that_never_began_ends(machine):
    Keeper(machine.initiator).stop()
