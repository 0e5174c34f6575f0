"""A pod's life on the cluster, step by step."""

import os

import pytest
from tests.testing.node_sim.conftest import MIB, POD, registered

from csiproxy.testing.node_sim.cluster import paths
from csiproxy.testing.node_sim.picture import draw


def bring_up(cluster, bound, node, uid="uid-1"):
    attached, _ = cluster.attach(bound, node)
    node.kubelet.stage(bound.volume, attached.context)
    node.kubelet.publish(bound.volume, attached.context, uid, read_only=False)
    return cluster.start(POD, uid, node, {"data": attached})


def take_down(cluster, running):
    [report] = cluster.finish(running).values()
    volume = running.volumes["data"].bound.volume
    running.node.kubelet.unpublish(volume, running.uid)
    running.node.kubelet.unstage(volume)
    cluster.control_plane.detach(volume, running.node.name)
    return report


def test_a_pod_moves_with_its_files(cluster, bound):
    first, second = cluster.nodes.values()
    running = bring_up(cluster, bound, first)
    [workload] = running.workloads.values()
    workload.go_on_until(5)
    before = take_down(cluster, running)
    assert before.records == before.cycles >= 5
    running = bring_up(cluster, bound, second, "uid-2")
    [workload] = running.workloads.values()
    assert workload.go_on_until(before.records + 5).cycles > before.records
    after = take_down(cluster, running)
    assert after.records == after.cycles


def test_kubelets_paths_are_those_of_kubelet_and_go_when_it_is_done(cluster, bound):
    node = cluster.nodes["node-1"]
    running = bring_up(cluster, bound, node)
    staged, published = paths(running, "data")
    assert staged.startswith(r"C:\var\lib\kubelet\plugins\kubernetes.io\csi\d.example" + "\\")
    assert published == rf"C:\var\lib\kubelet\pods\uid-1\volumes\kubernetes.io~csi\{bound.volume.name}\mount"
    for path in (staged, published):
        parent = node.kubelet.on_host(path.rpartition("\\")[0])
        assert os.path.exists(os.path.join(parent, "vol_data.json"))
    take_down(cluster, running)
    for path in (staged, published):
        assert not os.path.lexists(node.kubelet.on_host(path.rpartition("\\")[0]))


def test_a_volume_grows_under_its_pod(cluster, bound):
    node = cluster.nodes["node-1"]
    running = bring_up(cluster, bound, node)
    larger, _ = cluster.control_plane.expand(bound.volume, 128 * MIB)
    size, _ = node.kubelet.expand(larger, larger.size, running.uid)
    assert size == larger.size == 128 * MIB
    stats, _ = node.kubelet.stats(larger, running.uid)
    assert stats.usage[0].total > 100 * MIB
    running = cluster.grown(running, "data", larger)
    assert running.volumes["data"].bound.claim.size == 128 * MIB
    take_down(cluster, running)


def test_the_picture_shows_pod_claim_volume_disk_and_path(cluster, bound):
    from rich.console import Console

    running = bring_up(cluster, bound, cluster.nodes["node-1"])
    console = Console(width=400)
    with console.capture() as captured:
        console.print(draw(cluster, running))
    shown = captured.get()
    staged, published = paths(running, "data")
    order = ["pod default/pod on node-1", "container container", "claim data: 64Mi", bound.volume.handle,
             "disk 1", "Volume{", f"mounted at {staged}", f"published at {published}"]  # fmt: skip
    places = [shown.index(text) for text in order]
    assert places == sorted(places)
    take_down(cluster, running)


@pytest.mark.parametrize(
    "part", ["controller", "csi-proxy", "node plugin", "registrar", "kubelet", "emulated machine"]
)
def test_a_pod_outlives_every_component(cluster, bound, part):
    running = bring_up(cluster, bound, cluster.nodes["node-1"])
    [workload] = running.workloads.values()
    [kill] = [kill for name, kill in cluster.components().items() if name in (part, f"{part} of node-1")]
    kill()
    workload.go_on_until(workload.report().cycles + 5)
    registered(cluster.nodes["node-1"])
    assert take_down(cluster, running).records >= 5


def test_provisioning_the_same_claim_again_makes_another_volume(cluster, bound):
    from tests.testing.node_sim.conftest import CLAIM, STORAGE

    other, _ = cluster.provision(CLAIM, STORAGE)
    assert other.volume.handle != bound.volume.handle
    assert os.path.exists(cluster.image(other.volume))
    cluster.control_plane.delete(other.volume)
    assert not os.path.exists(cluster.image(other.volume))
