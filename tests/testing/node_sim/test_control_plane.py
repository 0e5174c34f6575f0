import pytest
from tests.testing.node_sim.conftest import CLAIM, MIB, STORAGE

from csiproxy.testing.node_sim.control_plane import ControlPlane
from csiproxy.testing.node_sim.manifests import StorageClass
from csiproxy.testing.node_sim.retrying import StepFailed


def test_a_claim_is_provisioned_by_its_uid(cluster, bound):
    plane: ControlPlane = cluster.control_plane
    first, done = plane.provision(CLAIM, "uid", STORAGE)
    again, _ = plane.provision(CLAIM, "uid", STORAGE)
    assert first == again
    assert first.name == "pvc-uid"
    assert (first.size, first.context, done.tries) == (64 * MIB, {"type": "disk"}, 1)
    plane.delete(first)


def test_what_a_class_asks_for_in_vain_is_said(cluster):
    impossible = StorageClass("x", STORAGE.provisioner, {"speed": "warp"}, (), expansion=False)
    with pytest.raises(StepFailed, match="speed"):
        cluster.provision(CLAIM, impossible)
    flags = StorageClass("x", STORAGE.provisioner, {}, ("noatime",), expansion=False)
    with pytest.raises(StepFailed, match="mount options"):
        cluster.provision(CLAIM, flags)


def test_a_volume_is_on_one_node(cluster, bound):
    first, second = cluster.nodes.values()
    attached, _ = cluster.attach(bound, first)
    assert attached.context["serialNumber"]
    cluster.control_plane.detach(bound.volume, first.name)
    cluster.attach(bound, second)
