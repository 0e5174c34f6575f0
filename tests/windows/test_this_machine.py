"""The machine's own storage, through both halves of the port: files and WMI for real."""

import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from csiproxy.errors import Win32Error
from csiproxy.host.win32 import EntryKind
from csiproxy.windows import this_machine

pytestmark = pytest.mark.windows


def test_files_and_services_are_this_machines() -> None:
    host = this_machine.host()
    with host.win32.open_root(r"C:\Windows") as windows:
        assert host.win32.entry(windows, "SYSTEM32").kind is EntryKind.DIRECTORY
    names = {service.text("Name").lower() for service in host.cim.instances("Win32_Service")}
    assert "eventlog" in names
    with host.win32.mutex("of a test", 1.0):
        host.win32.remember("mark of a test")
        assert host.win32.remembers("mark of a test")
        host.win32.forget("mark of a test")


def test_the_volume_of_a_drive_is_mounted_nowhere_else() -> None:
    """And what this account or this Windows cannot do is said with a code."""
    host = this_machine.host()
    with pytest.raises(Win32Error) as failure:
        host.win32.storage_device(r"\\.\PhysicalDrive99")
    assert failure.value.windows_code in (2, 3)
