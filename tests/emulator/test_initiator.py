"""The initiator of a node against a real target: portals, logins, and what outlives a process."""

import os
import threading
import time

import pytest
from tests.iscsi_node import portal_of
from tests.iscsi_target import MIB, SECRET, TARGET_SECRET, USER, WRONG

from csiproxy.emulator.initiator import Initiator
from csiproxy.emulator.iscsi_chap import MUTUAL, NONE, ONE_WAY
from csiproxy.emulator.iscsi_records import Portal
from csiproxy.emulator.iscsi_status import IscsiFailure, IscsiStatus
from csiproxy.emulator.machine import Machine

pytestmark = pytest.mark.foreign


@pytest.fixture
def directory(tmp_path):
    return str(tmp_path / "node")


@pytest.fixture
def machine(directory):
    with Machine(directory) as machine:
        yield machine


@pytest.fixture
def initiator(machine):
    return machine.initiator


@pytest.fixture
def portal(target_server):
    return portal_of(target_server)


def log_in(initiator: Initiator, portal: Portal, iqn: str, *chap: str, persistent: bool = False):
    if portal not in initiator.portals():
        initiator.add_portal(portal, NONE, "", "")
    else:
        initiator.update_portal(portal)
    return initiator.connect(iqn, portal, *(chap or (NONE, "", "")), persistent=persistent)


def refusal(call) -> IscsiStatus:
    with pytest.raises(IscsiFailure) as caught:
        call()
    for secret in (SECRET, TARGET_SECRET, WRONG):
        assert secret not in str(caught.value)
    return caught.value.status


def numbers(machine: Machine) -> list[int]:
    return [disk.number for disk in machine.disks.inventory() if disk.number and disk.present]


def test_a_portal_that_answers_is_registered_with_what_it_offers(initiator, target_server, portal):
    iqn = target_server.offer()
    initiator.add_portal(portal, NONE, "", "")
    initiator.add_portal(portal, NONE, "", "")
    assert initiator.portals() == [portal]
    assert initiator.targets() == {iqn: [portal]}


def test_a_portal_that_does_not_answer_is_not_registered(initiator, target_server, portal):
    target_server.kill()
    assert refusal(lambda: initiator.add_portal(portal, NONE, "", "")) is IscsiStatus.CONNECTION_FAILED
    assert initiator.portals() == []


def test_targets_made_later_are_seen_after_an_update(initiator, target_server, portal):
    first = target_server.offer("first")
    initiator.add_portal(portal, NONE, "", "")
    later = target_server.offer("later")
    assert list(initiator.targets()) == [first]
    initiator.update_portal(portal)
    assert list(initiator.targets()) == [first, later]


def test_an_update_proves_what_the_portal_was_added_with(initiator, target_server, portal):
    iqn = target_server.offer()
    target_server.demand_chap_of_discovery()
    assert refusal(lambda: initiator.add_portal(portal, ONE_WAY, USER, WRONG)) is (
        IscsiStatus.AUTHENTICATION_FAILURE
    )
    initiator.add_portal(portal, ONE_WAY, USER, SECRET)
    initiator.update_portal(portal)
    assert list(initiator.targets()) == [iqn]


def test_a_portal_that_is_removed_is_forgotten_and_its_sessions_stay(initiator, target_server, portal):
    iqn = target_server.offer()
    log_in(initiator, portal, iqn)
    initiator.remove_portal(portal)
    assert initiator.portals() == []
    assert initiator.targets() == {iqn: []}
    assert target_server.sessions(iqn) == 1
    for call in (initiator.remove_portal, initiator.update_portal):
        assert refusal(lambda call=call: call(portal)) is IscsiStatus.PORTAL_NOT_FOUND


def test_a_login_makes_disks_and_a_logout_takes_them_away(machine, initiator, target_server, portal):
    iqn = target_server.offer(luns=2)
    session = log_in(initiator, portal, iqn)
    assert session.connected
    assert numbers(machine) == [1, 2]
    initiator.disconnect(iqn, session.id)
    assert numbers(machine) == []
    assert initiator.sessions() == []
    assert target_server.sessions(iqn) == 0


def test_a_new_disk_is_as_policy_has_it_and_later_as_it_was_left(machine, initiator, target_server, portal):
    iqn = target_server.offer()
    log_in(initiator, portal, iqn)
    [report] = [disk for disk in machine.disks.inventory() if disk.number == 1]
    assert (report.offline, report.read_only, report.size) == (True, True, 64 * MIB)
    [disk] = machine.session.instances("MSFT_Disk", Number=1)
    assert (disk.number("BusType"), disk.number("OfflineReason")) == (9, 1)
    machine.session.invoke(disk, "Online")
    machine.session.invoke(disk, "SetAttributes", IsReadOnly=False)
    initiator.disconnect(iqn, "")
    log_in(initiator, portal, iqn)
    [report] = [disk for disk in machine.disks.inventory() if disk.number == 1]
    assert (report.offline, report.read_only) == (False, False)


def test_two_targets_have_places_of_their_own(machine, initiator, target_server, portal):
    one, two = target_server.offer("one", luns=2), target_server.offer("two")
    log_in(initiator, portal, one)
    log_in(initiator, portal, two)
    places = [info.location.split(" : ")[-2:] for info in machine.disks.inventory()[1:]]
    assert places == [["Target 0", "LUN 1"], ["Target 0", "LUN 2"], ["Target 1", "LUN 1"]]


@pytest.mark.parametrize(
    ("chap", "own", "status"),
    [
        ((NONE, "", ""), "", IscsiStatus.AUTHENTICATION_FAILURE),
        ((ONE_WAY, USER, WRONG), "", IscsiStatus.AUTHENTICATION_FAILURE),
        ((ONE_WAY, USER, "short"), "", IscsiStatus.SHORT_CHAP_SECRET),
        ((MUTUAL, USER, SECRET), "", IscsiStatus.INVALID_INITIATOR_CHAP_SECRET),
        ((MUTUAL, USER, SECRET), WRONG, IscsiStatus.AUTHENTICATION_FAILURE),
        (("CHAP", USER, SECRET), "", IscsiStatus.INVALID_LOGON_AUTH_TYPE),
    ],
)
def test_a_login_that_fails_leaves_nothing(machine, initiator, target_server, portal, chap, own, status):
    iqn = target_server.offer(chap="mutual")
    if own:
        initiator.set_secret(own)
    assert refusal(lambda: log_in(initiator, portal, iqn, *chap)) is status
    assert (initiator.sessions(), numbers(machine), target_server.sessions(iqn)) == ([], [], 0)


def test_mutual_chap_takes_the_initiators_secret(initiator, target_server, portal):
    iqn = target_server.offer(chap="mutual")
    initiator.set_secret(TARGET_SECRET)
    assert log_in(initiator, portal, iqn, MUTUAL, USER, SECRET).connected
    assert refusal(lambda: initiator.set_secret("short")) is IscsiStatus.SHORT_CHAP_SECRET


def test_a_second_login_is_refused_and_an_unknown_target_is_not_found(initiator, target_server, portal):
    iqn = target_server.offer()
    log_in(initiator, portal, iqn)
    assert refusal(lambda: log_in(initiator, portal, iqn)) is IscsiStatus.TARGET_ALREADY_LOGGED_IN
    assert refusal(lambda: log_in(initiator, portal, "iqn.x:y")) is IscsiStatus.TARGET_NOT_FOUND
    assert refusal(lambda: initiator.disconnect("iqn.x:y", "")) is IscsiStatus.INVALID_SESSION_ID
    assert refusal(lambda: initiator.disconnect(iqn, "1-1")) is IscsiStatus.INVALID_SESSION_ID


def test_two_logins_at_once_make_one_session(initiator, target_server, portal):
    iqn = target_server.offer()
    initiator.add_portal(portal, NONE, "", "")
    outcomes = []

    def attempt():
        try:
            outcomes.append(initiator.connect(iqn, portal, NONE, "", "", persistent=False).connected)
        except IscsiFailure as error:
            outcomes.append(error.status)

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(True) == 1
    assert outcomes.count(IscsiStatus.TARGET_ALREADY_LOGGED_IN) == 3
    assert target_server.sessions(iqn) == 1


def test_a_rescan_finds_units_that_came_and_misses_those_that_went(machine, initiator, target_server, portal):
    iqn = target_server.offer(luns=2)
    log_in(initiator, portal, iqn)
    target_server.add_lun("disk", 3)
    target_server.remove_lun("disk", 1)
    initiator.rescan()
    names = [disk.image for disk in machine.disks.inventory() if disk.number]
    assert names == [f"iscsi:{iqn},3", f"iscsi:{iqn},2"]


def test_a_session_that_lost_its_target_comes_back_with_a_login(machine, initiator, target_server, portal):
    iqn = target_server.offer()
    session = log_in(initiator, portal, iqn)
    target_server.kill()
    initiator.rescan()  # asks the target, and finds it gone
    assert not initiator.sessions()[0].connected
    assert numbers(machine) == [1]
    target_server.start()
    again = log_in(initiator, portal, iqn)
    assert (again.id, again.connected, numbers(machine)) == (session.id, True, [1])


def test_a_target_that_is_back_before_its_units_keeps_its_disks(machine, initiator, target_server, portal):
    iqn = target_server.offer()
    log_in(initiator, portal, iqn)
    target_server.remove_lun("disk", 1)
    initiator.log_in(initiator.sessions()[0])
    assert numbers(machine) == [1]
    target_server.add_lun("disk", 1)
    machine.session.invoke("MSFT_StorageSetting", "UpdateHostStorageCache")
    [disk] = machine.session.instances("MSFT_Disk", Number=1)
    assert disk.number("HealthStatus") == 0


def test_a_frozen_target_delays_nobody_else(machine, initiator, target_server, portal):
    iqn = target_server.offer()
    initiator.add_portal(portal, NONE, "", "")
    target_server.freeze()
    outcome = []
    attempt = threading.Thread(
        target=lambda: outcome.append(
            refusal(lambda: initiator.connect(iqn, portal, NONE, "", "", persistent=False))
        )
    )
    attempt.start()
    for _ in range(5):  # while the login waits
        assert attempt.is_alive()
        assert machine.session.instances("MSFT_Disk", Number=0)
        assert initiator.sessions() == []
    attempt.join()
    assert outcome == [IscsiStatus.CONNECTION_FAILED]


# --- across processes


def test_a_session_that_is_not_persistent_ends_with_its_process(directory, target_server, portal):
    iqn = target_server.offer()
    with Machine(directory) as machine:
        log_in(machine.initiator, portal, iqn)
    assert target_server.sessions(iqn) == 0
    with Machine(directory) as machine:
        assert machine.initiator.portals() == [portal]
        assert list(machine.initiator.targets()) == [iqn]
        assert machine.initiator.sessions() == []
        assert [disk.number for disk in machine.disks.inventory()] == [0]


def test_a_persistent_session_is_there_again_after_a_start(directory, target_server, portal):
    iqn = target_server.offer()
    with Machine(directory) as machine:
        first = log_in(machine.initiator, portal, iqn, persistent=True)
    with Machine(directory) as machine:
        wait_for(lambda: [one.connected for one in machine.initiator.sessions()] == [True])
        assert machine.initiator.sessions()[0].id == first.id
        assert numbers(machine) == [1]
        machine.initiator.set_persistent(first.id, persistent=False)
    with Machine(directory) as machine:
        assert machine.initiator.sessions() == []


def test_a_persistent_session_with_chap_waits_for_its_secret(directory, target_server, portal):
    iqn = target_server.offer(chap="one-way")
    chap = (ONE_WAY, USER, SECRET)
    with Machine(directory) as machine:
        first = log_in(machine.initiator, portal, iqn, *chap, persistent=True)
        number = numbers(machine)
    with Machine(directory) as machine:
        assert not machine.initiator.sessions()[0].connected
        assert [disk.present for disk in machine.disks.inventory()[1:]] == [False]
        again = log_in(machine.initiator, portal, iqn, *chap)
        assert (again.id, again.persistent, numbers(machine)) == (first.id, True, number)


def test_secrets_are_in_no_file_of_the_node(directory, target_server, portal):
    iqn = target_server.offer(chap="mutual")
    with Machine(directory) as machine:
        machine.initiator.set_secret(TARGET_SECRET)
        log_in(machine.initiator, portal, iqn, MUTUAL, USER, SECRET, persistent=True)
        found = [os.path.join(base, name) for base, _, names in os.walk(directory) for name in names]
        for path in found:
            with open(path, "rb") as file:
                content = file.read(8 * MIB)
            assert not [s for s in (SECRET, TARGET_SECRET) if s.encode() in content], path


def test_a_reset_logs_out_and_forgets_everything(machine, initiator, target_server, portal):
    iqn = target_server.offer()
    log_in(initiator, portal, iqn, persistent=True)
    machine.reset()
    assert (initiator.portals(), initiator.targets(), initiator.sessions()) == ([], {}, [])
    assert target_server.sessions(iqn) == 0
    assert numbers(machine) == []


def wait_for(condition) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
