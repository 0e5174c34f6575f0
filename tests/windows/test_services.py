"""The port to Windows services, where there are none."""

import sys

import pytest

from csiproxy.windows.services import ServiceError, this_systems


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has services")
def test_a_system_without_services_says_what_there_is_instead() -> None:
    with pytest.raises(ServiceError, match="emulator service"):
        this_systems()
