"""The folder of this program is for administrators alone."""

import os
import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from csiproxy.windows import data_folder

pytestmark = pytest.mark.windows


def test_it_is_made_once_with_what_is_asked_for_in_it() -> None:
    for _ in range(2):
        path = data_folder.prepare("of tests")
        assert path.lower() == r"c:\programdata\csi-proxy\of tests"
        assert os.path.isdir(path)
    os.rmdir(path)
