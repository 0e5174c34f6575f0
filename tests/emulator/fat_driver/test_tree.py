"""Files: whatever is done to them, they are what a dictionary would be, and fsck.fat agrees."""

import errno
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.emulator.fat_driver.conftest import Disk, make_disk

from csiproxy.emulator.fat_driver import names
from csiproxy.emulator.fat_driver.tree import LARGEST_FILE, Directory

pytestmark = pytest.mark.foreign


def refused(number, call, *arguments, **options):
    with pytest.raises(OSError) as refusal:
        call(*arguments, **options)
    assert refusal.value.errno == number


def file(tree, name, data=b"", directory=None):
    node = tree.create(directory or tree.root, name, is_directory=False)
    tree.write(node, 0, data)
    return node


def listed(tree, directory=None):
    return {node.name for node in tree.children(directory or tree.root).in_order()}


def test_a_file_is_there_again_when_the_volume_is_opened_again(disk):
    with disk.tree() as tree:
        inside = tree.create(tree.root, "Some Directory", is_directory=True)
        file(tree, "Ein längerer Name – 日本.txt", b"data" * 1000, inside)
    disk.check()
    with disk.tree(read_only=True) as tree:
        node = tree.find(tree.find(tree.root, "some directory"), "EIN LÄNGERER NAME – 日本.TXT")
        assert tree.read(node, 0, 9999) == b"data" * 1000
        assert tree.find(tree.find(tree.root, "SOMEDI~1"), "einlng~1.txt") in (None, node)
        refused(errno.EROFS, tree.create, tree.root, "x", is_directory=False)
        refused(errno.EROFS, tree.write, node, 0, b"x")
        refused(errno.EROFS, tree.truncate, node, 0)


def test_many_files_in_one_directory(disk):
    with disk.tree() as tree:
        for number in range(1000):
            file(tree, f"a file with a long name {number}", b"%d" % number)
        for number in range(0, 1000, 2):
            tree.remove(tree.root, f"A FILE with a long name {number}", is_directory=False)
        for number in range(500):
            file(tree, f"short {number}")
    disk.check()
    with disk.tree() as tree:
        assert len(listed(tree)) == 1000
        node = tree.find(tree.root, "a file with a long name 501")
        assert tree.read(node, 0, 10) == b"501"


def test_a_gap_in_a_file_is_zeros_though_its_clusters_had_data(disk):
    with disk.tree() as tree:
        file(tree, "old", b"\xff" * 100_000)
        tree.remove(tree.root, "old", is_directory=False)
        tree.volume._next = 3
        node = file(tree, "new", b"begin")
        tree.write(node, 50_000, b"end")
        tree.truncate(node, 90_000)
        assert tree.read(node, 0, 99_999) == b"begin".ljust(50_000, b"\0") + b"end".ljust(40_000, b"\0")
        tree.truncate(node, 3)
        tree.truncate(node, 10)
        assert tree.read(node, 0, 99) == b"beg".ljust(10, b"\0")
    disk.check()


def test_names_that_differ_in_case_alone_are_one_file(disk):
    with disk.tree() as tree:
        node = file(tree, "File.txt")
        refused(errno.EEXIST, tree.create, tree.root, "FILE.TXT", is_directory=False)
        tree.rename(tree.root, "file.TXT", tree.root, "fILE.txt", replace=False)
        assert listed(tree) == {"fILE.txt"}
        assert tree.find(tree.root, "file.txt") is node
    disk.check()


def test_renaming_replaces_as_linux_does(disk):
    with disk.tree() as tree:
        one, two = (tree.create(tree.root, name, is_directory=True) for name in ("one", "two"))
        node, other = file(tree, "a", b"A"), file(tree, "b", b"B", two)
        refused(errno.EEXIST, tree.rename, tree.root, "a", two, "b", replace=False)
        tree.rename(tree.root, "a", two, "B", replace=True)
        assert (listed(tree, two), node.parent, other.removed) == ({"B"}, two, True)
        refused(errno.EISDIR, tree.rename, two, "b", tree.root, "one", replace=True)
        refused(errno.ENOTDIR, tree.rename, tree.root, "one", two, "b", replace=True)
        refused(errno.ENOTEMPTY, tree.rename, tree.root, "one", tree.root, "two", replace=True)
        refused(errno.EINVAL, tree.rename, tree.root, "two", two, "inside", replace=True)
        refused(errno.ENOENT, tree.rename, tree.root, "none", two, "x", replace=True)
        tree.rename(tree.root, "two", one, "moved", replace=True)
        tree.rename(one, "moved", one, "moved", replace=True)
        assert tree.read(tree.find(tree.find(one, "moved"), "b"), 0, 9) == b"A"
    disk.check()


def test_a_file_that_is_used_is_there_until_it_is_not(disk):
    with disk.tree() as tree:
        free = tree.volume.free
        node = file(tree, "used", b"data")
        node.users = 1
        tree.remove(tree.root, "used", is_directory=False)
        assert tree.read(node, 0, 9) == b"data"
        tree.write(node, 4, b"more")
        tree.forget(node)
        assert tree.volume.free == free
    disk.check()


def test_what_cannot_be_is_refused_with_linux_numbers(disk):
    with disk.tree() as tree:
        inside = tree.create(tree.root, "dir", is_directory=True)
        node = file(tree, "file", b"x", inside)
        refused(errno.ENOTDIR, tree.children, node)
        refused(errno.EINVAL, tree.create, tree.root, "a:b", is_directory=False)
        refused(errno.EISDIR, tree.remove, tree.root, "dir", is_directory=False)
        refused(errno.ENOTDIR, tree.remove, inside, "file", is_directory=True)
        refused(errno.ENOTEMPTY, tree.remove, tree.root, "dir", is_directory=True)
        refused(errno.ENOENT, tree.remove, tree.root, "none", is_directory=True)
        refused(errno.EISDIR, tree.truncate, inside, 0)
        refused(errno.EFBIG, tree.write, node, LARGEST_FILE, b"x")
        refused(errno.ENOSPC, tree.truncate, node, 1 << 30)
        tree.remove(inside, "file", is_directory=False)
        tree.remove(tree.root, "dir", is_directory=True)
        refused(errno.ENOENT, tree.create, inside, "late", is_directory=False)
    disk.check()


def test_a_directory_that_has_no_room_for_a_longer_name_keeps_the_old_one(disk):
    with disk.tree() as tree:
        file(tree, "a", b"A")
        filler = file(tree, "filler")
        left = tree.volume.free
        tree.truncate(filler, left * 512)
        while tree.root.end < len(tree.root.raw) // 32:
            file(tree, f"F{tree.root.end}")
        refused(errno.ENOSPC, tree.rename, tree.root, "a", tree.root, "a" * 200, replace=True)
        assert tree.read(tree.find(tree.root, "a"), 0, 9) == b"A"
    disk.check()


def test_times_and_the_read_only_attribute_are_kept(disk):
    with disk.tree() as tree:
        node = file(tree, "file")
        tree.set_times(node, None, 1_000_000_000)
        tree.set_read_only(node, True)
    with disk.tree() as tree:
        node = tree.find(tree.root, "file")
        assert (node.modified, node.attributes & 1) == (1_000_000_000, 1)
        tree.set_read_only(node, False)
        assert not node.attributes & 1
    disk.check()


def test_damaged_directories_are_errors_and_no_more(disk):
    with disk.tree() as tree:
        tree.create(tree.root, "DIR", is_directory=True)
        file(tree, "FILE", b"data")
        root = tree.volume.geometry.data
    entry = disk.bytes_at(root, 512).index(b"DIR ")
    disk.damage(root + entry + 26, b"\0\0")
    entry = disk.bytes_at(root, 512).index(b"FILE ")
    disk.damage(root + entry + 28, b"\xff\xff\xff\x7f")
    with disk.tree() as tree:
        refused(errno.EIO, tree.children, tree.find(tree.root, "DIR"))
        refused(errno.EIO, tree.read, tree.find(tree.root, "FILE"), 0, 4096)


NAMES = st.sampled_from(["a", "A", "b", "B.TXT", "b.txt", "long name one", "Long Name Two", "ä" * 40])


class FilesAndADictionary(RuleBasedStateMachine):
    """A volume and a dictionary live through the same calls."""

    def __init__(self):
        super().__init__()
        self.stack = ExitStack()
        directory = self.stack.enter_context(tempfile.TemporaryDirectory(prefix="fat-"))
        self.disk = Disk(shutil.copy(BLANK.path(), Path(directory) / "disk"))
        self.model = {}
        self.open()

    def open(self):
        self.opened = ExitStack()
        self.tree = self.opened.enter_context(self.disk.tree())
        root = self.tree.root
        self.directories = [root, self.tree.find(root, "sub")]
        if self.directories[1] is None:
            self.directories[1] = self.tree.create(root, "sub", is_directory=True)

    @rule(where=st.integers(0, 1), name=NAMES)
    def create(self, where, name):
        try:
            self.tree.create(self.directories[where], name, is_directory=False)
        except FileExistsError:
            assert (where, names.folded(name)) in self.model
        else:
            assert (where, names.folded(name)) not in self.model
            self.model[where, names.folded(name)] = bytearray()

    @rule(where=st.integers(0, 1), name=NAMES, offset=st.integers(0, 3000), size=st.integers(0, 3000))
    def write(self, where, name, offset, size):
        node = self.tree.find(self.directories[where], name)
        data = bytes((offset + index) % 251 for index in range(size))
        if node is not None and data:
            self.tree.write(node, offset, data)
            held = self.model[where, names.folded(name)]
            held.extend(bytes(max(0, offset - len(held))))
            held[offset : offset + size] = data

    @rule(where=st.integers(0, 1), name=NAMES, size=st.integers(0, 3000))
    def truncate(self, where, name, size):
        node = self.tree.find(self.directories[where], name)
        if node is not None:
            self.tree.truncate(node, size)
            held = self.model[where, names.folded(name)]
            held[:] = bytes(held[:size]).ljust(size, b"\0")

    @rule(where=st.integers(0, 1), name=NAMES)
    def remove(self, where, name):
        if self.model.pop((where, names.folded(name)), None) is None:
            refused(errno.ENOENT, self.tree.remove, self.directories[where], name, is_directory=False)
        else:
            self.tree.remove(self.directories[where], name, is_directory=False)

    @rule(source=st.integers(0, 1), name=NAMES, goal=st.integers(0, 1), new=NAMES)
    def rename(self, source, name, goal, new):
        if (source, names.folded(name)) in self.model:
            self.tree.rename(self.directories[source], name, self.directories[goal], new, replace=True)
            self.model[goal, names.folded(new)] = self.model.pop((source, names.folded(name)))

    @rule()
    def open_again(self):
        self.opened.close()
        self.disk.check()
        self.open()

    @invariant()
    def they_say_the_same(self):
        found = {}
        for where, directory in enumerate(self.directories):
            for node in self.tree.children(directory).in_order():
                if not isinstance(node, Directory):
                    found[where, names.folded(node.name)] = self.tree.read(node, 0, 1 << 20)
        assert found == {key: bytes(value) for key, value in self.model.items()}

    def teardown(self):
        self.opened.close()
        self.disk.check()
        self.stack.close()


class BLANK:
    """The volume that every life begins with."""

    directory = None

    @classmethod
    def path(cls):
        if cls.directory is None:
            cls.directory = tempfile.TemporaryDirectory(prefix="fat-")
            make_disk(Path(cls.directory.name) / "blank")
        return Path(cls.directory.name) / "blank"


TestFilesAndADictionary = FilesAndADictionary.TestCase
TestFilesAndADictionary.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
TestFilesAndADictionary.pytestmark = [pytest.mark.foreign]
