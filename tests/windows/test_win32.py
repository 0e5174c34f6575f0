"""What holds of the emulated node's Win32 port holds of the adapter for Windows: the emulator's own suite."""

import pytest
from tests.emulator.conftest import ground as emulated_ground  # noqa: F401
from tests.emulator.conftest import root  # noqa: F401
from tests.emulator.test_win32 import *  # noqa: F403
from tests.windows.adapted import adapted

# Names and files that only the emulated node's host can have.
del test_a_link_cannot_be_made_where_windows_has_no_path  # noqa: F821
del test_a_mount_point_of_a_volume_that_moved_dangles  # noqa: F821


@pytest.fixture
def ground(emulated_ground):  # noqa: F811
    """The emulator's ground, used through the adapter."""
    emulated_ground.win32 = adapted(emulated_ground.win32)
    return emulated_ground
