"""What the operator decides reaches the operations."""

import pytest
from tests.emulated import KUBELET, PLUGINS, PODS

from csiproxy import operations
from csiproxy.errors import InvalidArgument
from csiproxy.operations.configuration import STORAGE_SERVICES, Configuration


def test_the_services_of_storage_may_be_switched_unless_the_operator_says_otherwise():
    configuration = Configuration(KUBELET, (), PLUGINS, PODS, allow_reformat=False)
    assert configuration.allow_services == STORAGE_SERVICES
    assert "MSiSCSI" in STORAGE_SERVICES


@pytest.mark.parametrize("which", range(4))
def test_a_prefix_that_is_no_legal_path_is_refused_at_once(node, which):
    paths = [KUBELET, r"C:\work", PLUGINS, PODS]
    paths[which] = r"\\server\share"
    configuration = Configuration(paths[0], (paths[1],), paths[2], paths[3], allow_reformat=False)
    with pytest.raises(InvalidArgument):
        operations.build(node.host, configuration)


def test_prefixes_may_be_anywhere_and_on_their_own(node):
    node.make(r"C:\k")
    configuration = Configuration(r"C:\k", (), r"C:\plugins", r"C:\pods", allow_reformat=False)
    groups = operations.build(node.host, configuration)
    assert groups.csi_proxy_service is not None
