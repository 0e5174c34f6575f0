"""WMI itself, by its own name: the system's firmware and services."""

import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

import threading

from csiproxy.errors import CimError
from csiproxy.host.cim import CIMV2
from csiproxy.windows.automation import AutomationError, is_object
from csiproxy.windows.com import ComSession
from csiproxy.windows.late_binding import open_namespace

pytestmark = pytest.mark.windows

SERVICE = "Winmgmt"


@pytest.fixture
def session():
    return ComSession(open_namespace)


def state(session):
    [service] = session.instances("Win32_Service", Name=SERVICE)
    return service.text("State")


def test_the_firmware_is_read(session):
    [bios] = session.instances("Win32_BIOS")
    assert bios.text("SerialNumber")
    assert bios.class_name == "Win32_BIOS"


def test_a_service_is_found_in_any_case_stopped_and_started(session):
    [service] = session.instances("Win32_Service", Name=SERVICE.upper())
    assert (service.key, service.text("Name")) == (SERVICE, SERVICE)
    first = "StopService" if state(session) == "Running" else "StartService"
    second = "StartService" if first == "StopService" else "StopService"
    for method in (first, second):
        assert session.invoke(service, method).return_value == 0
    assert session.invoke(service, second).return_value in (5, 6, 10)


def test_what_is_not_there_is_not_found(session):
    assert session.instances("Win32_Service", Name="no such service") == []
    assert session.instances("Win32_Service", Name="it's") == []


def test_threads_have_connections_of_their_own(session):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(session.instances("Win32_BIOS"))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(rows == found[0] for rows in found)


def test_a_namespace_that_is_not_there_is_wmis_own_failure():
    with pytest.raises(AutomationError) as failure:
        open_namespace(r"root\nothing")
    assert failure.value.hresult == 0x8004100E


def test_a_locator_that_is_not_there_is_a_failure():
    with pytest.raises(AutomationError):
        open_namespace(CIMV2, "{00000000-0000-4000-8000-00000000dead}")


def test_objects_are_told_from_values():
    wmi = open_namespace(CIMV2)
    assert is_object(wmi)
    [bios] = wmi.call("ExecQuery", "SELECT * FROM Win32_BIOS").each()
    assert isinstance(bios.get("Name"), str)
    with pytest.raises(AutomationError) as failure:
        bios.get("Nothing")
    assert failure.value.hresult == 0x80020006


def test_a_query_that_is_none_is_refused(session):
    with pytest.raises(AutomationError) as failure:
        list(open_namespace(CIMV2).call("ExecQuery", "SELECT").each())
    assert failure.value.hresult == 0x80041017
    with pytest.raises(CimError):
        session.invoke("Win32_Service", "StopService")
