"""Virtual disks: real ones where Windows makes them, a plain refusal elsewhere."""

import ctypes
import os
import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from csiproxy.windows.virtual_disk import VirtualDisk

pytestmark = pytest.mark.windows

ON_WINE = hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")


@pytest.mark.skipif(not ON_WINE, reason="Windows makes virtual disks")
def test_wine_makes_none_and_the_program_goes_on(tmp_path) -> None:
    with pytest.raises(OSError, match="Wine"):
        VirtualDisk(str(tmp_path / "disk.vhdx"), 64 << 20)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(ON_WINE, reason="Wine makes no virtual disks")
def test_a_disk_is_there_and_gone_with_its_file(tmp_path) -> None:
    path = tmp_path / "disk.vhdx"
    with VirtualDisk(str(path), 64 << 20) as disk:
        assert os.path.exists(rf"\\.\PhysicalDrive{disk.number}")
    assert not path.exists()
