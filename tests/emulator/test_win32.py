import os
import socket
import subprocess
import sys
import threading

import pytest
from tests.emulator.ground import open_descriptors
from tests.emulator.plain_volumes import FIRST, PHYSICAL_DRIVE, SECOND

from csiproxy.errors import Win32Error
from csiproxy.host.win32 import Entry, EntryKind


def code_of(call, *arguments, **named):
    """The Windows code that a call fails with; 0 when it does not."""
    try:
        call(*arguments, **named)
    except Win32Error as error:
        return error.windows_code
    return 0


# --- opening


def test_a_root_is_found_whatever_its_case(ground):
    os.makedirs(ground.host("Var", "lib", "KUBELET"))
    with ground.root(r"c:\var\LIB\kubelet") as root:
        assert ground.win32.final_path(root) == r"C:\Var\lib\KUBELET"


def test_a_root_may_lead_through_the_operators_links(ground):
    os.makedirs(ground.host("data", "kubelet"))
    os.symlink("data", ground.host("var"))
    with ground.root(r"C:\var\kubelet") as root:
        assert ground.win32.final_path(root) == r"C:\data\kubelet"


def test_a_root_that_is_not_there_says_how_far_it_is(ground):
    os.mkdir(ground.host("var"))
    open(ground.host("file"), "w").close()
    assert code_of(ground.root, r"C:\var\lib") == 2
    assert code_of(ground.root, r"C:\var\lib\kubelet") == 3
    assert code_of(ground.root, r"C:\file") == 267
    assert code_of(ground.root, r"D:\var") == 3
    assert code_of(ground.root, "D:\\") == 15


@pytest.mark.parametrize(
    "path", ["", "C", "var", r"\var", r"\\server\share", r"\\?\C:\var", "C:var", "C:/var"]
)
def test_a_root_of_another_form_is_a_bad_path(ground, path):
    assert code_of(ground.root, path) == 161


@pytest.mark.parametrize("path", ["C:\\..\\outside", "C:\\.", "C:\\a\\\\b", "C:\\a\0", "C:\\a/../../outside"])
def test_a_root_cannot_climb_out_of_its_drive(ground, path):
    assert code_of(ground.root, path) == 123


def test_a_child_is_opened_whatever_its_case_and_nothing_else_is(ground, root):
    os.makedirs(ground.host("Pods"))
    open(ground.host("file"), "w").close()
    os.symlink(ground.outside, ground.host("planted"))
    with ground.win32.open_child(root, "pODS") as child:
        assert ground.win32.final_path(child) == r"C:\Pods"
    assert code_of(ground.win32.open_child, root, "file") == 267
    assert code_of(ground.win32.open_child, root, "planted") == 4395
    assert code_of(ground.win32.open_child, root, "nothing") == 2


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "a\0b", "CON", "\udcff"])
def test_no_call_takes_a_name_that_is_a_path_or_no_windows_name(ground, root, name):
    win32 = ground.win32
    calls = [
        lambda: win32.open_child(root, name),
        lambda: win32.open_mounted(root, name),
        lambda: win32.entry(root, name),
        lambda: win32.create_directory(root, name),
        lambda: win32.remove(root, name, EntryKind.DIRECTORY),
        lambda: win32.remove(root, name, EntryKind.FILE),
        lambda: win32.remove(root, name, EntryKind.SYMBOLIC_LINK),
        lambda: win32.set_link(root, name, "C:\\x", replace=True),
        lambda: win32.set_mount_point(root, name, FIRST),
        lambda: win32.delete_mount_point(root, name, FIRST),
    ]
    assert {code_of(call) for call in calls} == {123}


def test_a_closed_directory_is_an_invalid_handle(ground):
    root = ground.root()
    root.close()
    root.close()
    assert code_of(ground.win32.entries, root) == 6


def test_a_directory_is_closed_when_nobody_has_it_any_more(ground):
    before = open_descriptors()
    for _ in range(10):
        ground.root()
    assert open_descriptors() == before


# --- what names are


def test_an_entry_is_spelt_as_it_is_on_disk(ground, root):
    os.mkdir(ground.host("Straße"))
    assert ground.win32.entry(root, "STRAßE") == Entry("Straße", EntryKind.DIRECTORY)
    assert code_of(ground.win32.entry, root, "STRASSE") == 2


def test_files_directories_and_what_windows_has_not_are_told_apart(ground, root):
    os.mkdir(ground.host("directory"))
    open(ground.host("file"), "w").close()
    os.mkfifo(ground.host("pipe"))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(ground.host("socket"))
    os.symlink("nowhere", ground.host("dangling"))
    os.symlink("directory", ground.host("planted"))
    other = EntryKind.OTHER_REPARSE_POINT
    expected = [
        Entry("dangling", other),
        Entry("directory", EntryKind.DIRECTORY),
        Entry("file", EntryKind.FILE),
        Entry("pipe", other),
        Entry("planted", other),
        Entry("socket", other),
    ]
    assert ground.win32.entries(root) == expected
    assert [ground.win32.entry(root, entry.name) for entry in expected] == expected


def test_threads_can_list_one_open_directory_at_the_same_time(ground, root):
    for number in range(300):
        os.mkdir(ground.host(f"d{number}"))
    counts = []
    threads = [
        threading.Thread(target=lambda: counts.append(len(ground.win32.entries(root)))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [300] * 8


def test_two_names_that_ntfs_would_hold_equal_are_refused_not_picked_from(ground, root):
    os.mkdir(ground.host("Data"))
    os.mkdir(ground.host("data"))
    win32 = ground.win32
    for name in ("data", "Data", "DATA"):
        assert code_of(win32.entry, root, name) == 1392
        assert code_of(win32.open_child, root, name) == 1392
        assert code_of(win32.remove, root, name, EntryKind.DIRECTORY) == 1392
        assert code_of(win32.create_directory, root, name) == 1392
        assert code_of(win32.set_link, root, name, "C:\\x", replace=True) == 1392
        assert code_of(win32.set_mount_point, root, name, FIRST) == 1392
    assert code_of(ground.root, r"C:\data") == 1392
    assert sorted(os.listdir(ground.drive)) == ["Data", "data"]


def test_names_that_windows_cannot_have_are_listed_but_not_touched(ground, root):
    for name in ("a:b", "trailing."):
        os.mkdir(ground.host(name))
    assert [entry.name for entry in ground.win32.entries(root)] == ["a:b", "trailing."]
    assert code_of(ground.win32.remove, root, "a:b", EntryKind.DIRECTORY) == 123


def test_a_name_that_is_not_text_makes_the_listing_fail(ground, root):
    os.mkdir(os.fsencode(ground.drive) + b"/\xff")
    assert code_of(ground.win32.entries, root) == 123


# --- making and removing


def test_a_new_directory_is_empty_and_an_equal_name_exists_already(ground, root):
    ground.win32.create_directory(root, "Pods")
    assert os.listdir(ground.host("Pods")) == []
    assert code_of(ground.win32.create_directory, root, "PODS") == 183
    os.symlink("nowhere", ground.host("link"))
    assert code_of(ground.win32.create_directory, root, "Link") == 183


def test_a_directory_cannot_be_made_in_one_that_was_removed(ground, root):
    ground.win32.create_directory(root, "pods")
    with ground.win32.open_child(root, "pods") as pods:
        ground.win32.remove(root, "pods", EntryKind.DIRECTORY)
        assert code_of(ground.win32.create_directory, pods, "x") == 3
        assert code_of(ground.win32.final_path, pods) == 2


def test_makers_of_equal_names_never_leave_two(ground, root):
    done = []

    def make(name):
        done.append(code_of(ground.win32.create_directory, root, name))

    for number in range(20):
        threads = [
            threading.Thread(target=make, args=(f"{name}{number}",)) for name in ("data", "Data", "DATA")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    names = os.listdir(ground.drive)
    assert len({name.lower() for name in names}) == len(names)
    assert set(done) <= {0, 183, 1392}


def test_only_the_kind_that_was_expected_is_removed(ground, root):
    win32 = ground.win32
    os.mkdir(ground.host("directory"))
    open(ground.host("file"), "w").close()
    os.symlink(ground.outside, ground.host("planted"))
    win32.set_link(root, "link", r"C:\directory", replace=False)
    os.mkdir(ground.host("mount"))
    win32.set_mount_point(root, "mount", FIRST)
    refusals = {
        ("directory", EntryKind.FILE): 5,
        ("directory", EntryKind.SYMBOLIC_LINK): 4390,
        ("file", EntryKind.DIRECTORY): 267,
        ("file", EntryKind.MOUNT_POINT): 4390,
        ("planted", EntryKind.DIRECTORY): 4395,
        ("planted", EntryKind.FILE): 4395,
        ("planted", EntryKind.SYMBOLIC_LINK): 4394,
        ("link", EntryKind.DIRECTORY): 4395,
        ("link", EntryKind.MOUNT_POINT): 4394,
        ("link", EntryKind.JUNCTION): 4394,
        ("mount", EntryKind.SYMBOLIC_LINK): 4394,
        ("mount", EntryKind.DIRECTORY): 4395,
        ("nothing", EntryKind.DIRECTORY): 2,
        ("nothing", EntryKind.FILE): 2,
        ("nothing", EntryKind.JUNCTION): 2,
    }
    assert {key: code_of(win32.remove, root, *key) for key in refusals} == refusals
    for entry in win32.entries(root):
        win32.remove(root, entry.name, entry.kind)
    assert os.listdir(ground.drive) == []
    assert os.listdir(ground.outside) == ["secret"]
    assert os.listdir(ground.volumes.directories[FIRST]) == ["data"]


def test_a_directory_with_content_stays(ground, root):
    os.makedirs(ground.host("full", "inner"))
    assert code_of(ground.win32.remove, root, "full", EntryKind.DIRECTORY) == 145
    assert os.listdir(ground.host("full")) == ["inner"]


def test_a_directory_swapped_for_a_link_after_it_was_looked_at_harms_nothing_outside(ground, root):
    win32 = ground.win32
    win32.create_directory(root, "victim")
    assert win32.entry(root, "victim").kind is EntryKind.DIRECTORY
    os.rename(ground.host("victim"), ground.host("aside"))
    os.symlink(ground.outside, ground.host("victim"))
    assert code_of(win32.remove, root, "victim", EntryKind.DIRECTORY) == 4395
    assert code_of(win32.remove, root, "victim", EntryKind.FILE) == 4395
    assert code_of(win32.open_child, root, "victim") == 4395
    assert code_of(win32.set_link, root, "victim", r"C:\aside", replace=True) == 183
    assert code_of(win32.set_mount_point, root, "victim", FIRST) == 4395
    assert code_of(win32.delete_mount_point, root, "victim", FIRST) == 4390
    assert code_of(win32.open_mounted, root, "victim") == 4390
    assert os.listdir(ground.outside) == ["secret"]


# --- links


def test_a_link_says_its_target_and_any_process_can_use_it(ground, root):
    os.makedirs(ground.host("pods", "one", "volumes"))
    os.makedirs(ground.host("plugins", "Staging"))
    with ground.root(r"C:\pods\one\volumes") as volumes:
        ground.win32.set_link(volumes, "pvc", r"C:\PLUGINS\staging", replace=False)
        assert ground.win32.entry(volumes, "PVC") == Entry(
            "pvc", EntryKind.SYMBOLIC_LINK, r"C:\PLUGINS\staging"
        )
        assert ground.win32.entries(volumes) == [Entry("pvc", EntryKind.SYMBOLIC_LINK, r"C:\PLUGINS\staging")]
    work(ground.host("pods", "one", "volumes", "pvc", "greeting"), "hello")
    with open(ground.host("plugins", "Staging", "greeting")) as file:
        assert file.read() == "hello"


def work(path: str, text: str) -> None:
    """A workload: another process that knows nothing of the node writes a file."""
    program = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    subprocess.run([sys.executable, "-c", program, path, text], check=True)


def test_links_move_with_the_state_directory(ground, root, tmp_path):
    os.makedirs(ground.host("a", "b"))
    with ground.root(r"C:\a") as inner:
        ground.win32.set_link(inner, "link", r"C:\a\b", replace=False)
    text = os.readlink(ground.host("a", "link"))
    assert not os.path.isabs(text)
    assert os.path.samefile(ground.host("a", "link"), ground.host("a", "b"))


def test_a_link_takes_the_place_of_an_empty_directory_only_when_told_to(ground, root):
    win32 = ground.win32
    os.mkdir(ground.host("Leaf"))
    os.mkdir(ground.host("target"))
    assert code_of(win32.set_link, root, "leaf", r"C:\target", replace=False) == 183
    open(ground.host("Leaf", "file"), "w").close()
    assert code_of(win32.set_link, root, "leaf", r"C:\target", replace=True) == 145
    os.unlink(ground.host("Leaf", "file"))
    win32.set_link(root, "leaf", r"C:\target", replace=True)
    assert win32.entry(root, "leaf") == Entry("Leaf", EntryKind.SYMBOLIC_LINK, r"C:\target")
    for replace in (False, True):
        assert code_of(win32.set_link, root, "leaf", r"C:\target", replace=replace) == 183
    open(ground.host("file"), "w").close()
    assert code_of(win32.set_link, root, "file", r"C:\target", replace=True) == 183
    assert sorted(os.listdir(ground.drive)) == ["Leaf", "file", "target"]


@pytest.mark.parametrize(
    "target", [r"\\server\share", "\\\\server\\share\\", r"\\server\share\folder", r"D:\data"]
)
def test_a_target_that_this_host_has_no_place_for_is_kept_and_dangles(ground, root, target):
    ground.win32.set_link(root, "link", target, replace=False)
    assert ground.win32.entry(root, "link").target == target
    assert not os.path.exists(ground.host("link"))
    with pytest.raises(NotADirectoryError):
        os.mkdir(ground.host("link", "file"))


@pytest.mark.parametrize(
    ("target", "code"),
    [("", 161), ("relative", 161), (r"\\?\C:\x", 161), (r"\\.\pipe\x", 161), ("C:\\..\\outside", 123),
     ("C:\\a/b", 123), (r"\\server\..\outside", 123), ("C:\\" + "x\\" * 3000 + "x", 206)],
)  # fmt: skip
def test_a_target_that_is_no_plain_path_makes_no_link(ground, root, target, code):
    assert code_of(ground.win32.set_link, root, "link", target, replace=False) == code
    assert os.listdir(ground.drive) == []


def test_a_link_cannot_be_made_where_windows_has_no_path(ground):
    os.symlink(ground.outside, ground.host("out"))
    with ground.root(r"C:\out") as out:
        assert code_of(ground.win32.set_link, out, "link", r"C:\x", replace=False) == 5
        assert code_of(ground.win32.final_path, out) == 5
        os.symlink("secret", os.path.join(ground.outside, "planted"))
        assert ground.win32.entry(out, "planted").kind is EntryKind.OTHER_REPARSE_POINT
        assert len(ground.win32.entries(out)) == 2


def test_a_planted_link_with_the_text_of_a_known_one_is_not_known_elsewhere(ground, root):
    win32 = ground.win32
    os.makedirs(ground.host("a", "b"))
    os.makedirs(ground.host("t"))
    win32.set_link(root, "link", r"C:\t", replace=False)
    # The same file, so the same number and text, one directory deeper: it leads elsewhere now.
    os.rename(ground.host("link"), ground.host("a", "link"))
    with ground.root(r"C:\a") as inner:
        assert win32.entry(inner, "link") == Entry("link", EntryKind.OTHER_REPARSE_POINT)
        win32.remove(inner, "link", EntryKind.OTHER_REPARSE_POINT)


def test_a_link_that_moved_but_leads_to_the_same_place_is_still_known(ground, root):
    ground.win32.set_link(root, "link", r"C:\t", replace=False)
    os.rename(ground.host("link"), ground.host("renamed"))
    assert ground.win32.entry(root, "renamed") == Entry("renamed", EntryKind.SYMBOLIC_LINK, r"C:\t")


def test_junctions_are_told_from_symbolic_links(ground, root):
    descriptor = os.open(ground.drive, os.O_RDONLY)
    try:
        ground.namespace.set_link(descriptor, "junction", r"C:\t", False, EntryKind.JUNCTION)
    finally:
        os.close(descriptor)
    assert ground.win32.entry(root, "junction") == Entry("junction", EntryKind.JUNCTION, r"C:\t")
    ground.win32.remove(root, "junction", EntryKind.JUNCTION)


# --- mount points


def test_a_mounted_volume_is_read_and_written_through_its_mount_points(ground, root):
    win32 = ground.win32
    for name in ("one", "other"):
        win32.create_directory(root, name)
        win32.set_mount_point(root, name.upper(), FIRST.upper().replace("VOLUME", "Volume"))
    assert win32.entry(root, "one") == Entry("one", EntryKind.MOUNT_POINT, FIRST)
    assert win32.mount_points(FIRST) == [r"C:\one", r"C:\other"]
    assert win32.mount_points(SECOND) == []
    work(ground.host("one", "file"), "through one")
    with open(ground.host("other", "file")) as file:
        assert file.read() == "through one"
    with win32.open_mounted(root, "ONE") as mounted:
        assert [entry.name for entry in win32.entries(mounted)] == ["data", "file"]
        assert win32.final_path(mounted) == FIRST.removesuffix("\\")


def test_a_volume_that_goes_while_it_is_open_is_not_ready_and_no_place_outside(ground, root):
    ground.win32.create_directory(root, "stage")
    ground.win32.set_mount_point(root, "stage", FIRST)
    files = ground.volumes.directories[FIRST]
    os.mkdir(os.path.join(files, "below"))
    os.mkdir(os.path.join(files, "moved"))
    with ground.win32.open_mounted(root, "stage") as mounted:
        below = ground.win32.open_child(mounted, "below")
        moved = ground.win32.open_child(mounted, "moved")
        os.rename(os.path.join(files, "moved"), os.path.join(ground.outside, "moved"))
        with below, moved:
            assert code_of(ground.win32.final_path, moved) == 5
            del ground.volumes.directories[FIRST]
            assert code_of(ground.win32.final_path, mounted) == 21
            assert code_of(ground.win32.final_path, below) == 21
            assert code_of(ground.win32.final_path, moved) == 5


def test_a_volume_is_mounted_at_an_empty_real_directory_only(ground, root):
    win32 = ground.win32
    os.makedirs(ground.host("full", "inner"))
    open(ground.host("file"), "w").close()
    win32.create_directory(root, "taken")
    win32.set_mount_point(root, "taken", FIRST)
    win32.set_link(root, "link", r"C:\full", replace=False)
    refusals = {"full": 145, "taken": 145, "file": 267, "link": 4395, "nothing": 2}
    assert {name: code_of(win32.set_mount_point, root, name, SECOND) for name in refusals} == refusals
    assert code_of(win32.set_mount_point, root, "full", "Volume") == 87
    assert code_of(win32.set_mount_point, root, "full", FIRST.replace("0001", "0009")) == 1168


def test_unmounting_leaves_an_empty_directory_and_the_volumes_files(ground, root):
    win32 = ground.win32
    win32.create_directory(root, "mnt")
    win32.set_mount_point(root, "mnt", FIRST)
    assert code_of(win32.delete_mount_point, root, "mnt", SECOND) == 4390
    win32.delete_mount_point(root, "MNT", FIRST)
    assert win32.entry(root, "mnt") == Entry("mnt", EntryKind.DIRECTORY)
    assert os.listdir(ground.host("mnt")) == []
    assert os.listdir(ground.volumes.directories[FIRST]) == ["data"]
    assert win32.mount_points(FIRST) == []
    assert code_of(win32.delete_mount_point, root, "mnt", FIRST) == 4390


def test_the_mount_points_of_a_vanished_volume_are_known_and_can_go(ground, root):
    win32 = ground.win32
    win32.create_directory(root, "mnt")
    win32.set_mount_point(root, "mnt", FIRST)
    del ground.volumes.directories[FIRST]
    assert win32.mount_points(FIRST) == [r"C:\mnt"]
    assert win32.entry(root, "mnt") == Entry("mnt", EntryKind.MOUNT_POINT, FIRST)
    assert code_of(win32.open_mounted, root, "mnt") == 1168
    win32.delete_mount_point(root, "mnt", FIRST)
    assert win32.entry(root, "mnt").kind is EntryKind.DIRECTORY


def test_a_mount_point_of_a_volume_that_moved_dangles(ground, root):
    win32 = ground.win32
    win32.create_directory(root, "mnt")
    win32.set_mount_point(root, "mnt", FIRST)
    moved = os.path.join(ground.base, "elsewhere")
    os.rename(ground.volumes.directories[FIRST], moved)
    ground.volumes.directories[FIRST] = moved
    assert not os.path.exists(ground.host("mnt"))
    assert code_of(win32.open_mounted, root, "mnt") == 2
    win32.delete_mount_point(root, "mnt", FIRST)
    win32.set_mount_point(root, "mnt", FIRST)
    with win32.open_mounted(root, "mnt") as mounted:
        assert [entry.name for entry in win32.entries(mounted)] == ["data"]


def test_links_inside_a_mounted_volume_are_judged_like_all_others(ground, root):
    win32 = ground.win32
    win32.create_directory(root, "mnt")
    win32.set_mount_point(root, "mnt", FIRST)
    os.symlink("/etc", os.path.join(ground.volumes.directories[FIRST], "evil"))
    with win32.open_mounted(root, "mnt") as mounted:
        assert win32.entry(mounted, "evil").kind is EntryKind.OTHER_REPARSE_POINT
        assert code_of(win32.open_child, mounted, "evil") == 4395
        win32.create_directory(mounted, "inner")
        win32.set_mount_point(mounted, "inner", SECOND)
        assert win32.entry(mounted, "inner") == Entry("inner", EntryKind.MOUNT_POINT, SECOND)
    assert win32.mount_points(SECOND) == [FIRST + "inner"]
    with open(ground.host("mnt", "inner", "data")) as file:
        assert file.read() == "two"


def test_the_driver_of_a_disk_is_asked_at_the_node(ground):
    assert ground.win32.storage_device(PHYSICAL_DRIVE).number == 1
    assert code_of(ground.win32.storage_device, "nothing") == 2
