import errno
import os

import pytest

from csiproxy.emulator.exchange import NO_REPLACE, Exchange, Replaced, rename_with_flags


def cannot(directory, source, name, flags):
    """A file system without flagged renames."""
    raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


class Meddler:
    """The host's rename, with somebody else acting right before the first one."""

    def __init__(self, act):
        self.act = act

    def __call__(self, directory, source, name, flags):
        act, self.act = self.act, lambda: None
        act()
        rename_with_flags(directory, source, name, flags)


@pytest.fixture
def directory(tmp_path):
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def link(directory, name, text="target"):
    os.symlink(text, name, dir_fd=directory)
    found = os.stat(name, dir_fd=directory, follow_symlinks=False)
    return found.st_dev, found.st_ino


@pytest.fixture(params=[rename_with_flags, cannot], ids=["one step", "two steps"])
def exchange(request):
    return Exchange(request.param)


def test_a_link_gets_its_name_and_never_overwrites_another(directory, tmp_path, exchange):
    link(directory, "temporary")
    exchange.place_link(directory, "temporary", "name")
    link(directory, "temporary", "other")
    with pytest.raises(FileExistsError):
        exchange.place_link(directory, "temporary", "name")
    assert os.readlink(tmp_path / "name") == "target"


def test_an_empty_directory_becomes_a_link_and_again_a_directory(directory, tmp_path, exchange):
    (tmp_path / "name").mkdir()
    identity = link(directory, "temporary")
    exchange.directory_to_link(directory, "temporary", "name", identity)
    assert os.listdir(tmp_path) == ["name"]
    assert os.readlink(tmp_path / "name") == "target"
    (tmp_path / "temporary").mkdir()
    exchange.link_to_directory(directory, "temporary", "name", identity)
    assert os.listdir(tmp_path) == ["name"]
    assert (tmp_path / "name").is_dir()
    assert not (tmp_path / "name").is_symlink()


def test_a_directory_with_content_gets_its_name_back(directory, tmp_path, exchange):
    (tmp_path / "name" / "content").mkdir(parents=True)
    identity = link(directory, "temporary")
    with pytest.raises(OSError, match=os.strerror(errno.ENOTEMPTY)):
        exchange.directory_to_link(directory, "temporary", "name", identity)
    assert (tmp_path / "name" / "content").is_dir()
    assert os.readlink(tmp_path / "temporary") == "target"


def test_a_file_put_in_the_directorys_place_gets_its_name_back(directory, tmp_path, exchange):
    (tmp_path / "name").write_text("precious")
    identity = link(directory, "temporary")
    with pytest.raises(NotADirectoryError):
        exchange.directory_to_link(directory, "temporary", "name", identity)
    assert (tmp_path / "name").read_text() == "precious"


def test_a_link_planted_under_the_temporary_name_gets_no_other(directory, tmp_path):
    (tmp_path / "name").mkdir()
    identity = link(directory, "temporary")

    def plant():
        os.unlink(tmp_path / "temporary")
        os.symlink("/etc", tmp_path / "temporary")

    # A second name of the link keeps its file number from being given to the planted one.
    os.link(tmp_path / "temporary", tmp_path / "same file", follow_symlinks=False)
    with pytest.raises(Replaced):
        Exchange(Meddler(plant)).directory_to_link(directory, "temporary", "name", identity)
    assert (tmp_path / "name").is_dir()
    assert not (tmp_path / "name").is_symlink()


def test_a_mount_point_replaced_meanwhile_is_left_alone(directory, tmp_path, exchange):
    identity = link(directory, "old")
    (tmp_path / "temporary").mkdir()
    (tmp_path / "name").write_text("precious")
    with pytest.raises(Replaced):
        exchange.link_to_directory(directory, "temporary", "name", identity)
    assert (tmp_path / "name").read_text() == "precious"


def test_what_appears_between_two_steps_is_not_overwritten(directory, tmp_path):
    (tmp_path / "name").mkdir()
    identity = link(directory, "temporary")

    def without_exchange(directory, source, name, flags):
        if flags == NO_REPLACE:
            (tmp_path / "name").write_text("precious")
        cannot(directory, source, name, flags)

    with pytest.raises(FileExistsError):
        Exchange(without_exchange).directory_to_link(directory, "temporary", "name", identity)
    assert (tmp_path / "name").read_text() == "precious"


def test_recovery_gives_what_is_not_ours_its_name_or_leaves_it(directory, tmp_path):
    for makes_link in (True, False):
        assert Exchange().recover(directory, "nothing", "name", makes_link=makes_link)
        (tmp_path / "temporary").write_text("a file")
        assert Exchange().recover(directory, "temporary", "name", makes_link=makes_link)
        (tmp_path / "temporary").write_text("another")
        assert not Exchange().recover(directory, "temporary", "name", makes_link=makes_link)
        assert (tmp_path / "name").read_text() == "a file"
        assert (tmp_path / "temporary").read_text() == "another"
        (tmp_path / "name").unlink()
        (tmp_path / "temporary").unlink()


@pytest.mark.parametrize("link_is_there", [True, False])
def test_recovery_gives_a_filled_directory_its_name_back(directory, tmp_path, link_is_there):
    (tmp_path / "temporary" / "content").mkdir(parents=True)
    if link_is_there:
        link(directory, "name")
    assert Exchange().recover(directory, "temporary", "name", makes_link=True)
    assert os.listdir(tmp_path) == ["name"]
    assert (tmp_path / "name" / "content").is_dir()


def test_recovery_of_an_unmount_leaves_the_mount_point_and_a_filled_directory(directory, tmp_path):
    (tmp_path / "temporary" / "content").mkdir(parents=True)
    link(directory, "name")
    assert not Exchange().recover(directory, "temporary", "name", makes_link=False)
    assert os.readlink(tmp_path / "name") == "target"
    assert (tmp_path / "temporary" / "content").is_dir()


def test_a_directory_filled_while_its_link_was_taken_away_gets_its_name_back(directory, tmp_path):
    (tmp_path / "name" / "content").mkdir(parents=True)
    identity = link(directory, "temporary")
    calls = []

    def rename(directory, source, name, flags):
        if calls:
            os.unlink(tmp_path / "name")  # somebody removes the link before the exchange is taken back
        calls.append(flags)
        rename_with_flags(directory, source, name, flags)

    with pytest.raises(FileNotFoundError):
        Exchange(rename).directory_to_link(directory, "temporary", "name", identity)
    assert Exchange().recover(directory, "temporary", "name", makes_link=True)
    assert os.listdir(tmp_path) == ["name"]
    assert (tmp_path / "name" / "content").is_dir()
