"""Self-tests of directories past the port: short names as assumed, and what Wine does otherwise."""

import ctypes
import os
import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from csiproxy.doctor import windows_files
from csiproxy.doctor.ground import Ground
from csiproxy.doctor.outcome import Differs, NotTried
from csiproxy.windows import this_machine

pytestmark = pytest.mark.windows

ON_WINE = hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")


@pytest.fixture
def ground():
    yield Ground(this_machine.host(), None, True)
    assert [name for name in os.listdir("C:\\") if "self-test" in name] == []


def test_a_short_name_is_refused(ground) -> None:
    try:
        assert "was refused with 123" in windows_files.short_name(ground)
    except NotTried:
        assert not ON_WINE


@pytest.mark.skipif(not ON_WINE, reason="this is what Wine does otherwise")
@pytest.mark.parametrize(
    ("self_test", "text"),
    [
        (windows_files.moved_directory, "it says that it is"),
        (windows_files.held_directory, "above was renamed"),
    ],
)
def test_what_wine_does_otherwise_is_found_out(ground, self_test, text) -> None:
    with pytest.raises(Differs, match=text):
        self_test(ground)
