"""What holds of every implementation of the port's Win32 half, as one table of promises.

Each is a function of a :class:`Ground`, so that it can run on an emulated node, on the adapter for Windows
over emulated calls, and on a real Windows or Wine.
"""

import os
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass

import pytest

from csiproxy.errors import Win32Error
from csiproxy.host.win32 import Directory, Entry, EntryKind, Win32


@dataclass
class Ground:
    """An empty directory of the node: ``base`` is its Windows path, ``host`` what this process calls it."""

    win32: Win32
    base: str
    host: str

    def root(self, *names: str) -> Directory:
        return self.win32.open_root("\\".join([self.base, *names]))

    def at(self, *names: str) -> str:
        return os.path.join(self.host, *names)

    def make(self, *names: str) -> None:
        os.makedirs(self.at(*names))

    def write(self, *names: str, text: str = "") -> None:
        with open(self.at(*names), "w") as file:
            file.write(text)

    def names(self, *names: str) -> list[str]:
        return sorted(os.listdir(self.at(*names)))


PROMISES: list[Callable[[Ground], None]] = []


def promise(function: Callable[[Ground], None]) -> Callable[[Ground], None]:
    PROMISES.append(function)
    return function


def every_promise(broken: Collection[str] = ()) -> pytest.MarkDecorator:
    """Parametrize a test with all promises; those that are known to be broken here have to fail."""
    known = pytest.mark.xfail(strict=True, raises=AssertionError)
    return pytest.mark.parametrize(
        "keep",
        [
            pytest.param(one, id=one.__name__, marks=[known] if one.__name__ in broken else [])
            for one in PROMISES
        ],
    )


def code_of(call, *arguments, **named) -> int:
    """The Windows code that a call fails with; 0 when it does not."""
    try:
        call(*arguments, **named)
    except Win32Error as error:
        return error.windows_code
    return 0


# --- opening


@promise
def a_root_is_found_whatever_its_case(ground: Ground) -> None:
    ground.make("Var", "lib", "KUBELET")
    with ground.root("vAR", "LIB", "kubelet") as root:
        assert ground.win32.final_path(root).rpartition("\\")[2] == "KUBELET"


@promise
def a_root_that_is_not_there_says_how_far_it_is(ground: Ground) -> None:
    ground.make("var")
    ground.write("file")
    assert code_of(ground.root, "var", "lib") == 2
    assert code_of(ground.root, "var", "lib", "kubelet") == 3
    assert code_of(ground.root, "file") == 267
    for path in (r"Q:\var", "Q:\\"):
        assert code_of(ground.win32.open_root, path) in (2, 3, 15)  # Windows and Wine differ


@promise
def a_root_has_one_form(ground: Ground) -> None:
    for path in ("", "C", "var", r"\var", r"\\server\share", r"\\?\C:\var", "C:var", "C:/var"):
        assert code_of(ground.win32.open_root, path) == 161, path
    for path in ("C:\\..\\x", "C:\\.", "C:\\a\\\\b", "C:\\a\0", "C:\\a/../x", r"C:\nul"):
        assert code_of(ground.win32.open_root, path) == 123, path


@promise
def a_drives_root_is_its_letter(ground: Ground) -> None:
    with ground.win32.open_root("c:\\") as root:
        assert ground.win32.final_path(root) == "C:"


@promise
def a_child_is_opened_whatever_its_case_and_nothing_else_is(ground: Ground) -> None:
    ground.make("Pods")
    ground.write("file")
    with ground.root() as root:
        with ground.win32.open_child(root, "pODS") as child:
            assert ground.win32.final_path(child) == ground.win32.final_path(root) + r"\Pods"
        assert code_of(ground.win32.open_child, root, "file") == 267
        assert code_of(ground.win32.open_child, root, "nothing") == 2


@promise
def no_call_takes_a_name_that_is_a_path_or_no_windows_name(ground: Ground) -> None:
    win32 = ground.win32
    volume = r"\\?\Volume{00000000-0000-4000-8000-000000000001}" + "\\"
    with ground.root() as root:
        calls: list[Callable[[str], object]] = [
            lambda name: win32.open_child(root, name),
            lambda name: win32.open_mounted(root, name),
            lambda name: win32.entry(root, name),
            lambda name: win32.create_directory(root, name),
            lambda name: win32.remove(root, name, EntryKind.DIRECTORY),
            lambda name: win32.remove(root, name, EntryKind.FILE),
            lambda name: win32.remove(root, name, EntryKind.SYMBOLIC_LINK),
            lambda name: win32.set_link(root, name, "C:\\x", replace=True),
            lambda name: win32.set_mount_point(root, name, volume),
            lambda name: win32.delete_mount_point(root, name, volume),
        ]
        for name in ("..", ".", "", "a/b", "a\\b", "a\0b", "a:b", "CON", "\udcff", "a*", "a.", "x" * 256):
            assert {code_of(call, name) for call in calls} == {123}, name
    assert ground.names() == []


@promise
def a_closed_directory_is_an_invalid_handle(ground: Ground) -> None:
    root = ground.root()
    root.close()
    root.close()
    assert code_of(ground.win32.entries, root) == 6
    assert code_of(ground.win32.entry, root, "x") == 6
    assert code_of(ground.win32.final_path, root) == 6


@promise
def a_directory_of_another_host_is_an_invalid_handle(ground: Ground) -> None:
    class Foreign:
        def close(self) -> None: ...
        def __enter__(self):
            return self

        def __exit__(self, *exc: object) -> None: ...

    assert code_of(ground.win32.entries, Foreign()) == 6
    assert code_of(ground.win32.create_directory, Foreign(), "x") == 6


# --- what names are


@promise
def an_entry_is_spelt_as_it_is_on_disk(ground: Ground) -> None:
    ground.make("Straße")
    with ground.root() as root:
        assert ground.win32.entry(root, "STRAßE") == Entry("Straße", EntryKind.DIRECTORY)
        assert code_of(ground.win32.entry, root, "STRASSE") == 2


@promise
def all_names_are_listed_with_what_they_are(ground: Ground) -> None:
    names = sorted(["a", "B", "ä b", ".hidden", "x" * 200, "𐐨"])
    for name in names:
        ground.make(name)
    ground.write("file", text="x")
    with ground.root() as root:
        found = ground.win32.entries(root)
    expected = [Entry(name, EntryKind.DIRECTORY) for name in names] + [Entry("file", EntryKind.FILE)]
    assert found == sorted(expected, key=lambda entry: entry.name)


@promise
def an_empty_directory_has_no_names(ground: Ground) -> None:
    with ground.root() as root:
        assert ground.win32.entries(root) == []
        assert ground.win32.entries(root) == []


@promise
def a_long_listing_is_whole_and_can_be_read_by_many_at_once(ground: Ground) -> None:
    names = {f"{number:04}-{'x' * 100}" for number in range(600)}
    for name in names:
        ground.make(name)
    found: list[set[str]] = []
    with ground.root() as root:
        threads = [
            threading.Thread(
                target=lambda: found.append({entry.name for entry in ground.win32.entries(root)})
            )
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [names] * 4


# --- making and removing


@promise
def a_new_directory_is_empty_and_an_equal_name_exists_already(ground: Ground) -> None:
    ground.write("File")
    with ground.root() as root:
        ground.win32.create_directory(root, "Pods")
        assert ground.names("Pods") == []
        assert code_of(ground.win32.create_directory, root, "PODS") == 183
        assert code_of(ground.win32.create_directory, root, "fILE") == 183


@promise
def a_directory_cannot_be_made_in_one_that_was_removed(ground: Ground) -> None:
    with ground.root() as root:
        ground.win32.create_directory(root, "pods")
        with ground.win32.open_child(root, "pods") as pods:
            ground.win32.remove(root, "pods", EntryKind.DIRECTORY)
            assert ground.names() == []
            assert code_of(ground.win32.create_directory, pods, "x") == 3


@promise
def a_directory_that_was_removed_is_nowhere(ground: Ground) -> None:
    with ground.root() as root:
        ground.win32.create_directory(root, "pods")
        with ground.win32.open_child(root, "pods") as pods:
            ground.win32.remove(root, "pods", EntryKind.DIRECTORY)
            assert code_of(ground.win32.final_path, pods) == 2


@promise
def a_directory_that_was_moved_says_where_it_is_now(ground: Ground) -> None:
    ground.make("first")
    with ground.root() as root, ground.win32.open_child(root, "first") as first:
        os.rename(ground.at("first"), ground.at("moved"))
        assert ground.win32.final_path(first) == ground.win32.final_path(root) + r"\moved"


@promise
def makers_of_equal_names_never_leave_two(ground: Ground) -> None:
    done: list[int] = []
    with ground.root() as root:
        for number in range(20):
            threads = [
                threading.Thread(
                    target=lambda name=name: done.append(code_of(ground.win32.create_directory, root, name))
                )
                for name in (f"data{number}", f"Data{number}", f"DATA{number}")
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    names = ground.names()
    assert len({name.lower() for name in names}) == len(names)
    assert set(done) <= {0, 183, 1392}


@promise
def only_the_kind_that_was_expected_is_removed(ground: Ground) -> None:
    win32 = ground.win32
    ground.make("directory")
    ground.write("file")
    refusals = {
        ("directory", EntryKind.FILE): 5,
        ("directory", EntryKind.SYMBOLIC_LINK): 4390,
        ("directory", EntryKind.MOUNT_POINT): 4390,
        ("file", EntryKind.DIRECTORY): 267,
        ("file", EntryKind.JUNCTION): 4390,
        ("nothing", EntryKind.DIRECTORY): 2,
        ("nothing", EntryKind.FILE): 2,
        ("nothing", EntryKind.SYMBOLIC_LINK): 2,
    }
    with ground.root() as root:
        assert {key: code_of(win32.remove, root, *key) for key in refusals} == refusals
        assert ground.names() == ["directory", "file"]
        for entry in win32.entries(root):
            win32.remove(root, entry.name.upper(), entry.kind)
    assert ground.names() == []


@promise
def a_directory_with_content_stays(ground: Ground) -> None:
    ground.make("full", "inner")
    with ground.root() as root:
        assert code_of(ground.win32.remove, root, "full", EntryKind.DIRECTORY) == 145
    assert ground.names("full") == ["inner"]


@promise
def a_directory_that_others_have_open_loses_its_name_at_once(ground: Ground) -> None:
    ground.make("busy")
    with ground.root() as root, ground.win32.open_child(root, "busy"):
        ground.win32.remove(root, "busy", EntryKind.DIRECTORY)
        assert ground.names() == []
        ground.win32.create_directory(root, "busy")


@promise
def a_read_only_file_is_removed_like_any_other(ground: Ground) -> None:
    ground.write("file")
    os.chmod(ground.at("file"), 0o444)
    with ground.root() as root:
        ground.win32.remove(root, "file", EntryKind.FILE)
    assert ground.names() == []


# --- walks and races


@promise
def what_is_open_is_what_is_used_whatever_its_name_becomes(ground: Ground) -> None:
    ground.make("first")
    with ground.root() as root, ground.win32.open_child(root, "first") as first:
        os.rename(ground.at("first"), ground.at("moved"))
        ground.make("first")
        ground.win32.create_directory(first, "inside")
        assert ground.names("first") == []
        assert ground.names("moved") == ["inside"]


@promise
def a_directory_swapped_for_a_file_is_found_out(ground: Ground) -> None:
    win32 = ground.win32
    with ground.root() as root:
        win32.create_directory(root, "victim")
        assert win32.entry(root, "victim").kind is EntryKind.DIRECTORY
        os.rename(ground.at("victim"), ground.at("aside"))
        ground.write("victim")
        assert code_of(win32.remove, root, "victim", EntryKind.DIRECTORY) == 267
        assert code_of(win32.open_child, root, "victim") == 267
        assert code_of(win32.set_link, root, "victim", r"C:\aside", replace=True) == 183
    assert ground.names() == ["aside", "victim"]


@promise
def swappers_and_walkers_never_meet_in_the_wrong_place(ground: Ground) -> None:
    """Two directories change names all the time; what is made goes into one that had the name when asked."""
    ground.make("a")
    ground.make("b")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            for old, new in (("a", "c"), ("b", "a"), ("c", "b")):
                try:
                    os.rename(ground.at(old), ground.at(new))
                except PermissionError:
                    return  # Windows lets nobody rename what is in use; then it ends here

    swapper = threading.Thread(target=swap)
    swapper.start()
    made = 0
    try:
        with ground.root() as root:
            for number in range(200):
                try:
                    with ground.win32.open_child(root, "a") as directory:
                        ground.win32.create_directory(directory, str(number))
                    made += 1
                except Win32Error as error:
                    assert error.windows_code in (2, 3, 5, 32)
    finally:
        stop.set()
        swapper.join()
    assert sum(len(ground.names(name)) for name in ground.names()) == made


# --- links, as far as they need no reparse point


@promise
def a_target_that_is_no_plain_path_makes_no_link(ground: Ground) -> None:
    refusals = {
        "": 161,
        "relative": 161,
        r"\\?\C:\x": 161,
        r"\\.\pipe\x": 161,
        "C:\\..\\outside": 123,
        "C:\\a/b": 123,
        r"\\server\..\outside": 123,
        "C:\\" + "x\\" * 5000 + "x": 206,
    }
    with ground.root() as root:
        for target, code in refusals.items():
            assert code_of(ground.win32.set_link, root, "link", target, replace=False) == code, target[:20]
    assert ground.names() == []


@promise
def a_link_takes_no_name_that_exists(ground: Ground) -> None:
    ground.make("full", "inner")
    ground.write("file")
    with ground.root() as root:
        for name in ("full", "FILE"):
            assert code_of(ground.win32.set_link, root, name, r"C:\t", replace=False) == 183
        assert code_of(ground.win32.set_link, root, "file", r"C:\t", replace=True) == 183
    assert ground.names() == ["file", "full"]


@promise
def what_is_no_mount_point_is_neither_opened_nor_unmounted(ground: Ground) -> None:
    volume = r"\\?\Volume{00000000-0000-4000-8000-000000000001}" + "\\"
    ground.make("empty")
    ground.write("file")
    with ground.root() as root:
        for name in ("empty", "file"):
            assert code_of(ground.win32.open_mounted, root, name) == 4390
            assert code_of(ground.win32.delete_mount_point, root, name, volume) == 4390
        assert code_of(ground.win32.open_mounted, root, "nothing") == 2
        assert code_of(ground.win32.set_mount_point, root, "file", volume) in (267, 1168)
        assert code_of(ground.win32.set_mount_point, root, "empty", "Volume") == 87
        assert code_of(ground.win32.mount_points, "Volume") == 87
    assert ground.win32.mount_points(volume) == []
    assert ground.names() == ["empty", "file"]


# --- locks and marks


@promise
def a_lock_excludes_other_threads_and_is_free_afterwards(ground: Ground) -> None:
    tried: list[int] = []

    def attempt(name: str) -> None:
        def enter() -> None:
            with ground.win32.mutex(name, 0.0):
                pass

        thread = threading.Thread(target=lambda: tried.append(code_of(enter)))
        thread.start()
        thread.join()

    with ground.win32.mutex("disk 1", 1.0):
        attempt("disk 1")
        attempt("disk 2")
    attempt("disk 1")
    assert tried == [258, 0, 0]


@promise
def any_text_names_a_lock(ground: Ground) -> None:
    for name in ("", "../../etc/passwd", "C:\\x", "a\0b", "\ud800", "x" * 10_000):
        with ground.win32.mutex(name, 0.0):
            pass


@promise
def threads_never_hold_one_lock_together(ground: Ground) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(10):
            with ground.win32.mutex("x", 60.0):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 40


@promise
def a_mark_is_there_until_it_is_taken_away(ground: Ground) -> None:
    win32 = ground.win32
    marks = ["client read-only {1}", "Client read-only {1}", r"\\server\share|x", "\ud800", "ä" * 5000]
    for mark in marks:
        assert not win32.remembers(mark)
        win32.remember(mark)
        win32.remember(mark)
    assert sorted(win32.marks("")) == sorted(marks)
    assert win32.marks("client") == [marks[0]]
    for mark in marks:
        assert win32.remembers(mark)
        win32.forget(mark)
        win32.forget(mark)
        assert not win32.remembers(mark)
    assert win32.marks("") == []


@promise
def the_driver_of_a_disk_that_is_not_there_is_not_asked(ground: Ground) -> None:
    assert code_of(ground.win32.storage_device, r"\\?\nothing#at#all") in (2, 3, 123)
