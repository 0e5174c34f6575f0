"""CSIProxyService over COM; links and mount points are the node's own."""

import pytest
from tests.conformance.test_csi_proxy_service import *  # noqa: F403

pytestmark = pytest.mark.wine
