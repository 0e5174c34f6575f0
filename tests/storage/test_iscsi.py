"""Single steps on the initiator: what Windows says becomes what a caller can act on."""

import pytest
from tests.emulated import EmulatedNode
from tests.iscsi_node import run_service
from tests.iscsi_target import SECRET, TARGET_SECRET, USER, WRONG

from csiproxy.emulator.faults import Action, Fault
from csiproxy.errors import AlreadyExists, FailedPrecondition, NotFound, PermissionDenied, Unavailable
from csiproxy.operations.secret import Secret
from csiproxy.storage.iscsi import Authentication

pytestmark = pytest.mark.foreign
NONE = (Authentication.NONE, "", Secret(""))


@pytest.fixture
def iscsi(node: EmulatedNode):
    run_service(node.machine)
    return node.storage.iscsi


@pytest.fixture
def place(target_server):
    return target_server.address, target_server.port


@pytest.fixture
def target(iscsi, target_server, place):
    iqn = target_server.offer()
    iscsi.add_portal(*place, *NONE)
    return iscsi.target(iqn)


def test_portals_are_added_found_asked_and_removed(iscsi, target_server, place):
    iqn = target_server.offer()
    assert (iscsi.portals(), iscsi.portal(*place), iscsi.target(iqn)) == ([], None, None)
    iscsi.add_portal(*place, *NONE)
    [portal] = iscsi.portals()
    assert (portal.address, portal.port) == place
    assert iscsi.portal(*place) == portal
    assert [target.name for target in iscsi.targets(portal)] == [iqn]
    other = target_server.offer("other")
    iscsi.discover(portal)
    assert [target.name for target in iscsi.targets(portal)] == [iqn, other]
    iscsi.remove_portal(portal)
    assert iscsi.portals() == []
    with pytest.raises(NotFound):
        iscsi.remove_portal(portal)


def test_discovery_can_prove_who_asks(iscsi, target_server, place):
    target_server.offer()
    target_server.demand_chap_of_discovery()
    with pytest.raises(PermissionDenied) as caught:
        iscsi.add_portal(*place, *NONE)
    assert caught.value.windows_code == 1326
    iscsi.add_portal(*place, Authentication.ONE_WAY_CHAP, USER, Secret(SECRET))


def test_a_login_has_a_session_and_disks(iscsi, target, place):
    assert not target.is_connected
    assert (iscsi.sessions(target), iscsi.disk_numbers(target)) == ([], [])
    iscsi.connect(target.name, *place, *NONE)
    assert iscsi.target(target.name).is_connected
    [session] = iscsi.sessions(target)
    assert (session.is_connected, session.is_persistent) == (True, False)
    assert iscsi.disk_numbers(target) == [1]
    with pytest.raises(AlreadyExists):
        iscsi.connect(target.name, *place, *NONE)
    iscsi.disconnect(target, session)
    assert iscsi.sessions(target) == []
    with pytest.raises(NotFound):
        iscsi.disconnect(target, session)


def test_a_persistent_session_becomes_an_ordinary_one(node, iscsi, target, place):
    iscsi.connect(target.name, *place, *NONE)
    [session] = iscsi.sessions(target)
    node.machine.session.invoke(session.instance, "Register")
    [session] = iscsi.sessions(target)
    assert session.is_persistent
    iscsi.unregister(session)
    assert not iscsi.sessions(target)[0].is_persistent


def test_mutual_chap_is_given_both_secrets(iscsi, target_server, place):
    iqn = target_server.offer("mutual", chap="mutual")
    iscsi.add_portal(*place, *NONE)
    iscsi.set_initiator_secret(Secret(WRONG))
    with pytest.raises(PermissionDenied) as caught:
        iscsi.connect(iqn, *place, Authentication.MUTUAL_CHAP, USER, Secret(SECRET))
    assert not [secret for secret in (SECRET, WRONG) if secret in str(caught.value)]
    iscsi.set_initiator_secret(Secret(TARGET_SECRET))
    iscsi.connect(iqn, *place, Authentication.MUTUAL_CHAP, USER, Secret(SECRET))


def test_a_service_that_does_not_run_is_said_with_what_to_do(node, place):
    with pytest.raises(FailedPrecondition, match="start it first") as caught:
        node.storage.iscsi.add_portal(*place, *NONE)
    assert caught.value.windows_code == 1062


def test_a_portal_that_does_not_answer_is_unavailable(iscsi, target_server, place):
    target_server.kill()
    with pytest.raises(Unavailable, match="refused") as caught:
        iscsi.add_portal(*place, *NONE)
    assert caught.value.windows_code == 1225


@pytest.mark.parametrize("code", [0xEFFF003F, 0xEFFF0009])
def test_a_code_means_the_same_as_a_return_value_and_as_an_hresult(node, iscsi, target, place, code):
    wanted = AlreadyExists if code == 0xEFFF003F else PermissionDenied
    node.machine.faults.order(Fault("MSFT_iSCSITarget.Connect", Action.FAIL, code=code))
    with pytest.raises(wanted) as caught:
        iscsi.connect(target.name, *place, *NONE)
    assert caught.value.origin == f"MSFT_iSCSITarget.Connect returned {code}"
    node.machine.faults.order(Fault("MSFT_iSCSITarget", Action.FAIL, code=code))
    with pytest.raises(wanted) as caught:
        iscsi.target(target.name)
    assert f"0x{code:08x}" in caught.value.origin
