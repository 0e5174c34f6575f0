"""Volumes over COM; links and mount points are the node's own."""

import pytest
from tests.conformance.test_volume import *  # noqa: F403

pytestmark = pytest.mark.wine
