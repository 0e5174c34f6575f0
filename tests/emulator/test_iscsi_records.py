"""What an initiator keeps outlives its process; what is said twice is kept once."""

import pytest

from csiproxy.emulator import iscsi_records
from csiproxy.emulator.attachment import Attachment, BusType, OfflineReason, Place
from csiproxy.emulator.iscsi_records import NEVER_SEEN, Portal, Records, SessionRecord, UnitRecord
from csiproxy.emulator.state import State

HERE, THERE = Portal("10.0.0.1", 3260), Portal("fe80::1", 3261)
ONE, TWO = "iqn.2026-01.test:one", "iqn.2026-01.test:two"


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "state.db")


@pytest.fixture
def records(path):
    state = State(path, iscsi_records.SCHEMA)
    yield Records(state)
    state.close()


def test_a_portal_shows_its_address_as_one_writes_it():
    assert (str(HERE), str(THERE)) == ("10.0.0.1:3260", "[fe80::1]:3261")


def test_portals_and_their_targets_are_kept(records):
    records.add_portal(HERE, [ONE, TWO])
    records.add_portal(THERE, [TWO])
    records.add_portal(THERE, [TWO])
    assert records.portals() == [HERE, THERE]
    assert records.targets() == {ONE: [HERE], TWO: [HERE, THERE]}


def test_what_a_portal_offers_is_replaced(records):
    records.add_portal(HERE, [ONE])
    records.set_targets(HERE, [TWO, TWO])
    assert records.targets() == {TWO: [HERE]}


def test_a_portal_that_was_removed_meanwhile_offers_nothing(records):
    records.add_portal(HERE, [ONE])
    records.remove_portal(HERE)
    records.set_targets(HERE, [ONE])
    assert (records.portals(), records.targets()) == ([], {})


def test_a_persistent_session_is_kept_once(records):
    session = SessionRecord(ONE, "1-2", HERE, "NONE", "")
    records.keep_session(session)
    records.keep_session(session)
    assert records.sessions() == [session]
    records.forget_session(ONE)
    records.forget_session(ONE)
    assert records.sessions() == []


def attached(**options) -> Attachment:
    return Attachment(7, f"iscsi:{ONE},1", "v", "p", "s", (), BusType.ISCSI, Place(2, 0, 0, 1), **options)


def test_a_unit_that_was_never_seen_is_as_policy_has_new_shared_disks(records):
    assert records.unit("iscsi:none,1") == NEVER_SEEN
    assert (NEVER_SEEN.offline, NEVER_SEEN.read_only) == (True, True)


def test_how_windows_had_a_units_disk_is_remembered(records):
    records.keep_unit(attached(read_only=True, offline=True, offline_reason=OfflineReason.COLLISION))
    assert records.unit(f"iscsi:{ONE},1") == UnitRecord(7, True, True, OfflineReason.COLLISION)
    records.keep_unit(attached())
    assert records.unit(f"iscsi:{ONE},1") == UnitRecord(7, False, False, OfflineReason.NONE)


def test_everything_outlives_the_process_and_can_be_forgotten(path):
    state = State(path, iscsi_records.SCHEMA)
    Records(state).add_portal(HERE, [ONE])
    Records(state).keep_session(SessionRecord(ONE, "1-2", HERE, "ONEWAYCHAP", "user"))
    Records(state).keep_unit(attached())
    state.close()
    state = State(path, iscsi_records.SCHEMA)
    again = Records(state)
    assert again.targets() == {ONE: [HERE]}
    assert again.sessions() == [SessionRecord(ONE, "1-2", HERE, "ONEWAYCHAP", "user")]
    again.clear()
    assert (again.portals(), again.targets(), again.sessions()) == ([], {}, [])
    assert again.unit(f"iscsi:{ONE},1") == NEVER_SEEN
    state.close()
