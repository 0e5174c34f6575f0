"""Somebody swaps directories while an operation walks: nothing outside the prefix is ever touched or seen.

Every operation is run once for each call that it makes of the host, each component of its path and each
kind of swap; the swap happens right before that call.  What a swapped link leads to looks like what it
replaced, name by name, so that a walk that followed it would succeed there.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from tests.emulated import KUBELET, EmulatedNode, Staged, tree
from tests.storage.scheduled import ScheduledWin32

from csiproxy.errors import Aborted, PermissionDenied, Win32Error
from csiproxy.host.win32 import EntryKind
from csiproxy.storage.codes import judge
from csiproxy.storage.namespace import ConfinedPath, Namespace, Target

OUTSIDE = r"C:\var\lib\outside"


@dataclass
class Scene:
    """One run: ``a\\b\\leaf`` in a prefix of its own, and its likeness outside."""

    node: EmulatedNode
    number: int
    volume: Staged

    @property
    def prefix(self) -> str:
        return KUBELET + rf"\{self.number}"

    @property
    def outside(self) -> str:
        return OUTSIDE + rf"\{self.number}"

    def path(self, *names: str) -> ConfinedPath:
        return ConfinedPath(self.prefix, ("a", "b", *names))

    def confine(self, text: str) -> ConfinedPath:
        if not text.startswith(self.prefix + "\\"):
            raise PermissionDenied(f"{text} is outside")
        return ConfinedPath(self.prefix, tuple(text[len(self.prefix) + 1 :].split("\\")))

    def furnish(self, leaf: str) -> None:
        """Make both trees.  Outside, the leaf is what a following walk would act on and betray itself by."""
        self.node.make(self.prefix + r"\a\b")
        self.node.make(self.outside + r"\a\b")
        for top, mark in ((self.prefix, "in"), (self.outside, "out")):
            name = top + r"\a\b\leaf"
            if leaf == "full":
                self.node.make(name + r"\deep", **{f"{mark}-1": "keep"})
                self.node.make(name, **{f"{mark}-2": "keep"})
            elif leaf == "empty":
                self.node.make(name)
            elif leaf in ("link", "mount"):
                with self.node.host.win32.open_root(top + r"\a\b") as parent:
                    self._lead(parent, leaf, top)
        self.node.make(self.prefix + r"\target")

    def _lead(self, parent, leaf: str, top: str) -> None:
        if leaf == "link":
            self.node.host.win32.set_link(parent, "leaf", top + r"\a", replace=False)
        else:
            self.node.host.win32.create_directory(parent, "leaf")
            self.node.host.win32.set_mount_point(parent, "leaf", self.volume.id)

    def swap(self, kind: str, depth: int) -> None:
        """Put something else in the place of the component at ``depth`` (0 is ``a``)."""
        names = ("a", "b", "leaf")[: depth + 1]
        here = self.node.on_host("\\".join((self.prefix, *names)))
        there = "\\".join((self.outside, *names))
        if not os.path.lexists(here):
            return
        if kind == "moved out":
            os.rename(here, self.node.on_host(there + "-moved"))
            return
        os.rename(here, here + "-aside")
        if kind == "planted link":
            os.symlink(self.node.on_host(there), here)
        else:
            with self.node.host.win32.open_root("\\".join((self.prefix, *names[:-1]))) as parent:
                self.node.host.win32.set_link(parent, names[-1], there, replace=False)


@dataclass(frozen=True)
class Operation:
    """What is run, on which kind of leaf; ``makes`` names what it makes, so that it can be looked for."""

    leaf: str
    run: Callable[[Namespace, Scene], object]
    makes: str = ""


OPERATIONS = {
    "find": Operation("empty", lambda names, scene: names.find(scene.path("leaf"))),
    "find deep": Operation("full", lambda names, scene: names.find(scene.path("leaf", "in-2"))),
    "look up": Operation(
        "full", lambda names, scene: names.look_up(scene.path("leaf", "in-2"), scene.confine)
    ),
    "lives": Operation("link", lambda names, scene: names.lives(scene.path("leaf"), scene.confine)),
    "make": Operation(
        "empty", lambda names, scene: names.make_directory(scene.path("leaf", "new")), "leaf/new"
    ),
    "make all": Operation(
        "empty", lambda names, scene: names.make_directories(scene.path("leaf", "new", "x"))
    ),
    "remove": Operation("empty", lambda names, scene: names.remove_directory(scene.path("leaf"))),
    "remove link": Operation(
        "link", lambda names, scene: names.remove_link(scene.path("leaf"), lambda _: True)
    ),
    "remove tree": Operation("full", lambda names, scene: names.remove_tree(scene.path("leaf"))),
    "remove mount": Operation("mount", lambda names, scene: names.remove_tree(scene.path("leaf"))),
    "empty": Operation("full", lambda names, scene: names.empty(scene.path("leaf"))),
    "link": Operation(
        "none",
        lambda names, scene: names.link(scene.path("leaf"), scene.prefix + r"\target", replace_empty=False),
        "leaf",
    ),
    "replace by link": Operation(
        "empty",
        lambda names, scene: names.link(scene.path("leaf"), scene.prefix + r"\target", replace_empty=True),
        "leaf link",
    ),
    "mount": Operation(
        "empty", lambda names, scene: names.mount(scene.path("leaf"), scene.volume.id), "leaf link"
    ),
    "unmount": Operation("mount", lambda names, scene: names.unmount(scene.path("leaf"), scene.volume.id)),
}
SWAPS = ("planted link", "known link", "moved out")


def attempt(operation: Operation, scene: Scene, host: ScheduledWin32) -> object:
    try:
        return operation.run(Namespace(host), scene)
    except (Win32Error, PermissionDenied) as error:
        return error


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("kind", SWAPS)
def test_a_swap_at_any_step_leaves_the_outside_as_it_is(node, name, kind):
    operation = OPERATIONS[name]
    volume = node.volume()
    volume.put("kept")
    count = -1
    number = 0
    while True:
        number += 1
        scene = Scene(node, number, volume)
        scene.furnish(operation.leaf)
        if count < 0:  # first undisturbed, to see how many steps there are
            host = ScheduledWin32(node.host.win32)
            result = attempt(operation, scene, host)
            assert not isinstance(result, Exception)
            count = len(host.calls)
            assert count >= 3
            continue
        step, depth = divmod(number - 2, 3)
        if step == count:
            break
        outside = tree(node.on_host(scene.outside))
        mounted = set(node.host.win32.mount_points(volume.id))

        def before(call: int, _: str, scene: Scene = scene, step: int = step, depth: int = depth) -> None:
            if call == step:
                scene.swap(kind, depth)

        host = ScheduledWin32(node.host.win32, before)
        result = attempt(operation, scene, host)
        where = f"swap {kind} of component {depth} before call {step} ({host.calls[step]})"
        now = tree(node.on_host(scene.outside))
        assert {key: now.get(key) for key in outside} == outside, where
        extra = {key: text for key, text in now.items() if key not in outside and "-moved" not in key}
        assert extra == {}, where
        assert not any(entry.startswith("out-") for entry in host.listed), where
        assert os.listdir(volume.files) == ["kept"], where
        new_mounts = set(node.host.win32.mount_points(volume.id)) - mounted
        assert all(point.startswith(scene.prefix + "\\") for point in new_mounts), where
        if isinstance(result, Target):
            assert result.entry.kind is EntryKind.FILE, where
            assert result.entry.name == "in-2", where
        if kind == "moved out" and depth < 2:  # what is moved once it was made was made in the right place
            assert_nothing_made_in(now, operation, where)


def assert_nothing_made_in(now: dict[str, str], operation: Operation, where: str) -> None:
    """What was moved out of the prefix was not given anything: it was undone, or never done."""
    moved = {key: text for key, text in now.items() if "-moved" in key}
    name, _, kind = operation.makes.partition(" ")
    if not name:
        return
    for key, text in moved.items():
        plain = key.replace("-moved", "")
        if plain.endswith("/" + name):
            assert kind, f"{where}: {key} was made"
            assert not text.startswith(kind), f"{where}: {key} became a {kind}"


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("make", "create_directory"),
        ("link", "set_link"),
        ("replace by link", "set_link"),
        ("mount", "set_mount_point"),
    ],
)
def test_what_was_done_in_a_parent_that_was_moved_out_is_undone_and_refused(node, name, call):
    operation = OPERATIONS[name]
    scene = Scene(node, 1, node.volume())
    scene.furnish(operation.leaf)
    made: list[int] = []

    def before(number: int, now: str) -> None:
        if now == call:
            made.append(number)
        elif made and now == "final_path":  # the change is done and about to be verified
            made.clear()
            scene.swap("moved out", 0)

    result = attempt(operation, scene, ScheduledWin32(node.host.win32, before))
    assert isinstance(result, Win32Error)
    assert result.windows_code == 4395
    moved = tree(node.on_host(scene.outside + r"\a-moved"))
    before_it = {"b": "directory"} if operation.leaf == "none" else {"b": "directory", "b/leaf": "directory"}
    assert moved == before_it
    assert node.host.win32.mount_points(scene.volume.id) == []


@pytest.mark.parametrize(
    "name", ["find", "find deep", "look up", "remove", "remove link", "remove tree", "empty", "unmount"]
)
def test_a_walk_that_was_moved_out_of_the_prefix_ends_before_it_looks_or_removes(node, name):
    operation = OPERATIONS[name]
    scene = Scene(node, 1, node.volume())
    scene.furnish(operation.leaf)
    before_it = tree(node.on_host(scene.prefix + r"\a"))
    moved: list[int] = []

    def before(number: int, call: str) -> None:
        if call == "final_path" and not moved:
            moved.append(number)
            scene.swap("moved out", 0)

    result = attempt(operation, scene, ScheduledWin32(node.host.win32, before))
    assert isinstance(result, Win32Error)
    assert result.windows_code == 4395
    assert tree(node.on_host(scene.outside + r"\a-moved")) == before_it


def test_a_prefix_that_was_replaced_is_taken_as_it_is_at_the_next_call(node):
    names = node.storage.namespace
    node.make(KUBELET + r"\p\old")
    path = ConfinedPath(KUBELET + r"\p", ("new",))
    assert names.find(ConfinedPath(KUBELET + r"\p", ("old",))) is not None
    os.rename(node.on_host(KUBELET + r"\p"), node.on_host(KUBELET + r"\p-before"))
    node.make(KUBELET + r"\p")
    names.make_directory(path)
    assert node.names(KUBELET + r"\p") == ["new"]
    assert node.names(KUBELET + r"\p-before") == ["old"]


def test_a_prefix_may_be_a_link_of_the_operator(node):
    node.make(r"C:\elsewhere")
    node.plant(KUBELET + r"\linked", node.on_host(r"C:\elsewhere"))
    names = node.storage.namespace
    names.make_directories(ConfinedPath(KUBELET + r"\linked", ("a", "b")))
    assert tree(node.on_host(r"C:\elsewhere")) == {"a": "directory", "a/b": "directory"}
    names.remove_tree(ConfinedPath(KUBELET + r"\linked", ("a",)))
    assert node.names(r"C:\elsewhere") == []


@pytest.mark.parametrize("leaf", ["empty", "link"])
def test_a_name_that_goes_away_while_a_link_is_made_of_it_is_a_reason_to_try_again(node, leaf):
    scene = Scene(node, 1, node.volume())
    scene.furnish(leaf)

    def before(_: int, call: str) -> None:
        if call == "entry":  # the host has said that there is something
            os.rename(node.on_host(str(scene.path("leaf"))), node.on_host(scene.prefix + r"\gone"))

    host = ScheduledWin32(node.host.win32, before)
    with pytest.raises(Win32Error) as caught:
        Namespace(host).link(scene.path("leaf"), scene.prefix + r"\target", replace_empty=True)
    error = judge(caught.value, "link")
    assert (type(error), error.windows_code) == (Aborted, 170)
    Namespace(node.host.win32).link(scene.path("leaf"), scene.prefix + r"\target", replace_empty=True)
    assert node.names(scene.prefix) == ["a", "gone", "target"]
    assert node.names(scene.prefix + r"\a\b") == ["leaf"]
