import pytest
from tests.node.plugin.ground import DRIVER, in_process

from csiproxy.csi import v1_pb2
from csiproxy.errors import InvalidArgument
from csiproxy.node.plugin.identity import checked_name

Service = v1_pb2.PluginCapability.Service


def test_the_plugin_says_its_name_and_what_it_serves(plugin):
    info = plugin.call(v1_pb2.GetPluginInfoRequest())
    assert info.name == DRIVER
    assert info.vendor_version
    capabilities = plugin.call(v1_pb2.GetPluginCapabilitiesRequest()).capabilities
    assert [c.volume_expansion.type for c in capabilities] == [v1_pb2.PluginCapability.VolumeExpansion.ONLINE]


def test_a_node_with_a_place_announces_that_places_matter(node, short_directory):
    with in_process(node, short_directory, topology={"zone": "z"}) as plugin:
        capabilities = plugin.call(v1_pb2.GetPluginCapabilitiesRequest()).capabilities
    assert Service.VOLUME_ACCESSIBILITY_CONSTRAINTS in [c.service.type for c in capabilities]


def test_it_is_ready_while_its_proxy_answers(plugin):
    assert plugin.call(v1_pb2.ProbeRequest()).ready.value
    plugin.node.kill_proxy()
    assert not plugin.call(v1_pb2.ProbeRequest()).ready.value
    plugin.node.start()
    assert plugin.call(v1_pb2.ProbeRequest()).ready.value


@pytest.mark.parametrize("name", ["", "-x", "x.", "a_b", "a/b", "x" * 64])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(InvalidArgument):
        checked_name(name)
