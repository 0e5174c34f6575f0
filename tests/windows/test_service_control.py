"""Services of this Windows: what is configured, and what Windows refuses."""

import sys
import uuid

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

import win32service

from csiproxy.windows import service_control
from csiproxy.windows.services import ServiceError, this_systems

pytestmark = pytest.mark.windows


def test_a_service_is_made_with_its_command_and_removed_again() -> None:
    name = f"csiproxy-{uuid.uuid4()}"
    service_control.install(name, r'"C:\Program Files\x.exe" -windows-service', automatic=False)
    found = service_control.status(name)
    assert (found.state, found.pid) == ("stopped", 0)
    assert found.command == r'"C:\Program Files\x.exe" -windows-service'
    with pytest.raises(ServiceError, match="uninstall it first"):
        service_control.install(name, "x", automatic=True)
    with pytest.raises(ServiceError):
        service_control.start(name, 5)  # there is no such program
    service_control.uninstall(name, 5)
    with pytest.raises(ServiceError, match="install it first"):
        service_control.status(name)


def test_a_service_that_ends_badly_is_started_again() -> None:
    name = f"csiproxy-{uuid.uuid4()}"
    service_control.install(name, "x", automatic=True)
    manager = win32service.OpenSCManager(None, None, win32service.SC_MANAGER_CONNECT)
    service = win32service.OpenService(manager, name, win32service.SERVICE_QUERY_CONFIG)
    try:
        found = win32service.QueryServiceConfig2(service, win32service.SERVICE_CONFIG_FAILURE_ACTIONS)
    except win32service.error:
        pytest.skip("this Windows does not tell recovery actions (Wine)")
    finally:
        win32service.CloseServiceHandle(service)
        win32service.CloseServiceHandle(manager)
        service_control.uninstall(name, 5)
    assert found["Actions"] == ((1, 5000), (1, 10000), (1, 60000))


def test_these_are_this_systems() -> None:
    assert this_systems() is service_control
