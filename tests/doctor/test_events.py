"""The texts of events are read where Windows has them."""

import ctypes
import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from csiproxy.doctor import events
from csiproxy.doctor.outcome import Differs

pytestmark = pytest.mark.windows

ON_WINE = hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")


@pytest.mark.skipif(not ON_WINE, reason="Windows has the file")
def test_a_file_that_is_missing_is_found_out() -> None:
    with pytest.raises(Differs, match="cannot be read"):
        events.texts(None)


@pytest.mark.skipif(ON_WINE, reason="Wine does not have the file")
def test_the_texts_are_what_was_written() -> None:
    assert events.texts(None)
