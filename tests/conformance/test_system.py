"""Group system: the firmware and the services of the node, and how refusals look."""

import pytest

RUNNING, STOPPED = 4, 1
MANUAL = 3


@pytest.fixture
def system(running):
    return running.client("system/v1alpha1")


def test_every_version_of_the_group_is_in_the_suite(apis):
    assert [name for name in apis if name.startswith("system/")] == ["system/v1alpha1"]


def test_the_firmwares_serial_number_is_told(system):
    assert system("GetBIOSSerialNumber").serial_number


def test_a_service_is_started_and_stopped_each_call_twice(system):
    found = system("GetService", name="MSiSCSI")
    assert (found.display_name, found.start_type, found.status) == (
        "Microsoft iSCSI Initiator Service",
        MANUAL,
        STOPPED,
    )
    for _ in range(2):
        system("StartService", name="MSiSCSI")
        assert system("GetService", name="msiscsi").status == RUNNING
    for force in (False, True):
        system("StopService", name="MSiSCSI", force=force)
        assert system("GetService", name="MSiSCSI").status == STOPPED


def test_refusals_carry_a_status_a_windows_code_and_a_sentence(system):
    assert list(system.refused("GetService", name="none")) == ["NOT_FOUND", 1060]
    assert list(system.refused("GetService", name="")) == ["INVALID_ARGUMENT", 123]
    assert list(system.refused("StartService", name="kubelet")) == ["PERMISSION_DENIED", 5]
    assert list(system.refused("StopService", name="kubelet", force=True)) == ["PERMISSION_DENIED", 5]
    assert list(system.refused("StartService", name="defragsvc")) == ["FAILED_PRECONDITION", 1058]
