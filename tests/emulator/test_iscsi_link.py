"""Links to a real target: what fails says what Windows would say, ends in time, and tells no secret."""

import socket
import threading

import pytest
from tests.conftest import find_library
from tests.iscsi_target import SECRET, TARGET_SECRET, USER, WRONG

from csiproxy.emulator import scsi
from csiproxy.emulator.iscsi_chap import MUTUAL, NO_CHAP, ONE_WAY, Chap
from csiproxy.emulator.iscsi_link import Link, UnitRefuses
from csiproxy.emulator.iscsi_records import Portal
from csiproxy.emulator.iscsi_status import IscsiFailure, IscsiStatus

pytestmark = pytest.mark.foreign
INITIATOR = "iqn.1991-05.com.microsoft:test"


@pytest.fixture
def portal(target_server):
    return Portal(target_server.address, target_server.port)


@pytest.fixture
def link(target_server, portal):
    link = Link(INITIATOR, portal, target_server.offer(), NO_CHAP)
    yield link
    link.close()


def failure(*arguments) -> IscsiFailure:
    with pytest.raises(IscsiFailure) as caught:
        Link(INITIATOR, *arguments)
    for secret in (SECRET, TARGET_SECRET, WRONG):
        assert secret not in str(caught.value)
    return caught.value


def test_discovery_lists_the_targets(target_server, portal):
    names = {target_server.offer("one"), target_server.offer("two")}
    link = Link(INITIATOR, portal, "", NO_CHAP)
    assert set(link.discover()) == names
    link.close()


def test_discovery_proves_who_asks_where_the_portal_wants_to_know(target_server, portal):
    iqn = target_server.offer()
    target_server.demand_chap_of_discovery()
    assert failure(portal, "", NO_CHAP).status is IscsiStatus.AUTHENTICATION_FAILURE
    link = Link(INITIATOR, portal, "", Chap(ONE_WAY, USER, SECRET))
    assert link.discover() == [iqn]
    link.close()


def test_a_portal_is_found_by_its_name(target_server, portal):
    iqn = target_server.offer()
    Link(INITIATOR, Portal("localhost", portal.port), iqn, NO_CHAP).close()


@pytest.mark.parametrize(
    ("kind", "chap"),
    [
        ("", NO_CHAP),
        ("", Chap(ONE_WAY, USER, SECRET)),
        ("one-way", Chap(ONE_WAY, USER, SECRET)),
        ("mutual", Chap(MUTUAL, USER, SECRET, TARGET_SECRET)),
        ("mutual", Chap(ONE_WAY, USER, SECRET)),
    ],
)
def test_a_login_that_proves_what_is_wanted_has_a_session(target_server, portal, kind, chap):
    iqn = target_server.offer("chap", chap=kind)
    link = Link(INITIATOR, portal, iqn, chap)
    assert target_server.sessions(iqn) == 1
    link.close()
    assert target_server.sessions(iqn) == 0


@pytest.mark.parametrize(
    ("kind", "chap"),
    [
        ("one-way", NO_CHAP),
        ("one-way", Chap(ONE_WAY, USER, WRONG)),
        ("one-way", Chap(ONE_WAY, "nobody", SECRET)),
        ("one-way", Chap(MUTUAL, USER, SECRET, TARGET_SECRET)),
        ("", Chap(MUTUAL, USER, SECRET, TARGET_SECRET)),
        ("mutual", Chap(MUTUAL, USER, SECRET, WRONG)),
        ("mutual", Chap(MUTUAL, USER, WRONG, TARGET_SECRET)),
    ],
)
def test_a_login_that_either_side_cannot_prove_is_an_authentication_failure(
    target_server, portal, kind, chap
):
    iqn = target_server.offer("chap", chap=kind)
    assert failure(portal, iqn, chap).status is IscsiStatus.AUTHENTICATION_FAILURE
    assert target_server.sessions(iqn) == 0


def test_a_target_that_the_portal_does_not_have_is_not_found(target_server, portal):
    target_server.offer()
    assert failure(portal, "iqn.2026-01.test:nothing", NO_CHAP).status is IscsiStatus.NOT_FOUND


def test_a_portal_where_nobody_listens_has_failed(target_server, portal):
    iqn = target_server.offer()
    target_server.kill()
    found = failure(portal, iqn, NO_CHAP)
    assert found.status is IscsiStatus.CONNECTION_FAILED
    assert "refused" in str(found)


def test_a_portal_that_goes_away_before_the_login_has_failed_and_refused_nobody():
    find_library("libiscsi.so.7")
    server = socket.create_server(("127.0.0.1", 0))

    def answer_once() -> None:
        connection, _ = server.accept()
        server.close()
        connection.close()

    thread = threading.Thread(target=answer_once)
    portal = Portal("127.0.0.1", server.getsockname()[1])
    thread.start()
    assert failure(portal, "iqn.2026-01.test:gone", NO_CHAP).status is IscsiStatus.CONNECTION_FAILED
    thread.join()


def test_a_name_that_does_not_resolve_is_said(portal):
    for name in ("nothing.invalid", "\ud800", "x" * 300):
        assert failure(Portal(name, 3260), "", NO_CHAP).status is IscsiStatus.DNS_NAME_UNRESOLVED


def test_a_port_that_is_none_of_iscsis_fails(portal):
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(20)
        address = Portal("127.0.0.1", other.getsockname()[1])

        def hang_up():
            for _ in range(2):
                connection, _ = other.accept()
                connection.close()

        hanging_up = threading.Thread(target=hang_up)
        hanging_up.start()
        assert failure(address, "", NO_CHAP).status in (
            IscsiStatus.CONNECTION_FAILED,
            IscsiStatus.LOGIN_FAILED,
        )
        hanging_up.join()


def test_a_unit_attention_is_taken_note_of_and_the_command_done(link):
    data = link.command(1, scsi.read_capacity(), expect=scsi.CAPACITY_LENGTH)
    assert scsi.parse_capacity(data).size == 64 << 20


def test_a_unit_that_refuses_says_why_and_the_link_lives(link):
    with pytest.raises(UnitRefuses, match="LBA_OUT_OF_RANGE") as caught:
        link.command(1, scsi.read(1 << 40, 1), expect=512)
    assert not caught.value.protected
    with pytest.raises(UnitRefuses, match="NOT_SUPPORTED"):
        link.command(9, scsi.read(0, 1), expect=512)
    link.ping()
    assert not link.lost


def test_a_link_that_is_lost_says_so_at_once_from_then_on(target_server, link):
    target_server.kill()
    for _ in range(2):
        with pytest.raises(IscsiFailure) as caught:
            link.ping()
        assert caught.value.status is IscsiStatus.TRANSPORT_ERROR
        assert link.lost


def test_a_link_to_a_frozen_target_is_lost_and_can_be_closed(target_server, link):
    target_server.freeze()
    with pytest.raises(IscsiFailure):
        link.ping()
    link.close()
    link.close()
    assert link.lost
