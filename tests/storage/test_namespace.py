"""Each operation on names, on a real tree: what it does, what it does the second time, what it refuses."""

import contextlib
import os

import pytest
from tests.emulated import KUBELET, NO_VOLUME, EmulatedNode, tree
from tests.storage.scheduled import ScheduledWin32

from csiproxy.errors import PermissionDenied, Win32Error, WindowsCode
from csiproxy.host.win32 import Directory, Entry, EntryKind
from csiproxy.storage.namespace import MAX_DEPTH, MAX_HOPS, ConfinedPath, Namespace

TOP = KUBELET + r"\t"


def at(*names: str) -> ConfinedPath:
    return ConfinedPath(TOP, names)


def confine(text: str) -> ConfinedPath:
    """What operations do with a link's target, said shortly."""
    if text.lower() != TOP.lower() and not text.lower().startswith(TOP.lower() + "\\"):
        raise PermissionDenied(f"{text} is outside")
    return ConfinedPath(TOP, tuple(text[len(TOP) + 1 :].split("\\")) if len(text) > len(TOP) else ())


@pytest.fixture
def names(node: EmulatedNode) -> Namespace:
    node.make(TOP)
    node.make(r"C:\outside", secret="keep")
    return node.storage.namespace


def code(call, *arguments, **options) -> int:
    with pytest.raises(Win32Error) as caught:
        call(*arguments, **options)
    return caught.value.windows_code


@pytest.fixture
def obstacles(node, names) -> dict[str, str]:
    """Everything that may stand where a directory should: its name by kind."""
    node.make(TOP + r"\full", file="x")
    node.make(TOP + r"\empty")
    names.link(at("link"), TOP + r"\full", replace_empty=False)
    node.plant(TOP + r"\planted", node.on_host(r"C:\outside"))
    volume = node.volume()
    volume.put("kept")
    node.make(TOP + r"\mounted")
    names.mount(at("mounted"), volume.id)
    node.make(TOP, file="text")
    os.mkfifo(node.on_host(TOP + r"\pipe"))
    return {"volume": volume.id}


# --- questions ---------------------------------------------------------------------------------------------


def test_an_entry_is_described_without_following_it(names, obstacles):
    assert names.entry(at("full")).kind is EntryKind.DIRECTORY
    assert names.entry(at("file")).kind is EntryKind.FILE
    assert names.entry(at("link")) == Entry("link", EntryKind.SYMBOLIC_LINK, TOP + r"\full")
    assert names.entry(at("mounted")) == Entry("mounted", EntryKind.MOUNT_POINT, obstacles["volume"])
    assert names.entry(at("planted")).kind is EntryKind.OTHER_REPARSE_POINT
    assert names.entry(at("pipe")).kind is EntryKind.OTHER_REPARSE_POINT
    assert names.entry(at()).kind is EntryKind.DIRECTORY
    assert names.entry(at("FULL")).name == "full"


def test_a_missing_leaf_is_2_and_a_missing_parent_3_and_neither_is_found(names):
    assert code(names.entry, at("none")) == 2
    assert code(names.entry, at("none", "x")) == 3
    assert code(names.entry, ConfinedPath(r"C:\none", ())) == 3
    assert code(names.entry, ConfinedPath(r"C:\none", ("x",))) == 3
    for path in (at("none"), at("none", "x"), ConfinedPath(r"C:\none", ("x",)), ConfinedPath(r"C:\none", ())):
        assert names.find(path) is None


@pytest.mark.parametrize("step", ["link", "planted", "mounted", "pipe"])
def test_no_question_goes_through_a_reparse_point(names, obstacles, step):
    for call in (names.entry, names.find):
        assert code(call, at(step, "kept")) == 4395


def test_a_file_in_the_way_is_267(names, obstacles):
    assert code(names.find, at("file", "x")) == 267


# --- look-ups ----------------------------------------------------------------------------------------------


def test_a_look_up_goes_through_links_and_ends_at_a_mount_point(node, names, obstacles):
    volume = obstacles["volume"]
    names.link(at("pod"), TOP + r"\mounted", replace_empty=False)
    assert names.look_up(at("mounted"), confine).entry.target == volume
    found = names.look_up(at("pod"), confine)
    assert (found.entry.kind, found.entry.target, found.volume) == (EntryKind.MOUNT_POINT, volume, volume)


def test_a_look_up_crosses_a_mount_point_and_says_which_volume_it_is_on(node, names, obstacles):
    volume = obstacles["volume"]
    names.link(at("pod"), TOP + r"\mounted", replace_empty=False)
    for path in (at("mounted", "kept"), at("pod", "kept")):
        found = names.look_up(path, confine)
        assert (found.entry.name, found.entry.kind, found.volume) == ("kept", EntryKind.FILE, volume)
    assert names.look_up(at("full"), confine).volume == ""
    assert names.look_up(at(), confine).entry.kind is EntryKind.DIRECTORY


def test_a_link_inside_a_mounted_volume_is_confined_like_any_other(node, names, obstacles):
    with node.host.win32.open_root(TOP) as top, node.host.win32.open_mounted(top, "mounted") as inside:
        node.host.win32.set_link(inside, "good", TOP + r"\full", replace=False)
        node.host.win32.set_link(inside, "bad", r"C:\outside", replace=False)
    found = names.look_up(at("mounted", "good", "file"), confine)
    assert (found.entry.kind, found.volume) == (EntryKind.FILE, "")
    with pytest.raises(PermissionDenied):
        names.look_up(at("mounted", "bad", "secret"), confine)


def test_a_link_planted_inside_a_mounted_volume_ends_the_look_up(node, names, obstacles):
    node.plant(TOP + r"\mounted\planted", node.on_host(r"C:\outside"))
    assert code(names.look_up, at("mounted", "planted"), confine) == 4395
    assert code(names.look_up, at("planted", "secret"), confine) == 4395


def test_a_look_up_out_of_the_prefix_is_refused_by_whoever_confines(node, names):
    with node.host.win32.open_root(TOP) as top:
        node.host.win32.set_link(top, "out", r"C:\outside", replace=False)
        node.host.win32.set_link(top, "share", r"\\server\share", replace=False)
    for name in ("out", "share"):
        with pytest.raises(PermissionDenied):
            names.look_up(at(name), confine)
        with pytest.raises(PermissionDenied):
            names.lives(at(name), confine)


def chain(node: EmulatedNode, names: Namespace, length: int) -> ConfinedPath:
    """A link that reaches a directory in ``length`` hops."""
    node.make(TOP + r"\l0")
    for number in range(length):
        with node.host.win32.open_root(TOP) as top:
            node.host.win32.set_link(top, f"l{number + 1}", TOP + rf"\l{number}", replace=False)
    return at(f"l{length}")


def test_eight_links_in_a_row_are_followed_and_the_ninth_is_1921(node, names):
    path = chain(node, names, MAX_HOPS + 1)
    assert MAX_HOPS == 8
    assert names.look_up(at(f"l{MAX_HOPS}"), confine).entry.name == "l0"
    assert code(names.look_up, path, confine) == 1921
    assert names.lives(at(f"l{MAX_HOPS}"), confine)
    assert not names.lives(path, confine)


def test_links_in_a_circle_are_1921_and_do_not_live(node, names):
    with node.host.win32.open_root(TOP) as top:
        node.host.win32.set_link(top, "a", TOP + r"\b", replace=False)
        node.host.win32.set_link(top, "b", TOP + r"\a", replace=False)
        node.host.win32.set_link(top, "self", TOP + r"\self", replace=False)
    for name in ("a", "self"):
        assert code(names.look_up, at(name), confine) == 1921
        assert not names.lives(at(name), confine)


class LinksToVolumes(ScheduledWin32):
    """A host on which some link names a volume instead of a path."""

    named: dict[str, str] = {}  # noqa: RUF012 - set by each test

    def entry(self, parent: Directory, name: str) -> Entry:
        found = super().entry(parent, name)
        target = self.named.get(name)
        return Entry(found.name, found.kind, target) if target else found


def test_a_link_to_a_volume_by_its_exact_name_is_looked_up_as_that_volume(node, names, obstacles):
    volume = obstacles["volume"]
    host = LinksToVolumes(node.host.win32)
    upper = volume[:-1].upper().replace("VOLUME", "Volume")
    host.named = {"link": upper}
    found = Namespace(host).look_up(at("link"), confine)
    assert (found.entry.kind, found.entry.target, found.volume) == (EntryKind.MOUNT_POINT, volume, volume)
    with pytest.raises(PermissionDenied):
        Namespace(host).look_up(at("link", "kept"), confine)
    for target in (volume + "x", r"\\?\C:\outside", r"\\?\Volume{1}" + "\\"):
        host.named = {"link": target}
        with pytest.raises(PermissionDenied):
            Namespace(host).look_up(at("link"), confine)


def test_a_missing_target_is_2_in_a_look_up_and_does_not_live(node, names, obstacles):
    names.link(at("dangling"), TOP + r"\gone", replace_empty=False)
    for path in (at("dangling"), at("none"), at("full", "none")):
        assert code(names.look_up, path, confine) == 2
        assert not names.lives(path, confine)
    assert names.lives(at("link"), confine)


def test_a_mount_point_lives_as_long_as_its_volume_is_there(node, names):
    volume = node.volume()
    node.make(TOP + r"\mounted")
    names.mount(at("mounted"), volume.id)
    names.link(at("pod"), TOP + r"\mounted", replace_empty=False)
    assert names.lives(at("mounted"), confine)
    assert names.lives(at("pod"), confine)
    volume.detach()
    assert not names.lives(at("mounted"), confine)
    assert not names.lives(at("pod"), confine)
    assert names.look_up(at("pod"), confine).entry.target == volume.id  # its name is still known


# --- directories -------------------------------------------------------------------------------------------


def test_a_directory_is_made_once_and_the_second_time_exists(node, names):
    names.make_directory(at("new"))
    assert node.names(TOP) == ["new"]
    assert code(names.make_directory, at("new")) == 183
    assert code(names.make_directory, at("NEW")) == 183
    assert code(names.make_directory, at("none", "new")) == 3


def test_directories_are_made_with_their_parents_and_again_without_complaint(node, names):
    for _ in range(2):
        names.make_directories(at("a", "b", "c"))
        names.make_directories(at())
    assert tree(node.on_host(TOP)) == {"a": "directory", "a/b": "directory", "a/b/c": "directory"}


@pytest.mark.parametrize(
    ("name", "wanted"), [("link", 4395), ("planted", 4395), ("mounted", 4395), ("file", 267)]
)
def test_no_directory_is_made_through_or_at_an_obstacle(node, names, obstacles, name, wanted):
    before = tree(node.on_host("C:\\"))
    assert code(names.make_directories, at(name, "new")) == wanted
    assert code(names.make_directories, at(name)) == wanted
    assert code(names.make_directory, at(name, "new")) == wanted
    assert code(names.make_directory, at(name)) == 183
    assert tree(node.on_host("C:\\")) == before


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("full", 145),
        ("link", 4395),
        ("planted", 4395),
        ("mounted", 4395),
        ("pipe", 4395),
        ("file", 267),
        ("none", 2),
    ],
)
def test_only_an_empty_real_directory_is_removed(node, names, obstacles, name, wanted):
    assert code(names.remove_directory, at(name)) == wanted
    names.remove_directory(at("empty"))
    assert "empty" not in node.names(TOP)
    assert code(names.remove_directory, at("none", "x")) == 3


def test_a_prefix_that_does_not_exist_yet_is_a_missing_parent(names):
    nowhere = ConfinedPath(r"C:\none", ("a",))
    for call in (
        names.make_directory,
        names.make_directories,
        names.remove_directory,
        names.remove_tree,
        names.empty,
    ):
        assert code(call, nowhere) == 3
    assert code(names.link, nowhere, TOP, replace_empty=True) == 3
    assert code(names.mount, nowhere, NO_VOLUME) == 3
    assert not names.unmount(nowhere, NO_VOLUME)
    assert not names.remove_link(nowhere, lambda _: True)


# --- links -------------------------------------------------------------------------------------------------


def test_a_link_is_made_and_the_same_one_again_is_fine(node, names):
    node.make(TOP + r"\target", file="x")
    for target in (TOP + r"\target", (TOP + r"\target").upper(), TOP + "\\target\\"):
        names.link(at("link"), target, replace_empty=False)
    assert os.listdir(node.on_host(TOP + r"\link")) == ["file"]


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("name", ["full", "link", "planted", "mounted", "pipe", "file"])
def test_a_link_replaces_nothing_but_an_empty_directory(node, names, obstacles, name, replace):
    before = tree(node.on_host(TOP))
    assert code(names.link, at(name), TOP + r"\empty", replace_empty=replace) == 183
    assert tree(node.on_host(TOP)) == before


def test_an_empty_directory_becomes_the_link_only_where_that_is_asked_for(node, names, obstacles):
    assert code(names.link, at("empty"), TOP + r"\full", replace_empty=False) == 183
    for _ in range(2):
        names.link(at("empty"), TOP + r"\full", replace_empty=True)
    assert names.entry(at("empty")).target == TOP + r"\full"


def test_a_link_is_removed_and_its_target_stays(node, names, obstacles):
    assert names.remove_link(at("link"), lambda target: target == TOP + r"\full")
    assert not names.remove_link(at("link"), lambda _: True)
    assert not names.remove_link(at("none", "x"), lambda _: True)
    assert node.names(TOP + r"\full") == ["file"]


@pytest.mark.parametrize(
    ("name", "wanted"), [("full", 4390), ("file", 4390), ("mounted", 4395), ("planted", 4395), ("pipe", 4395)]
)
def test_nothing_but_a_link_is_removed_as_a_link(node, names, obstacles, name, wanted):
    before = tree(node.on_host(TOP))
    assert code(names.remove_link, at(name), lambda _: True) == wanted
    assert code(names.remove_link, at("link"), lambda _: False) == 4395
    assert tree(node.on_host(TOP)) == before


# --- mount points ------------------------------------------------------------------------------------------


def test_a_volume_is_mounted_at_an_empty_directory_and_again_without_complaint(node, names):
    volume = node.volume()
    node.make(TOP + r"\m")
    for name in (volume.id, volume.id.upper().replace("VOLUME", "Volume")):
        names.mount(at("m"), name)
    assert names.mount_points(volume.id) == [TOP + r"\m"]
    volume.put("file")
    assert node.names(TOP + r"\m") == ["file"]


def test_a_volume_may_be_mounted_at_two_places_but_no_place_takes_two(node, names):
    one, two = node.volume(), node.volume()
    for name in ("m", "n"):
        node.make(TOP + "\\" + name)
        names.mount(at(name), one.id)
    assert sorted(names.mount_points(one.id)) == [TOP + r"\m", TOP + r"\n"]
    assert code(names.mount, at("m"), two.id) == 145


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("full", 145), ("link", 4395), ("planted", 4395), ("pipe", 4395), ("file", 267), ("none", 2)],
)
def test_nothing_is_mounted_at_an_obstacle(node, names, obstacles, name, wanted):
    volume = node.volume()
    assert code(names.mount, at(name), volume.id) == wanted
    assert code(names.mount, at("none", "x"), volume.id) == 3
    assert names.mount_points(volume.id) == []


def test_a_volume_is_unmounted_where_it_is_mounted_and_the_directory_stays(node, names, obstacles):
    volume = obstacles["volume"]
    assert code(names.unmount, at("mounted"), NO_VOLUME) == 145
    assert names.unmount(at("mounted"), volume)
    assert not names.unmount(at("mounted"), volume)
    assert node.names(TOP + r"\mounted") == []
    assert not names.unmount(at("none"), volume)
    assert not names.unmount(at("none", "x"), volume)
    assert not names.unmount(at("full"), volume)
    assert code(names.unmount, at("link"), volume) == 4395
    assert code(names.unmount, at("planted"), volume) == 4395


def test_the_mount_point_of_a_volume_that_has_vanished_is_unmounted(node, names):
    volume = node.volume()
    node.make(TOP + r"\m")
    names.mount(at("m"), volume.id)
    volume.detach()
    assert names.mount_points(volume.id) == [TOP + r"\m"]
    assert names.unmount(at("m"), volume.id)
    assert names.entry(at("m")).kind is EntryKind.DIRECTORY


# --- whole trees -------------------------------------------------------------------------------------------


def test_a_tree_is_removed_and_what_links_and_mount_points_in_it_lead_to_stays(node, names, obstacles):
    kept = node.volume()
    kept.put("file")
    node.make(TOP + r"\tree\deep\m")
    names.mount(at("tree", "deep", "m"), kept.id)
    names.link(at("tree", "deep", "l"), TOP + r"\full", replace_empty=False)
    node.plant(TOP + r"\tree\planted", node.on_host(r"C:\outside"))
    os.mkfifo(node.on_host(TOP + r"\tree\pipe"))
    node.make(TOP + r"\tree\deep", file="x")
    names.remove_tree(at("tree"))
    assert "tree" not in node.names(TOP)
    assert os.listdir(kept.files) == ["file"]
    assert names.mount_points(kept.id) == []  # the volume manager has forgotten it as well
    assert node.names(TOP + r"\full") == ["file"]
    assert node.names(r"C:\outside") == ["secret"]


@pytest.mark.parametrize("name", ["full", "link", "planted", "mounted", "pipe", "file", "empty"])
def test_a_tree_may_be_anything_and_a_reparse_point_is_a_leaf(node, names, obstacles, name):
    files = node.machine.disks.volume_directory(obstacles["volume"])
    names.remove_tree(at(name))
    assert name not in node.names(TOP)
    assert os.listdir(files) == ["kept"]
    assert node.names(r"C:\outside") == ["secret"]
    if name != "full":
        assert node.names(TOP + r"\full") == ["file"]
    assert code(names.remove_tree, at(name)) == 2
    assert code(names.remove_tree, at(name, "x")) == 3


def test_the_mount_point_of_a_vanished_volume_is_removed_with_its_tree(node, names):
    volume = node.volume()
    node.make(TOP + r"\tree\m")
    names.mount(at("tree", "m"), volume.id)
    volume.detach()
    names.remove_tree(at("tree"))
    assert node.names(TOP) == []
    assert names.mount_points(volume.id) == []


def test_a_directory_is_emptied_and_stays(node, names, obstacles):
    for _ in range(2):
        names.empty(at())
    assert node.names(TOP) == []
    assert os.listdir(node.machine.disks.volume_directory(obstacles["volume"])) == ["kept"]
    assert node.names(r"C:\outside") == ["secret"]


@pytest.mark.parametrize(
    ("name", "wanted"), [("link", 4395), ("planted", 4395), ("mounted", 4395), ("file", 267), ("none", 2)]
)
def test_only_a_real_directory_is_emptied(node, names, obstacles, name, wanted):
    before = tree(node.on_host(TOP))
    assert code(names.empty, at(name)) == wanted
    assert tree(node.on_host(TOP)) == before


def deep(node: EmulatedNode, path: str, depth: int) -> None:
    """A tree of directories, ``depth`` of them below one another."""
    directory = os.open(node.on_host(path), os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=directory)
        below = os.open("d", os.O_RDONLY, dir_fd=directory)
        os.close(directory)
        directory = below
    os.close(directory)


def test_a_tree_as_deep_as_the_limit_is_removed_and_a_deeper_one_is_206(node, names):
    deep(node, node.make(TOP + r"\fits"), MAX_DEPTH - 1)
    names.remove_tree(at("fits"))
    deep(node, node.make(TOP + r"\deeper"), MAX_DEPTH)
    assert code(names.remove_tree, at("deeper")) == 206
    assert node.names(TOP) == ["deeper"]


def test_no_handle_is_left_open_whether_it_works_or_not(node, names, obstacles):
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    def exercise() -> None:
        for name in ("full", "link", "planted", "mounted", "file", "none"):
            for call in (names.find, names.empty, names.remove_tree, names.make_directories):
                with contextlib.suppress(Win32Error):
                    call(at("empty", name) if call is names.make_directories else at(name, "x", "y"))
            with contextlib.suppress(Win32Error, PermissionDenied):
                names.look_up(at(name, "x"), confine)

    exercise()
    before = count()
    exercise()
    assert count() == before


# --- gone meanwhile ----------------------------------------------------------------------------------------


def test_what_somebody_else_removes_meanwhile_is_as_good_as_removed(node, names):
    for chosen in range(40):
        node.make(TOP + r"\tree\a\b", file="x")
        node.make(TOP + r"\tree\c", file="x")
        victims = [r"\tree\c\file", r"\tree\c", r"\tree\a\b\file", r"\tree\a\b", r"\tree\a"]

        def before(number: int, call: str, chosen: int = chosen, victims: list[str] = victims) -> None:
            if number != chosen:
                return
            for victim in victims:
                host = node.on_host(TOP + victim)
                if os.path.isdir(host) and not os.listdir(host):
                    os.rmdir(host)
                elif os.path.isfile(host):
                    os.unlink(host)

        Namespace(ScheduledWin32(node.host.win32, before)).remove_tree(at("tree"))
        assert node.names(TOP) == []


def test_windows_words_are_used_for_codes():
    assert (WindowsCode.REPARSE_POINT_ENCOUNTERED, WindowsCode.NOT_A_REPARSE_POINT) == (4395, 4390)
