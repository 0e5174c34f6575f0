"""The iSCSI classes as a client of CIM sees them."""

import pytest
from tests.iscsi_node import portal_of, run_service
from tests.iscsi_target import SECRET, TARGET_SECRET, USER, WRONG

from csiproxy.emulator.cim_iscsi import Iscsi, TargetClass
from csiproxy.emulator.cim_provider import ObjectIds
from csiproxy.emulator.initiator import Initiator
from csiproxy.emulator.iscsi_status import IscsiStatus
from csiproxy.emulator.machine import Machine
from csiproxy.errors import CimError
from csiproxy.host.cim import Instance, Session
from csiproxy.host.iscsi_schema import MSFT_ISCSI_TARGET

pytestmark = pytest.mark.foreign


@pytest.fixture
def machine(tmp_path):
    with Machine(str(tmp_path / "node")) as machine:
        run_service(machine)
        yield machine


@pytest.fixture
def cim(machine):
    return machine.session


@pytest.fixture
def place(target_server):
    portal = portal_of(target_server)
    return {"TargetPortalAddress": portal.address, "TargetPortalPortNumber": portal.port}


@pytest.fixture
def iqn(cim, target_server, place):
    iqn = target_server.offer(chap="one-way")
    assert cim.invoke("MSFT_iSCSITargetPortal", "New", **place).return_value == 0
    return iqn


def log_in(cim: Session, iqn: str, **more) -> Instance:
    chap = {"AuthenticationType": "ONEWAYCHAP", "ChapUsername": USER, "ChapSecret": SECRET}
    result = cim.invoke("MSFT_iSCSITarget", "Connect", **{"NodeAddress": iqn, **chap, **more})
    assert result.return_value == 0
    return result.instance("CreatediSCSISession")


def hresult(call) -> int:
    with pytest.raises(CimError) as caught:
        call()
    assert not [secret for secret in (SECRET, WRONG) if secret in str(caught.value)]
    return caught.value.hresult


def test_nothing_answers_while_the_service_does_not_run(machine, cim, place):
    machine.services.switch("MSiSCSI", running=False)
    for call in (
        lambda: cim.instances("MSFT_iSCSITarget"),
        lambda: cim.instances("MSFT_iSCSISession"),
        lambda: cim.invoke("MSFT_iSCSITargetPortal", "New", **place),
        lambda: cim.invoke("MSFT_iSCSISession", "SetCHAPSecret", ChapSecret=TARGET_SECRET),
    ):
        assert hresult(call) == IscsiStatus.SERVICE_NOT_RUNNING


def test_a_portal_leads_to_its_targets_and_they_to_it(cim, iqn, place):
    [portal] = cim.instances("MSFT_iSCSITargetPortal", **place)
    [target] = cim.associated(
        portal, "MSFT_iSCSITargetToiSCSITargetPortal", "MSFT_iSCSITarget", "iSCSITarget"
    )
    assert (target.text("NodeAddress"), target.flag("IsConnected")) == (iqn, False)
    [again] = cim.associated(target, "MSFT_iSCSITargetToiSCSITargetPortal", "MSFT_iSCSITargetPortal")
    assert again == portal


def test_a_session_leads_to_its_target_connection_and_disks(cim, iqn, place):
    session = log_in(cim, iqn, **place)
    assert session.flag("IsConnected")
    assert not session.flag("IsPersistent")
    assert (session.text("TargetNodeAddress"), session.text("AuthenticationType")) == (iqn, "ONEWAYCHAP")
    [target] = cim.instances("MSFT_iSCSITarget", NodeAddress=iqn.upper())
    assert target.flag("IsConnected")
    assert cim.associated(target, "MSFT_iSCSITargetToiSCSISession", "MSFT_iSCSISession") == [session]
    assert cim.associated(session, "MSFT_iSCSITargetToiSCSISession", "MSFT_iSCSITarget") == [target]
    [connection] = cim.associated(target, "MSFT_iSCSITargetToiSCSIConnection", "MSFT_iSCSIConnection")
    assert connection.text("TargetAddress") == place["TargetPortalAddress"]
    for near, association in (
        (session, "MSFT_iSCSISessionToDisk"),
        (connection, "MSFT_iSCSIConnectionToDisk"),
    ):
        [disk] = cim.associated(near, association, "MSFT_Disk")
        assert disk.number("Number") == 1
        assert cim.associated(disk, association, near.class_name) == [near]
    [system] = cim.instances("MSFT_Disk", Number=0)
    assert cim.associated(system, "MSFT_iSCSISessionToDisk", "MSFT_iSCSISession") == []


def test_a_login_without_a_portal_takes_one_that_is_known(cim, iqn):
    assert log_in(cim, iqn).flag("IsConnected")


def test_a_failed_login_is_an_hresult_with_the_initiators_code(cim, iqn, place):
    assert hresult(lambda: log_in(cim, iqn, **place, ChapSecret=WRONG)) == IscsiStatus.AUTHENTICATION_FAILURE
    assert hresult(lambda: log_in(cim, "iqn.x:y", **place)) == IscsiStatus.TARGET_NOT_FOUND
    assert hresult(lambda: log_in(cim, iqn, AuthenticationType="CHAP")) == IscsiStatus.INVALID_LOGON_AUTH_TYPE


def test_a_persistent_session_is_registered_and_unregistered(machine, cim, iqn, place):
    session = log_in(cim, iqn, **place, IsPersistent=True)
    assert session.flag("IsPersistent")
    assert cim.invoke(session, "Unregister").return_value == 0
    [session] = cim.instances("MSFT_iSCSISession")
    assert not session.flag("IsPersistent")
    assert cim.invoke(session, "Register").return_value == 0
    [session] = cim.instances("MSFT_iSCSISession")
    assert session.flag("IsPersistent")


def test_a_logout_ends_the_session(cim, iqn, place):
    session = log_in(cim, iqn, **place)
    [target] = cim.instances("MSFT_iSCSITarget")
    assert cim.invoke(target, "Disconnect", SessionIdentifier=session.key).return_value == 0
    assert cim.instances("MSFT_iSCSISession") == []
    assert cim.instances("MSFT_iSCSIConnection") == []
    code = hresult(lambda: cim.invoke(target, "Disconnect", SessionIdentifier=session.key))
    assert code == IscsiStatus.INVALID_SESSION_ID
    assert hresult(lambda: cim.invoke(session, "Unregister")) == IscsiStatus.INVALID_SESSION_ID


def test_portals_and_targets_are_asked_again(cim, iqn, target_server, place):
    later = target_server.offer("later")
    [target] = cim.instances("MSFT_iSCSITarget")
    assert cim.invoke(target, "Update").return_value == 0
    assert {one.key for one in cim.instances("MSFT_iSCSITarget")} == {iqn, later}
    last = target_server.offer("last")
    [portal] = cim.instances("MSFT_iSCSITargetPortal")
    assert cim.invoke(portal, "Update").return_value == 0
    assert {one.key for one in cim.instances("MSFT_iSCSITarget")} == {iqn, later, last}


def test_a_portal_is_removed_as_itself_or_by_its_parameters(cim, iqn, place):
    [portal] = cim.instances("MSFT_iSCSITargetPortal")
    assert cim.invoke(portal, "Remove").return_value == 0
    assert cim.instances("MSFT_iSCSITargetPortal") == []
    assert cim.instances("MSFT_iSCSITarget") == []
    for arguments in ({}, place):
        code = hresult(lambda arguments=arguments: cim.invoke(portal, "Remove", **arguments))
        assert code == IscsiStatus.PORTAL_NOT_FOUND


def test_a_portal_needs_an_address(cim):
    assert hresult(lambda: cim.invoke("MSFT_iSCSITargetPortal", "New")) == IscsiStatus.INVALID_PARAMETER


def test_a_portal_without_a_port_has_iscsis_own(cim):
    code = hresult(lambda: cim.invoke("MSFT_iSCSITargetPortal", "New", TargetPortalAddress="127.0.0.2"))
    assert code == IscsiStatus.CONNECTION_FAILED


def test_the_initiators_secret_is_taken_by_the_class(cim):
    done = cim.invoke("MSFT_iSCSISession", "SetCHAPSecret", ChapSecret=TARGET_SECRET)
    assert done.return_value == 0
    code = hresult(lambda: cim.invoke("MSFT_iSCSISession", "SetCHAPSecret", ChapSecret="short"))
    assert code == IscsiStatus.SHORT_CHAP_SECRET


def test_a_disk_that_cannot_be_on_the_node_is_the_hresult_of_its_windows_code(
    machine, target_server, place, tmp_path
):
    iqn = target_server.offer()
    (tmp_path / "luns").write_text("in the way")
    initiator = Initiator(machine.state, machine.disks, machine.namespace.mount_points, str(tmp_path))
    iscsi = Iscsi(initiator, ObjectIds(machine.disks.provider), lambda: True, lambda: None)
    initiator.add_portal(portal_of(target_server), "NONE", "", "")
    connect = dict.fromkeys(MSFT_ISCSI_TARGET.methods["Connect"].inputs)
    with pytest.raises(CimError) as caught:
        TargetClass(iscsi).invoke(None, "Connect", {**connect, **place, "NodeAddress": iqn})
    assert caught.value.hresult == 0x80070032
