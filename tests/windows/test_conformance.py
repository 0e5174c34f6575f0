"""What holds of any CIM session holds of the COM session: the emulator's own suite, one layer up.

WMI's objects are the emulated ones, in this process; only COM itself is missing between them and the session.
"""

from tests.emulator.test_cim_create import *  # noqa: F403
from tests.emulator.test_cim_disk import *  # noqa: F403
from tests.emulator.test_cim_partition import *  # noqa: F403
from tests.emulator.test_cim_volume import *  # noqa: F403
from tests.emulator.test_session import *  # noqa: F403
