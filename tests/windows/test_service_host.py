"""A process that Windows has not started as a service (tests/wine/test_service.py has one that it has)."""

import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from csiproxy.windows import service_host

pytestmark = pytest.mark.windows


def test_it_is_told_to_be_started_by_the_service_control_manager() -> None:
    served: list[object] = []
    with pytest.raises(service_host.NotStartedAsService, match="leave out -windows-service"):
        service_host.run(lambda supervisor: served.append(supervisor) or 0)
    assert served == []
