"""The filesystem group through every version of it."""

import itertools

import pytest
from tests.client.conftest import PLUGINS, PODS, names, only

from csiproxy.errors import AlreadyExists, NotFound, Unimplemented

_COUNT = itertools.count()


@pytest.mark.parametrize("name", names("filesystem"))
def test_directories_and_links_come_and_go_in_every_version(name, node, tmp_path):
    number = next(_COUNT)
    staging, pod = rf"{PLUGINS}\f{number}\globalmount", rf"{PODS}\f{number}\mount"
    with only(node, tmp_path, name) as client:
        files = client.filesystem
        assert files.path_exists(staging) is False
        files.mkdir(staging)
        assert files.path_exists(staging) is True
        files.mkdir(rf"{PODS}\f{number}")
        files.create_symlink(source_path=staging, target_path=pod)
        assert (files.is_symlink(pod), files.is_symlink(staging)) == (True, False)
        files.rmdir(pod, force=True)
        assert (files.path_exists(pod), files.path_exists(staging)) == (False, True)
        files.rmdir(staging)
        with pytest.raises(NotFound):
            files.rmdir(staging)
        files.rmdir(staging, force=True)


def test_a_link_where_something_else_is_already_exists(client, place):
    client.filesystem.mkdir(place + r"\a")
    client.filesystem.mkdir(place + r"\b")
    with pytest.raises(AlreadyExists):
        client.filesystem.create_symlink(source_path=place + r"\a", target_path=place + r"\b")


def test_a_directory_is_emptied_by_the_version_that_can_whatever_the_preferred_one_is(client, place):
    client.filesystem.mkdir(place + r"\a\b")
    client.filesystem.rmdir_contents(place)
    assert client.filesystem.path_exists(place)
    assert not client.filesystem.path_exists(place + r"\a")


def test_without_that_version_it_is_unimplemented(node, place, tmp_path):
    with only(node, tmp_path, "filesystem/v1", "filesystem/v1beta1") as client:
        with pytest.raises(Unimplemented, match="filesystem/v1, filesystem/v1beta1 only"):
            client.filesystem.rmdir_contents(place)
