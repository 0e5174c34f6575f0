"""The place of a service's log is for administrators alone."""

import os
import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from csiproxy.windows import service_log

pytestmark = pytest.mark.windows


def test_its_folder_is_made_once_and_named_again() -> None:
    path = service_log.prepare()
    assert path == service_log.prepare()
    assert path.lower() == r"c:\programdata\csi-proxy\csi-proxy.log"
    assert os.path.isdir(os.path.dirname(path))
