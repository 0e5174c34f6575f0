"""The system group."""

import pytest

from csiproxy.client import ServiceStatus, StartType
from csiproxy.errors import NotFound, PermissionDenied


def test_the_serial_number_of_the_firmware_is_told(client):
    assert client.system.get_bios_serial_number()


def test_a_service_is_started_asked_about_and_stopped(client):
    client.system.start_service("MSiSCSI")
    found = client.system.get_service("MSiSCSI")
    assert found.status is ServiceStatus.RUNNING
    assert isinstance(found.start_type, StartType)
    assert found.display_name
    client.system.stop_service("MSiSCSI")
    assert client.system.get_service("MSiSCSI").status is ServiceStatus.STOPPED


def test_a_service_that_is_nobodys_business_is_refused_and_an_unknown_one_not_found(client):
    with pytest.raises(PermissionDenied):
        client.system.stop_service("Winmgmt", force=True)
    with pytest.raises(NotFound):
        client.system.get_service("NoSuchService")
