"""Every status code of the initiator reaches a client of the operations as what the table says."""

import pytest
from tests.iscsi_node import run_service
from tests.operations.iscsi_methods import ISCSI_METHODS, Ground

from csiproxy.emulator.faults import Action, Fault
from csiproxy.emulator.iscsi_status import IscsiStatus
from csiproxy.errors import CsiProxyError, Internal
from csiproxy.operations.context import Context
from csiproxy.operations.iscsi import TargetPortal
from csiproxy.storage.codes import ISCSI

REBOOT_WANTED = 0xAFFF003B
UNKNOWN = 0xEFFF7777


def failure(work) -> CsiProxyError:
    with pytest.raises(CsiProxyError) as caught:
        work()
    return caught.value


@pytest.mark.foreign
@pytest.mark.parametrize("method", ISCSI_METHODS)
def test_every_code_of_a_method_that_is_called_arrives(node, target_server, method):
    before, work, fine = ISCSI_METHODS[method]
    run_service(node.machine)
    iqn = target_server.offer()
    ground = Ground(node.operations(), TargetPortal(target_server.address, target_server.port), iqn)
    for step in before:
        step(ground)
    if method.endswith(".Unregister"):
        [session] = node.machine.session.instances("MSFT_iSCSISession")
        node.machine.session.invoke(session, "Register")
    for value, meaning in ISCSI.items():
        if meaning.error in fine:
            continue
        node.machine.faults.order(Fault(method, Action.FAIL, code=value))
        error = failure(lambda: work(ground))
        assert (type(error), error.windows_code) == (meaning.error, meaning.windows_code), (value, error)
        assert error.origin == f"{method} returned {value}"
    assert node.machine.faults.pending() == ()
    work(ground)  # nothing of it was done, so all is still to do


@pytest.mark.parametrize("value", ISCSI)
def test_every_code_arrives_as_an_hresult_with_the_hosts_own_words(node, value):
    meaning = ISCSI[value]
    run_service(node.machine)
    node.machine.faults.order(Fault("MSFT_iSCSITargetPortal", Action.FAIL, code=value))
    error = failure(lambda: node.operations().iscsi.list_target_portals(Context()))
    assert (type(error), error.windows_code) == (meaning.error, meaning.windows_code)
    assert "(as ordered)" in str(error)


def test_a_success_that_wants_a_restart_is_success(node):
    run_service(node.machine)
    node.machine.faults.order(Fault("MSFT_iSCSISession.SetCHAPSecret", Action.FAIL, code=REBOOT_WANTED))
    Ground(node.operations(), TargetPortal("10.0.0.1", 0), "").set_secret()


def test_a_code_that_nobody_documents_is_internal(node):
    run_service(node.machine)
    node.machine.faults.order(Fault("MSFT_iSCSISession.SetCHAPSecret", Action.FAIL, code=UNKNOWN))
    error = failure(Ground(node.operations(), TargetPortal("10.0.0.1", 0), "").set_secret)
    assert (type(error), error.windows_code) == (Internal, 31)


def test_every_code_that_the_emulated_initiator_gives_is_in_the_table():
    assert {int(status) for status in IscsiStatus} <= set(ISCSI)
