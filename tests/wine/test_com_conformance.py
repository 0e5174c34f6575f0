"""What holds of any CIM session holds over COM between processes: the emulator's own suite once more.

A test's call goes to a program of the Windows Python, whose COM session asks ``WbemScripting.SWbemLocator``,
which is the stand-in's, a third program; that asks the node of the test.
"""

import pytest
from tests.conftest import windows_of_its_own
from tests.emulator.storage_ground import StorageGround
from tests.emulator.test_cim_create import *  # noqa: F403
from tests.emulator.test_cim_disk import *  # noqa: F403
from tests.emulator.test_cim_partition import *  # noqa: F403
from tests.emulator.test_cim_volume import *  # noqa: F403
from tests.emulator.test_session import *  # noqa: F403
from tests.wine.cim_wire import CimServer
from tests.wine.wmi import over_com, standing_in

pytestmark = pytest.mark.wine


class Switch:
    """The session that a test has now."""

    current = None

    def instances(self, class_name, /, **where):
        return self.current.instances(class_name, **where)

    def associated(self, instance, association, result_class, result_role=""):
        return self.current.associated(instance, association, result_class, result_role)

    def invoke(self, target, method, /, **parameters):
        return self.current.invoke(target, method, **parameters)


@pytest.fixture(scope="module")
def wine(tmp_path_factory):
    """Not the Windows of other tests, which would find this node in its WMI."""
    with windows_of_its_own(tmp_path_factory.mktemp("wine")) as prefix:
        yield prefix


@pytest.fixture(scope="module")
def relayed(wine, tmp_path_factory):
    directory = tmp_path_factory.mktemp("com")
    switch = Switch()
    server = CimServer(switch, str(directory / "node"))
    with standing_in(wine, directory / "node"), over_com(wine, directory / "com") as session:
        yield switch, session
    server.close()


@pytest.fixture
def storage(tmp_path, relayed):
    """A fresh node whose session is reached over COM."""
    switch, session = relayed
    ground = StorageGround(tmp_path / "node")
    switch.current, ground.session = ground.session, session
    yield ground
    switch.current = None
    ground.close()
