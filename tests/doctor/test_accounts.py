"""Self-tests of accounts: what Wine does otherwise is found out."""

import ctypes
import os
import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from csiproxy.doctor import accounts
from csiproxy.doctor.ground import Ground
from csiproxy.doctor.outcome import Differs, NotTried
from csiproxy.windows import this_machine

pytestmark = pytest.mark.windows

ON_WINE = hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")


@pytest.fixture
def ground() -> Ground:
    return Ground(this_machine.host(), None, True)


@pytest.mark.skipif(not ON_WINE, reason="Wine's folders belong to the account that runs it")
def test_a_folder_that_wine_makes_safe_is_found_out_and_removed(ground) -> None:
    with pytest.raises(Differs, match="called safe"):
        accounts.folders(ground)
    assert [name for name in os.listdir("C:\\") if "self-test" in name] == []


@pytest.mark.skipif(not ON_WINE, reason="Wine does not know the privilege")
def test_a_privilege_that_is_not_held_is_not_tried(ground) -> None:
    with pytest.raises(NotTried, match="SeCreateSymbolicLinkPrivilege"):
        accounts.link_privilege(ground)
