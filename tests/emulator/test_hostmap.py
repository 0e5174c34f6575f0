"""The map between Windows' paths and the host's goes both ways, and ends at the node."""

import os

import pytest
from tests.emulator.ground import open_descriptors, opened
from tests.emulator.plain_volumes import FIRST, SECOND

from csiproxy.emulator import hostmap
from csiproxy.emulator.hostmap import HostMap
from csiproxy.emulator.places import Places
from csiproxy.errors import Win32Error


@pytest.fixture
def mapped(ground):
    return HostMap(Places({"C": ground.drive}, ""), ground.volumes)


def located(mapped, path):
    with opened(path) as directory:
        return mapped.locate(directory, "Call")


def test_a_directory_of_a_drive_and_of_a_volume_is_named_and_found_again(ground, mapped):
    os.makedirs(ground.host("var", "lib"))
    volume = ground.volumes.directories[FIRST]
    os.makedirs(os.path.join(volume, "data-of-pod"))
    for path, windows in (
        (ground.host("var", "lib"), r"C:\var\lib"),
        (ground.drive, "C:"),
        (volume, FIRST.removesuffix("\\")),
        (os.path.join(volume, "data-of-pod"), FIRST + "data-of-pod"),
    ):
        where = located(mapped, path)
        assert (where.host, where.windows) == (path, windows)
        assert mapped.host_path(windows) == path


def test_a_directory_of_neither_is_denied(ground, mapped):
    with pytest.raises(Win32Error) as caught:
        located(mapped, ground.outside)
    assert caught.value.windows_code == 5


def test_what_is_on_a_drive_and_on_a_volume_is_named_by_its_drive(ground, mapped):
    inner = ground.host("images", "one")
    os.makedirs(inner)
    ground.volumes.directories[FIRST] = inner
    assert located(mapped, inner).windows == r"C:\images\one"
    assert mapped.host_path(FIRST.removesuffix("\\")) == inner


def test_a_vanished_volume_has_no_host_path(ground, mapped):
    del ground.volumes.directories[SECOND]
    assert mapped.host_path(SECOND + "x") is None
    assert mapped.host_path(r"D:\x") is None


def test_a_directory_with_a_name_that_windows_cannot_have_has_no_windows_path(ground, mapped):
    os.makedirs(ground.host("a:b", "c"))
    with pytest.raises(Win32Error) as caught:
        located(mapped, ground.host("a:b", "c"))
    assert caught.value.windows_code == 123


def test_a_volume_is_known_by_its_real_directory(ground, mapped):
    real = ground.volumes.directories[FIRST]
    ground.volumes.directories[FIRST] = os.path.join(ground.base, "link")
    os.symlink(real, os.path.join(ground.base, "link"))
    assert located(mapped, real).windows == FIRST.removesuffix("\\")
    assert mapped.host_path(FIRST + "x") == os.path.join(real, "x")


def test_the_parent_of_a_path_is_reached_by_handle_and_closed_again(ground, mapped):
    os.makedirs(ground.host("a", "b"))
    before = open_descriptors()
    for windows, parent in (
        (r"C:\x", ground.drive),
        (r"C:\a\b\x", ground.host("a", "b")),
        (FIRST + "x", ground.volumes.directories[FIRST]),
    ):
        with mapped.parent_of(windows) as (directory, name):
            assert os.path.samestat(os.fstat(directory), os.stat(parent))
            assert name == "x"
    with mapped.parent_of(r"D:\x") as found:
        assert found is None
    assert open_descriptors() == before


def test_no_link_on_the_way_to_a_parent_is_followed(ground, mapped):
    os.symlink(ground.outside, ground.host("link"))
    before = open_descriptors()
    for windows in (r"C:\link\secret", r"C:\missing\x"):
        with pytest.raises((NotADirectoryError, FileNotFoundError)), mapped.parent_of(windows):
            pass
    assert open_descriptors() == before


def test_a_links_text_is_relative_and_spelt_as_the_host_spells_it(ground, mapped):
    os.makedirs(ground.host("Var", "Lib"))
    text = mapped.link_text(ground.host("pods"), r"c:\VAR\lib\New", "Call")
    assert text == "../Var/Lib/New"
    assert hostmap.destination(ground.host("pods"), text) == ground.host("Var", "Lib", "New")


@pytest.mark.parametrize("target", [r"\\server\share\x", r"Z:\x"])
def test_a_target_without_a_place_here_leads_where_nobody_can_put_anything(ground, mapped, target):
    text = mapped.link_text(ground.drive, target, "Call")
    assert text.startswith(hostmap.NOWHERE + "/")
    with pytest.raises(NotADirectoryError):
        os.makedirs(text)


def test_names_of_a_link_stay_as_given_from_the_first_link_on(ground, mapped):
    os.makedirs(ground.host("Real", "Below"))
    os.symlink("Real", ground.host("Link"))
    assert mapped.link_text(ground.drive, r"C:\LINK\BELOW", "Call") == "Link/BELOW"


@pytest.mark.parametrize("target", [r"\\server\share\..\x", r"C:\..\x", r"\\?\C:\x"])
def test_a_target_of_an_illegal_form_makes_no_link(ground, mapped, target):
    with pytest.raises(Win32Error):
        mapped.link_text(ground.drive, target, "Call")
