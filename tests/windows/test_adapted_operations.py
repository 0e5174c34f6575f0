"""The operations' own suites, on an emulated node that is used through the adapter for Windows."""

import pytest
from tests.operations.test_csi_proxy_service import *  # noqa: F403
from tests.operations.test_filesystem import *  # noqa: F403
from tests.operations.test_volume import *  # noqa: F403
from tests.storage.test_namespace import *  # noqa: F403
from tests.windows.adapted import AdaptedNode


@pytest.fixture
def node(tmp_path):
    """A fresh node, whose Win32 half is the adapter."""
    node = AdaptedNode(tmp_path)
    yield node
    node.close()
