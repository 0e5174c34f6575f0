"""Targets over COM, and CSIProxyService's LUNs."""

import pytest
from tests.conformance.test_iscsi import *  # noqa: F403

pytestmark = pytest.mark.wine
