"""Links to shares are known by marks, and a mark that nothing stands behind does not count."""

import pytest
from tests.emulated import KUBELET, PODS

from csiproxy.storage.namespace import ConfinedPath
from csiproxy.storage.share_links import ShareLinks, share_of

SHARE = r"\\files\data"


@pytest.mark.parametrize(
    ("target", "share"),
    [
        (r"\\Files\Data", SHARE),
        (r"\\files\data" + "\\", SHARE),
        (r"\\files\data\deep\down", SHARE),
        (r"\\files", ""),
        (r"\\files" + "\\", ""),
        (r"\\?\Volume{00000000-0000-4000-8000-00000000dead}" + "\\", ""),
        (r"\\.\PhysicalDrive1", ""),
        (r"C:\var\lib", ""),
        (r"\server\share", ""),
        ("", ""),
    ],
)
def test_a_links_target_names_its_share(target, share):
    assert share_of(target) == share


@pytest.fixture
def links(node) -> ShareLinks:
    node.make(PODS)
    return node.storage.share_links


def place(text: str) -> ConfinedPath | None:
    """Everything under kubelet's directory is ours."""
    if not text.upper().startswith(KUBELET.upper()):
        return None
    return ConfinedPath(KUBELET, tuple(text[len(KUBELET) + 1 :].split("\\")))


def link(node, name: str, target: str) -> ConfinedPath:
    path = ConfinedPath(KUBELET, ("pods", name))
    node.storage.namespace.link(path, target, replace_empty=False)
    return path


def test_a_link_counts_from_being_made_to_being_removed(node, links):
    path = ConfinedPath(KUBELET, ("pods", "one"))
    links.expect(SHARE, path)
    assert links.living(SHARE, place) == []  # noted, and then never made
    links.expect(SHARE, path)
    link(node, "one", r"\\Files\Data\sub" + "\\")
    assert [str(found).upper() for found in links.living(SHARE, place)] == [str(path).upper()]
    node.storage.namespace.remove_tree(path)
    assert links.living(SHARE, place) == []


def test_another_link_of_that_name_is_no_link_to_the_share(node, links):
    links.expect(SHARE, ConfinedPath(KUBELET, ("pods", "one")))
    link(node, "one", r"\\files\other")
    assert links.living(SHARE, place) == []


def test_the_mark_of_what_is_gone_is_taken_away(node, links):
    links.expect(SHARE, ConfinedPath(KUBELET, ("pods", "one")))
    assert links.living(SHARE, place) == []
    link(node, "one", SHARE)  # by somebody who leaves no mark
    assert links.living(SHARE, place) == []


def test_a_directory_on_the_way_that_became_a_link_ends_the_way(node, links):
    links.expect(SHARE, ConfinedPath(KUBELET, ("pods", "a", "one")))
    node.plant(PODS + r"\a", "/")
    assert links.living(SHARE, place) == []


def test_links_outside_of_our_places_do_not_count_and_are_not_forgotten(node, links):
    links.expect(SHARE, link(node, "one", SHARE))
    assert links.living(SHARE, lambda _: None) == []
    assert len(links.living(SHARE, place)) == 1


def test_a_share_is_not_taken_for_another_whose_name_begins_like_it(node, links):
    links.expect(SHARE + "2", link(node, "one", SHARE + "2"))
    assert links.living(SHARE, place) == []


def test_a_deferred_removal_is_known_until_it_is_taken_back(links):
    assert not links.is_deferred(SHARE)
    links.defer(SHARE)
    assert links.is_deferred(SHARE)
    assert not links.is_deferred(SHARE + "2")
    links.keep(SHARE)
    links.keep(SHARE)
    assert not links.is_deferred(SHARE)
