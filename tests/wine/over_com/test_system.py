"""Firmware and services over COM."""

import pytest
from tests.conformance.test_system import *  # noqa: F403

pytestmark = pytest.mark.wine
