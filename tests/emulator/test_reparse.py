import os
import shutil
import signal
import subprocess
import sys

import pytest
from tests.emulator.ground import start
from tests.emulator.plain_volumes import FIRST, PlainVolumes

from csiproxy.emulator.links import FEWEST_TO_LOOK_THROUGH
from csiproxy.errors import Win32Error
from csiproxy.host.win32 import Entry, EntryKind

# A node that is killed at one of its renames, before or after it is done.
DOOMED_NODE = """
import os, signal, sys
from csiproxy.emulator.exchange import Exchange, rename_with_flags
from tests.emulator.ground import start
from tests.emulator.plain_volumes import FIRST, PlainVolumes

base, moment, change = sys.argv[1:4]

def rename(directory, source, name, flags):
    if moment == "after":
        rename_with_flags(directory, source, name, flags)
    os.kill(os.getpid(), signal.SIGKILL)

ground = start(base, PlainVolumes({FIRST: sys.argv[4]}), Exchange(rename))
root = ground.root()
if change == "link":
    ground.win32.set_link(root, "link", "C:\\\\target", replace=False)
elif change == "replace":
    ground.win32.set_link(root, "empty", "C:\\\\target", replace=True)
elif change == "mount":
    ground.win32.set_mount_point(root, "empty", FIRST)
else:
    ground.win32.delete_mount_point(root, "mounted", FIRST)
"""


def contents(ground) -> dict[str, EntryKind]:
    with ground.root() as root:
        return {entry.name: entry.kind for entry in ground.win32.entries(root)}


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("change", "name", "old", "new"),
    [
        ("link", "link", None, EntryKind.SYMBOLIC_LINK),
        ("replace", "empty", EntryKind.DIRECTORY, EntryKind.SYMBOLIC_LINK),
        ("mount", "empty", EntryKind.DIRECTORY, EntryKind.MOUNT_POINT),
        ("unmount", "mounted", EntryKind.MOUNT_POINT, EntryKind.DIRECTORY),
    ],
)
def test_a_node_killed_in_a_change_has_done_it_or_not(ground, moment, change, name, old, new):
    for directory in ("empty", "mounted", "target"):
        os.mkdir(ground.host(directory))
    with ground.root() as root:
        ground.win32.set_mount_point(root, "mounted", FIRST)
    before = contents(ground)
    ground.state.close()

    volume = ground.volumes.directories[FIRST]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([os.path.abspath("src"), os.path.abspath(".")]),
    }
    arguments = [sys.executable, "-c", DOOMED_NODE, ground.base, moment, change, volume]
    assert subprocess.run(arguments, env=environment).returncode == -signal.SIGKILL

    again = start(ground.base, PlainVolumes({FIRST: volume}))
    expected = {**before, name: new} if moment == "after" else before
    assert contents(again) == expected
    assert before.get(name) == old
    assert all(not entry.startswith(".") for entry in os.listdir(ground.drive))
    again.state.close()


def test_a_restarted_node_knows_its_links_and_mount_points(ground):
    with ground.root() as root:
        ground.win32.create_directory(root, "mnt")
        ground.win32.set_mount_point(root, "mnt", FIRST)
        ground.win32.set_link(root, "link", r"\\server\share", replace=False)
        known = ground.win32.entries(root)
    again = ground.restart()
    with again.root() as root:
        assert again.win32.entries(root) == known
    assert again.win32.mount_points(FIRST) == [r"C:\mnt"]
    again.state.close()


def test_a_copied_node_knows_the_copies_of_its_links(ground, tmp_path):
    with ground.root() as root:
        ground.win32.create_directory(root, "target")
        ground.win32.set_link(root, "link", r"C:\target", replace=False)
    ground.state.close()
    copy = os.path.join(ground.base, "copy")
    os.mkdir(copy)
    for part in ("c", "state.db"):
        subprocess.run(["cp", "-a", os.path.join(ground.base, part), copy], check=True)
    other = start(copy, PlainVolumes({}))
    with other.root() as root:
        assert other.win32.entry(root, "link") == Entry("link", EntryKind.SYMBOLIC_LINK, r"C:\target")
    assert os.path.realpath(os.path.join(copy, "c", "link")) == os.path.join(copy, "c", "target")
    other.state.close()


def test_a_restarted_node_knows_mount_points_that_have_each_others_file_numbers(ground):
    with ground.root() as root:
        for name in "abc":
            ground.win32.create_directory(root, name)
            ground.win32.set_mount_point(root, name, FIRST)
    # As when a copy of the directory is put back: the same links, the file numbers dealt anew.
    os.unlink(ground.host("a"))
    os.rename(ground.host("b"), ground.host("x"))
    os.rename(ground.host("c"), ground.host("b"))
    os.rename(ground.host("x"), ground.host("c"))
    again = ground.restart()
    assert contents(again) == {"b": EntryKind.MOUNT_POINT, "c": EntryKind.MOUNT_POINT}
    assert again.win32.mount_points(FIRST) == [r"C:\b", r"C:\c"]
    again.state.close()


def test_a_link_may_have_the_file_number_of_one_that_is_gone(ground):
    with ground.root() as root:
        for name in "ab":
            ground.win32.set_link(root, name, r"C:\x", replace=False)
    os.rename(ground.host("b"), ground.host("a"))
    again = ground.restart()
    assert contents(again) == {"a": EntryKind.SYMBOLIC_LINK}
    again.state.close()


def test_rows_of_links_that_somebody_removed_are_collected_at_the_next_start(ground):
    with ground.root() as root:
        ground.win32.create_directory(root, "pod")
        with ground.win32.open_child(root, "pod") as pod:
            ground.win32.set_link(pod, "link", r"C:\x", replace=False)
        ground.win32.set_link(root, "replaced", r"C:\x", replace=False)
    shutil.rmtree(ground.host("pod"))
    os.unlink(ground.host("replaced"))
    os.symlink("elsewhere", ground.host("replaced"))
    again = ground.restart()
    with again.state.transaction() as db:
        assert db.execute("SELECT count(*) FROM links").fetchone() == (0,)
    assert contents(again) == {"replaced": EntryKind.OTHER_REPARSE_POINT}
    again.state.close()


def test_rows_on_a_volume_that_is_away_are_kept(ground):
    volumes = ground.volumes
    with ground.root() as root:
        ground.win32.create_directory(root, "mnt")
        ground.win32.set_mount_point(root, "mnt", FIRST)
        with ground.win32.open_mounted(root, "mnt") as mounted:
            ground.win32.set_link(mounted, "link", r"C:\x", replace=False)
    directory = volumes.directories.pop(FIRST)
    again = ground.restart()
    volumes.directories[FIRST] = directory
    with again.root() as root, again.win32.open_mounted(root, "mnt") as mounted:
        assert again.win32.entry(mounted, "link").kind is EntryKind.SYMBOLIC_LINK
    again.state.close()


def test_a_state_that_cannot_be_written_changes_nothing(ground):
    with ground.root() as root:
        for name in ("empty", "mnt"):
            ground.win32.create_directory(root, name)
        ground.win32.set_mount_point(root, "mnt", FIRST)
        ground.win32.set_link(root, "link", r"C:\x", replace=False)
        before = contents(ground)
        ground.state.close()
        for change in (
            lambda: ground.win32.set_link(root, "new", r"C:\x", replace=False),
            lambda: ground.win32.set_link(root, "empty", r"C:\x", replace=True),
            lambda: ground.win32.set_mount_point(root, "empty", FIRST),
            lambda: ground.win32.delete_mount_point(root, "mnt", FIRST),
        ):
            with pytest.raises(Win32Error) as failure:
                change()
            assert failure.value.windows_code == 31
        assert contents(ground) == before
        ground.win32.remove(root, "link", EntryKind.SYMBOLIC_LINK)
    again = start(ground.base, ground.volumes)
    del before["link"]
    assert contents(again) == before
    assert len(again.namespace.mount_points(FIRST)) == 1
    again.state.close()


def test_forgetting_removes_the_nodes_links_and_nothing_else(ground):
    with ground.root() as root:
        ground.win32.create_directory(root, "mnt")
        ground.win32.set_mount_point(root, "mnt", FIRST)
        ground.win32.set_link(root, "link", r"C:\x", replace=False)
        ground.win32.create_directory(root, "directory")
    os.symlink("planted", ground.host("planted"))
    ground.namespace.forget_links()
    assert contents(ground) == {
        "directory": EntryKind.DIRECTORY,
        "planted": EntryKind.OTHER_REPARSE_POINT,
    }
    assert os.listdir(ground.volumes.directories[FIRST]) == ["data"]


def test_a_link_planted_above_a_mount_point_is_not_followed_to_another(ground):
    for top in ("kubelet", "outside"):
        os.makedirs(ground.host(top, "x"))
        with ground.root(rf"C:\{top}\x") as parent:
            ground.win32.create_directory(parent, "leaf")
            ground.win32.set_mount_point(parent, "leaf", FIRST)
    assert len(ground.win32.mount_points(FIRST)) == 2
    shutil.rmtree(ground.host("kubelet", "x"))
    os.symlink(ground.host("outside", "x"), ground.host("kubelet", "x"))
    assert ground.win32.mount_points(FIRST) == [r"C:\outside\x\leaf"]
    again = ground.restart()
    assert again.win32.mount_points(FIRST) == [r"C:\outside\x\leaf"]
    again.namespace.forget_links()
    assert os.path.islink(ground.host("kubelet", "x"))
    assert not os.path.lexists(ground.host("outside", "x", "leaf"))
    again.state.close()


def test_rows_of_links_that_somebody_removes_do_not_pile_up(ground):
    with ground.root() as root:
        for name in ("mnt", "away", "kept"):
            ground.win32.create_directory(root, name)
        ground.win32.set_mount_point(root, "mnt", FIRST)
        for name in ("away", "kept"):
            with ground.win32.open_child(root, name) as below:
                ground.win32.set_link(below, "link", r"C:\x", replace=False)
        rows = []
        for number in range(8 * FEWEST_TO_LOOK_THROUGH):
            if number % (2 * FEWEST_TO_LOOK_THROUGH) == 0:
                os.rename(ground.host("away"), ground.host("elsewhere"))
            if number % (2 * FEWEST_TO_LOOK_THROUGH) == FEWEST_TO_LOOK_THROUGH // 2:
                os.rename(ground.host("elsewhere"), ground.host("away"))
            ground.win32.set_link(root, f"link-{number}", r"C:\x", replace=False)
            os.unlink(ground.host(f"link-{number}"))
            with ground.state.transaction() as db:
                rows.append(db.execute("SELECT count(*) FROM links").fetchone()[0])
        assert max(rows) <= 4 * FEWEST_TO_LOOK_THROUGH
        assert ground.win32.mount_points(FIRST) == [r"C:\mnt"]
        for name in ("away", "kept"):
            with ground.win32.open_child(root, name) as below:
                assert ground.win32.entry(below, "link").kind is EntryKind.SYMBOLIC_LINK


def test_links_on_a_volume_that_is_away_are_not_collected(ground):
    with ground.root() as root:
        ground.win32.create_directory(root, "mnt")
        ground.win32.set_mount_point(root, "mnt", FIRST)
        with ground.win32.open_mounted(root, "mnt") as mounted:
            ground.win32.set_link(mounted, "link", r"C:\x", replace=False)
        directory = ground.volumes.directories.pop(FIRST)
        for number in range(8 * FEWEST_TO_LOOK_THROUGH):
            ground.win32.set_link(root, f"link-{number}", r"C:\x", replace=False)
            os.unlink(ground.host(f"link-{number}"))
        ground.volumes.directories[FIRST] = directory
        with ground.win32.open_mounted(root, "mnt") as mounted:
            assert ground.win32.entry(mounted, "link").kind is EntryKind.SYMBOLIC_LINK
