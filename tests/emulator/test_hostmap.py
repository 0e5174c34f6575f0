"""The map between Windows' paths and the host's goes both ways, and ends at the node."""

import os

import pytest
from tests.emulator.plain_volumes import FIRST, SECOND

from csiproxy.emulator import hostdir, hostmap
from csiproxy.emulator.hostmap import HostMap
from csiproxy.emulator.places import Places
from csiproxy.errors import Win32Error


@pytest.fixture
def mapped(ground):
    return HostMap(Places({"C": ground.drive}, ""), ground.volumes)


def located(mapped, path):
    descriptor = os.open(path, hostdir.OPEN_DIRECTORY)
    try:
        return mapped.locate(descriptor, "Call")
    finally:
        os.close(descriptor)


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


@pytest.mark.parametrize("target", [r"\\server\share\..\x", r"C:\..\x", r"\\?\C:\x"])
def test_a_target_of_an_illegal_form_makes_no_link(ground, mapped, target):
    with pytest.raises(Win32Error):
        mapped.link_text(ground.drive, target, "Call")
