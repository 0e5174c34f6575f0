"""The emulated node's CIM server, reached as WMI is."""

import pytest
from tests.emulator.storage_ground import StorageGround
from tests.windows.in_process import com_session


@pytest.fixture
def storage(tmp_path):
    """A fresh node, whose CIM server answers through WMI's objects and our COM session."""
    ground = StorageGround(tmp_path / "node")
    ground.session = com_session(ground.session)
    yield ground
    ground.close()
