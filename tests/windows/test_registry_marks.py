"""Marks outlive the process, and values that are no marks are no marks."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

import winreg

from csiproxy.windows.registry_marks import RegistryMarks

pytestmark = pytest.mark.windows

KEY = r"SOFTWARE\csi-proxy\Tests of marks"


@pytest.fixture
def marks() -> Iterator[RegistryMarks]:
    yield RegistryMarks(KEY)
    winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, KEY)


def test_a_mark_of_a_process_that_ended_is_there(marks: RegistryMarks) -> None:
    code = "import sys; from csiproxy.windows.registry_marks import *; RegistryMarks(sys.argv[1]).put('m')"
    subprocess.run([sys.executable, "-c", code, KEY], check=True)
    assert marks.is_there("m")
    assert marks.all() == ["m"]


def test_what_others_put_into_the_key_is_no_mark(marks: RegistryMarks) -> None:
    marks.put("m")
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, KEY, 0, winreg.KEY_SET_VALUE) as key:
        winreg.SetValueEx(key, "text", 0, winreg.REG_SZ, "x")
        winreg.SetValueEx(key, "bytes", 0, winreg.REG_BINARY, b"\xff")
        winreg.SetValueEx(key, "other", 0, winreg.REG_BINARY, b"m")
    assert marks.all() == ["m"]
