"""What lives are made of."""

from fnmatch import fnmatchcase

import pytest
from tests.soak.client import _FINAL, _FINAL_CODES
from tests.soak.plan import (
    _INITIATOR_CODES,
    _METHOD_CODES,
    _QUERY_CODES,
    _WIN32_CODES,
    DRIVERS,
    Kill,
    Phase,
    Store,
    disk_number,
    plan,
)

from csiproxy.emulator.faults import Action, problem
from csiproxy.emulator.machine import Machine
from csiproxy.storage.codes import CIM, HRESULT, ISCSI, WIN32

LIVES = range(400)


@pytest.mark.parametrize("store", Store)
def test_a_life_follows_from_seed_and_number_alone(store):
    for number in LIVES:
        assert plan(7, number, store) == plan(7, number, store)
    assert [plan(7, number, store) for number in LIVES] != [plan(8, number, store) for number in LIVES]
    assert plan(7, 1, store).files[0].content() == plan(7, 1, store).files[0].content()


@pytest.mark.parametrize("store", Store)
def test_among_many_lives_there_is_everything_that_can_be(store):
    lives = [plan(7, number, store, kill_every=5) for number in LIVES]
    assert {life.driver for life in lives} == set(DRIVERS[store])
    assert {life.moves for life in lives} == {True, False}
    troubles = [trouble for life in lives for trouble in life.troubles]
    assert {trouble.kill for trouble in troubles} == {None, *Kill}
    assert {trouble.restart for trouble in troubles} == (
        {True, False} if store in (Store.SMB, Store.ISCSI) else {False}
    )
    actions = {trouble.fault.action for trouble in troubles if trouble.fault}
    assert actions >= {Action.FAIL, Action.LOSE, Action.SLOW, Action.HANG, Action.KILL_CALLER}
    assert Action.KILL_NODE not in actions
    if store is Store.DIRECTORY:
        assert actions == set(Action) - {Action.KILL_NODE}
        assert {trouble.phase for trouble in troubles} == set(Phase)


def test_a_kill_changes_nothing_else_and_comes_when_it_is_due():
    for number in LIVES:
        with_kills = plan(7, number, Store.DIRECTORY, kill_every=50)
        without = plan(7, number, Store.DIRECTORY)
        killing = [trouble for trouble in with_kills.troubles if trouble.kill]
        assert len(killing) == (number % 50 == 0)
        assert [trouble for trouble in with_kills.troubles if not trouble.kill] == list(without.troubles)
    assert plan(7, 50, Store.DIRECTORY, kill_every=50, quiet=True).troubles == ()


@pytest.mark.parametrize("store", Store)
def test_every_fault_could_happen(tmp_path, store):
    with Machine(str(tmp_path)) as machine:
        steps = machine.faults.steps
    for number in LIVES:
        for trouble in plan(7, number, store, kill_every=5).troubles:
            if trouble.fault:
                assert problem(trouble.fault) == ""
                assert any(fnmatchcase(step, trouble.fault.step) for step in steps), trouble.fault.step


def test_no_fault_says_what_would_end_a_drivers_tries():
    said = [(WIN32[code][0], code) for code in _WIN32_CODES]
    said += [(CIM[code].error, CIM[code].windows_code) for code in _METHOD_CODES]
    said += [HRESULT[code][:2] for code in _QUERY_CODES]
    said += [(ISCSI[code].error, ISCSI[code].windows_code) for code in _INITIATOR_CODES]
    for error, code in said:
        assert error.code.name not in _FINAL
        assert code not in _FINAL_CODES


def test_lives_that_could_meet_have_disks_of_their_own():
    numbers = [disk_number(number) for number in range(1000, 9000)]
    assert len(set(numbers)) == len(numbers)
    assert 0 not in numbers
