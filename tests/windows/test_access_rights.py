"""The rights are those of Windows."""

import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

import ntsecuritycon
import win32con

from csiproxy.windows import access_rights

pytestmark = pytest.mark.windows

RIGHTS = {name: value for name, value in vars(access_rights).items() if name.isupper()}


@pytest.mark.parametrize("name", RIGHTS)
def test_a_right_is_pywin32s(name: str) -> None:
    theirs = getattr(win32con, name, None)
    if theirs is None:
        theirs = getattr(ntsecuritycon, name)
    assert RIGHTS[name] == theirs & 0xFFFFFFFF
