"""Group system: the firmware and the services of the node, and how refusals look."""

import os
import subprocess
import sys

import pytest
from tests.conformance.wire import Client

from csiproxy.emulator.faults import Action, Fault

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


@pytest.mark.parametrize(
    ("name", "start_type", "status"),
    [
        ("disk", 0, RUNNING),
        ("kubelet", 2, RUNNING),
        ("MSiSCSI", MANUAL, STOPPED),
        ("defragsvc", 4, STOPPED),
    ],
)
def test_start_types_and_states_have_the_contracts_numbers(system, name, start_type, status):
    found = system("GetService", name=name)
    assert (found.start_type, found.status) == (start_type, status)


def settled(system, name):
    """The state of a service that is on its way nowhere."""
    while (status := system("GetService", name=name).status) not in (RUNNING, STOPPED):
        pass
    return status


@pytest.fixture
def depended_on(running, system):
    """MSiSCSI, which runs because MPIO-Agent needs it."""
    running.control.switch_service("MPIO-Agent", running=True)
    assert [settled(system, name) for name in ("MPIO-Agent", "MSiSCSI")] == [RUNNING, RUNNING]
    yield "MSiSCSI"
    running.control.switch_service("MPIO-Agent", running=False)
    assert settled(system, "MPIO-Agent") == STOPPED
    system("StopService", name="MSiSCSI")


def test_what_others_need_is_stopped_with_force_alone_and_only_when_all_may_be(system, depended_on):
    assert list(system.refused("StopService", name=depended_on)) == ["FAILED_PRECONDITION", 1051]
    assert list(system.refused("StopService", name=depended_on, force=True)) == ["PERMISSION_DENIED", 5]
    assert system("GetService", name=depended_on).status == RUNNING


@pytest.fixture
def permissive(running, apis, tmp_path):
    """Another proxy on the same node, whose operator allows one service more."""
    endpoints = f"{running.directory}/permissive"
    command = [sys.executable, "-m", "csiproxy", "serve", "--host", f"emulator:{running.node}"]
    command += ["--endpoints", endpoints, "--serve", "system/*", "--audit-log", str(tmp_path / "audit.jsonl")]
    ready, told = os.pipe()
    with subprocess.Popen(
        [*command, "--allow-service", "mpio-agent", "--ready-fd", str(told)],
        pass_fds=[told],
        stdout=subprocess.DEVNULL,
    ) as proxy:
        os.close(told)
        with os.fdopen(ready, "rb") as reader:
            assert reader.read() == b"READY\n"
        client = Client(apis["system/v1alpha1"], endpoints)
        yield client
        client.close()
        proxy.terminate()
    assert proxy.returncode == 0


def test_the_operator_allows_services_besides_those_of_storage(permissive, depended_on):
    permissive("StopService", name=depended_on, force=True)
    for name in (depended_on, "MPIO-Agent"):
        assert permissive("GetService", name=name).status == STOPPED
    assert list(permissive.refused("StopService", name="kubelet")) == ["PERMISSION_DENIED", 5]


@pytest.mark.parametrize(
    ("value", "status", "code"),
    [(7, "DEADLINE_EXCEEDED", 1053), (13, "FAILED_PRECONDITION", 1068), (11, "UNAVAILABLE", 1055)],
)
def test_what_windows_says_of_a_service_arrives(running, system, value, status, code):
    running.control.order(Fault("Win32_Service.StartService", Action.FAIL, code=value))
    found = system.refused("StartService", name="smphost")
    assert list(found) == [status, code]
    assert "smphost" in found.text
