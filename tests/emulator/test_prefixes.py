"""A prefix is opened where it is now, however often it was opened before."""

import os
import shutil
from pathlib import Path

import pytest
from tests.emulator.test_spellings import let_rest

from csiproxy.emulator.prefixes import MOST, Prefixes
from csiproxy.errors import Win32Error


@pytest.fixture
def root(tmp_path) -> Path:
    """A drive with ``var/lib/kubelet`` that has been quiet for a while."""
    (tmp_path / "c" / "var" / "lib" / "kubelet").mkdir(parents=True)
    let_rest(tmp_path / "c" / "var" / "lib")
    return tmp_path / "c"


def place(prefixes: Prefixes, root: Path, *parts: str) -> str:
    """Where a prefix is on the host."""
    opened = prefixes.open(str(root), parts or ("VAR", "lib", "Kubelet"), "Call")
    try:
        return os.readlink(f"/proc/self/fd/{opened}")
    finally:
        os.close(opened)


def refused(prefixes: Prefixes, root: Path) -> int:
    with pytest.raises(Win32Error) as caught:
        place(prefixes, root)
    return caught.value.windows_code


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_prefix_is_found_in_whichever_case_again_and_again(root):
    prefixes = Prefixes()
    before = descriptors()
    assert {place(prefixes, root) for _ in range(3)} == {str(root / "var" / "lib" / "kubelet")}
    assert len(prefixes._known) == 1
    assert descriptors() == before


def test_the_root_of_a_drive_is_a_prefix(root):
    assert os.path.samefile(place(Prefixes(), root / "var", "lib"), root / "var" / "lib")
    prefixes = Prefixes()
    for _ in range(2):
        opened = prefixes.open(str(root), (), "Call")
        assert os.path.samefile(opened, root)
        os.close(opened)


def respell(lib: Path) -> None:
    (lib / "kubelet").rename(lib / "KUBELET")


def link(lib: Path) -> None:
    (lib / "kubelet").rename(lib / "elsewhere")
    (lib / "kubelet").symlink_to("elsewhere")


def move_above(lib: Path) -> None:
    lib.rename(lib.parent / "old")
    shutil.copytree(lib.parent / "old", lib)
    (lib / "kubelet" / "new").touch()


@pytest.mark.parametrize(
    ("change", "now"),
    [(respell, "KUBELET"), (link, "elsewhere"), (move_above, "kubelet")],
    ids=["spelt otherwise", "a link", "another directory above"],
)
def test_a_prefix_that_was_changed_is_found_where_it_is_now(root, change, now):
    prefixes = Prefixes()
    lib = root / "var" / "lib"
    place(prefixes, root)
    change(lib)
    for _ in range(2):
        assert os.path.samefile(place(prefixes, root), lib / now)
    let_rest(lib)
    for _ in range(2):
        assert os.path.samefile(place(prefixes, root), lib / now)


def retarget(root: Path) -> None:
    (root / "link").unlink()
    (root / "link").symlink_to("two")


def replace_the_target(root: Path) -> None:
    (root / "one").rename(root / "old")
    (root / "two").rename(root / "one")


@pytest.mark.parametrize("change", [retarget, replace_the_target])
def test_a_link_on_the_way_is_followed_to_where_it_leads_now(tmp_path, change):
    for name in ("one", "two"):
        (tmp_path / name / "kubelet").mkdir(parents=True)
    (tmp_path / "link").symlink_to("one")
    let_rest(tmp_path)
    prefixes = Prefixes()
    first = os.stat(place(prefixes, tmp_path, "link", "kubelet"))
    change(tmp_path)
    second = os.stat(place(prefixes, tmp_path, "link", "kubelet"))
    assert not os.path.samestat(first, second)


def test_a_prefix_that_is_missing_by_now_is_told_from_a_missing_parent(root):
    prefixes = Prefixes()
    place(prefixes, root)
    (root / "var" / "lib" / "kubelet").rmdir()
    assert refused(prefixes, root) == 2
    (root / "var" / "lib").rmdir()
    assert refused(prefixes, root) == 3


def test_a_second_spelling_beside_a_known_one_is_seen(root):
    prefixes = Prefixes()
    place(prefixes, root)
    (root / "var" / "LIB").mkdir()
    assert refused(prefixes, root) == 1392


def test_what_changed_a_moment_ago_is_not_remembered(tmp_path):
    (tmp_path / "new").mkdir()
    prefixes = Prefixes()
    place(prefixes, tmp_path, "new")
    assert prefixes._known == {}


def test_no_more_prefixes_are_remembered_than_anybody_has(root):
    prefixes = Prefixes()
    for number in range(MOST + 1):
        (root / f"p{number}").mkdir()
    let_rest(root)
    for number in range(MOST + 1):
        place(prefixes, root, f"p{number}")
    assert len(prefixes._known) == 1
