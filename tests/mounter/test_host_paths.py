"""The host-path interface."""

import pytest

from csiproxy.errors import CsiProxyError, NotFound, Unimplemented
from csiproxy.mounter import FileType, HostPaths


@pytest.fixture
def paths(client):
    return HostPaths(client)


def test_paths_are_made_and_looked_for(node, paths, staging):
    assert not paths.path_exists(staging)
    paths.make_dir(staging)
    paths.make_dir(staging)
    assert paths.path_exists(staging)
    assert node.path(staging).is_dir()


def test_a_mount_is_a_directory_and_what_no_rpc_tells_is_unknown(paths, mounter, volume, staging, published):
    with pytest.raises(NotFound):
        paths.get_file_type(staging)
    paths.make_dir(staging)
    assert paths.get_file_type(staging) is FileType.UNKNOWN
    mounter.mount(volume, staging)
    mounter.mount(staging, published, options=["bind"])
    assert paths.get_file_type(staging) is FileType.DIRECTORY
    assert paths.get_file_type(published) is FileType.DIRECTORY
    assert paths.get_device_name_from_mount(published) == volume


def test_a_directory_has_no_device(paths, staging):
    paths.make_dir(staging)
    with pytest.raises(CsiProxyError):
        paths.get_device_name_from_mount(staging)


def test_what_is_so_on_every_windows_node_is_answered(paths, staging):
    assert paths.device_opened(staging) is False
    assert paths.path_is_device(staging) is False
    assert paths.get_selinux_support(staging) is False
    assert paths.get_owner(staging) == (-1, -1)
    assert paths.make_rshared(staging) is None


def test_what_cannot_be_known_is_refused_with_what_to_do(paths, staging):
    with pytest.raises(Unimplemented, match="mounted kubelet directory"):
        paths.eval_host_symlinks(staging)
    with pytest.raises(Unimplemented, match="access-control list"):
        paths.get_mode(staging)
