"""Self-tests of the iSCSI classes: on an emulated node, and on answers of all kinds."""

import pytest
from tests.conftest import find_library
from tests.iscsi_node import run_service

from csiproxy.doctor import iscsi
from csiproxy.doctor.ground import Ground
from csiproxy.doctor.outcome import Differs, NotTried
from csiproxy.errors import CimError
from csiproxy.host import Host
from csiproxy.host.cim import Instance, Result


@pytest.mark.foreign
def test_a_portal_where_nobody_listens_is_refused_as_assumed(node, bent):
    find_library("libiscsi.so.7")
    run_service(node.machine)
    assert iscsi.refused_portal(bent()).startswith(("return value 0xefff", "HRESULT 0xefff"))


@pytest.mark.parametrize("self_test", [iscsi.refused_portal, iscsi.disks_of_a_target])
def test_without_the_initiators_service_nothing_is_tried(bent, self_test):
    with pytest.raises(NotTried, match="does not run"):
        self_test(bent())
    with pytest.raises(NotTried, match="cannot be asked"):
        self_test(bent(Win32_Service=lambda _: []))


class Initiator:
    """A CIM session of nothing but an initiator, whose discovery ends as a test says."""

    def __init__(self, ends: int | CimError, targets: int = 0, disks: int = 0, location: str = "") -> None:
        self._ends = ends
        self._targets = targets
        self._disk = Instance("MSFT_Disk", "d", {"Number": 3, "Location": location})
        self._disks = disks
        self.removed = False

    def instances(self, class_name, /, **where):
        if class_name == "Win32_Service":
            return [Instance(class_name, "MSiSCSI", {"Name": "MSiSCSI", "State": "Running"})]
        if class_name == "MSFT_iSCSITarget":
            return [Instance(class_name, "t", {"NodeAddress": "iqn.t", "IsConnected": True})] * self._targets
        if class_name == "MSFT_iSCSITargetPortal":
            return [Instance(class_name, "p", {"TargetPortalAddress": "127.0.0.1"})]
        return [self._disk]

    def associated(self, instance, association, result_class, result_role=""):
        if result_class == "MSFT_Disk":
            return [self._disk] * self._disks
        return [Instance(result_class, "c", {})]

    def invoke(self, target, method, /, **parameters):
        self.removed = method == "Remove"
        if isinstance(self._ends, CimError) and method == "New":
            raise self._ends
        return Result(0 if method == "Remove" else self._ends, {})


@pytest.fixture
def on(node):
    """Make a ground of an initiator and the node's files."""
    return lambda initiator: Ground(Host(initiator, node.host.win32), None, False)


def test_both_ways_of_failing_are_told(on):
    assert iscsi.refused_portal(on(Initiator(0xEFFF0003))) == "return value 0xefff0003"
    assert iscsi.refused_portal(on(Initiator(CimError(0xEFFF0003, "New")))) == "HRESULT 0xefff0003"


def test_other_ways_differ_and_a_portal_that_was_added_goes_again(on):
    with pytest.raises(Differs, match="0x80041001"):
        iscsi.refused_portal(on(Initiator(CimError(0x80041001, "New"))))
    initiator = Initiator(0)
    with pytest.raises(Differs, match="was added"):
        iscsi.refused_portal(on(initiator))
    assert initiator.removed


def test_disks_of_targets_say_their_lun(on):
    location = "PCI Slot 3 : Adapter 0 : Port 0 : Target 1 : LUN 7"
    assert "LUN 7 of iqn.t" in iscsi.disks_of_a_target(on(Initiator(0, 1, 1, location)))
    with pytest.raises(NotTried, match="no target is logged in to"):
        iscsi.disks_of_a_target(on(Initiator(0)))
    with pytest.raises(Differs, match="no disk hangs"):
        iscsi.disks_of_a_target(on(Initiator(0, 1)))
    with pytest.raises(Differs, match="does not say its LUN"):
        iscsi.disks_of_a_target(on(Initiator(0, 1, 1, "Integrated")))
