import pytest
from tests.kubelet.plugins import NODE, Node, serve

from csiproxy.csi import address, v1_pb2
from csiproxy.csi.calling import Caller
from csiproxy.kubelet.csi_drivers import CsiDrivers, highest
from csiproxy.kubelet.registration import Introduction, Refused


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (("1.0.0",), (1, 0, 0)),
        (("0.3.0", "1.2.0", "1.10.0"), (1, 10, 0)),
        (("2.0.0", "1.1"), (1, 1)),
        (("v1.2.3-rc1", "rubbish"), (1, 2, 3)),
    ],
)
def test_the_highest_version_of_major_one_counts(versions, expected):
    assert highest(versions) == expected


@pytest.mark.parametrize("versions", [(), ("0.3.0",), ("2.0.0",), ("rubbish",), ("1.",)])
def test_a_driver_of_no_such_version_is_refused(versions):
    with pytest.raises(Refused):
        highest(versions)


@pytest.fixture
def drivers(short_directory):
    return CsiDrivers(lambda path: Caller(address.channel(str(short_directory / path)), v1_pb2.DESCRIPTOR))


@pytest.fixture
def node(short_directory):
    node = Node()
    running = serve(short_directory / "a", NODE, node)
    yield node
    running.stop(0)


def plugin(endpoint="a", *versions):
    return Introduction("a.b", endpoint, versions or ("1.0.0",))


def test_a_driver_is_known_with_what_it_says_of_the_node(drivers, node):
    drivers.validate(plugin())
    drivers.register(plugin())
    [driver] = drivers.all()
    assert (driver.name, driver.endpoint, driver.node_id, driver.max_volumes) == ("a.b", "a", "node-1", 7)
    assert driver.topology == {"zone": "z"}
    drivers.deregister("a.b", "a")
    assert drivers.get("a.b") is None


def test_a_name_that_is_taken_goes_to_a_higher_version_alone(drivers, node):
    drivers.register(plugin())
    with pytest.raises(Refused, match="registered already"):
        drivers.validate(plugin("b"))
    drivers.validate(plugin("b", "1.1.0"))


def test_the_end_of_an_old_driver_does_not_take_the_new_one_along(drivers, node, short_directory):
    drivers.register(plugin())
    running = serve(short_directory / "b", NODE, Node("node-2"))
    drivers.register(plugin("b", "1.1.0"))
    running.stop(0)
    drivers.deregister("a.b", "a")
    assert drivers.get("a.b").endpoint == "b"


def test_a_driver_that_does_not_know_the_node_is_not_kept(drivers, node):
    node.node_id = ""
    with pytest.raises(Refused, match="no node id"):
        drivers.register(plugin())


def test_a_driver_that_does_not_answer_is_not_kept(drivers):
    with pytest.raises(Refused, match="NodeGetInfo"):
        drivers.register(plugin())
    assert drivers.all() == ()
