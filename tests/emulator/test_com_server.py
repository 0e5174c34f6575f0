"""Where the stand-in for WMI runs; what it does there is in tests/wine."""

import sys

import pytest

from csiproxy.emulator import com_server
from csiproxy.errors import HostError


@pytest.mark.skipif(sys.platform == "win32", reason="says what is said elsewhere")
def test_elsewhere_it_says_where_it_belongs():
    with pytest.raises(HostError, match="under Wine"):
        com_server.run("token")
