"""Mapped shares over COM; the links to them are the node's own."""

import pytest
from tests.conformance.test_smb import *  # noqa: F403

pytestmark = pytest.mark.wine
