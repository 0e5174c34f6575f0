"""Tests inside a Windows Python: what they stand on."""

import os
import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

pytestmark = pytest.mark.windows


def test_temporary_folders_are_on_drive_c(tmp_path: os.PathLike[str]) -> None:
    assert os.path.splitdrive(tmp_path)[0].upper() == "C:"
