"""What the tests of file systems in images share."""

import pytest


@pytest.fixture(autouse=True)
def _mounting(mounting):
    """All of them need the tools, and most mount."""
