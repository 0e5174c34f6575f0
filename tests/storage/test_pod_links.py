r"""Links of pods are found where kubelet and its plugins put them, and nowhere that a pod can fill."""

import os

import pytest
from tests.emulated import KUBELET, PLUGINS, PODS, EmulatedNode

from csiproxy.storage.namespace import ConfinedPath

PLACE = PLUGINS + r"\pv1\globalmount"
CSI = r"\uid\volumes\kubernetes.io~csi\pv1"


@pytest.fixture
def node(tmp_path):
    node = EmulatedNode(tmp_path)
    yield node
    node.close()


def link(node: EmulatedNode, path: str, target: str) -> None:
    node.make(path.rpartition("\\")[0])
    with node.host.win32.open_root(path.rpartition("\\")[0]) as parent:
        node.host.win32.set_link(parent, path.rpartition("\\")[2], target, replace=False)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        (PODS + CSI + r"\mount", PLACE),
        (PODS + CSI + r"\mount", PLACE.upper() + "\\"),
        (PODS + CSI + r"\mount", PLACE + r"\sub\path"),
        (PODS + r"\uid\volumes\kubernetes.io~azure-disk\pv1", PLACE),
        (PODS + r"\uid\volumes\link", PLACE),
        (PODS + r"\uid\link", PLACE),
        (PODS + r"\link", PLACE),
    ],
)
def test_a_link_to_the_place_is_found(node, path, target):
    link(node, path, target)
    found = node.storage.pod_links(PODS).leading_to([PLUGINS + r"\none", PLACE])
    assert str(found) == path
    assert isinstance(found, ConfinedPath)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        (PODS + CSI + r"\mount", PLACE + "x"),
        (PODS + CSI + r"\mount", PLUGINS + r"\pv1"),
        (KUBELET + r"\plugins\link", PLACE),
        (PODS + CSI + r"\mount\inside", PLACE),
        (PODS + r"\uid\volumes\kubernetes.io~empty-dir\cache\link", PLACE),
        (PODS + r"\uid\etc-hosts\link", PLACE),
    ],
)
def test_other_links_do_not_count(node, path, target):
    link(node, path, target)
    assert node.storage.pod_links(PODS).leading_to([PLACE]) is None


def test_links_that_go_as_well_do_not_count(node):
    link(node, PODS + CSI + r"\mount", PLACE)
    links = node.storage.pod_links(PODS)
    for leaving in (PODS + r"\uid", PODS + CSI + r"\mount"):
        assert links.leading_to([PLACE], leaving) is None
    for leaving in (PODS + r"\ui", PODS + CSI + r"\mount\x", PLACE):
        assert links.leading_to([PLACE], leaving) is not None


def test_no_pods_directory_is_no_pods(node):
    assert node.storage.pod_links(r"C:\nowhere").leading_to([PLACE]) is None


def test_what_a_pod_plants_leads_nowhere_and_hinders_nothing(node):
    node.make(PODS + r"\uid\volumes\kubernetes.io~csi")
    os.symlink("/etc", node.on_host(PODS + r"\uid\volumes\planted"))
    link(node, PODS + CSI + r"\mount", PLACE)
    assert node.storage.pod_links(PODS).leading_to([PLACE]) is not None
