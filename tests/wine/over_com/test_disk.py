"""Disks over COM."""

import pytest
from tests.conformance.test_disk import *  # noqa: F403

pytestmark = pytest.mark.wine
