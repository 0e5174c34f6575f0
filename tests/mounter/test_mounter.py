"""mount.Interface on a real node, whoever wrote its server."""

import pytest

from csiproxy.errors import (
    AlreadyExists,
    CsiProxyError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    Unavailable,
)
from csiproxy.mounter import Mounter
from csiproxy.testing import Node


@pytest.fixture
def staged(client, mounter, volume, staging):
    mounter.mount(volume, staging)
    return staging


def test_a_volume_is_mounted_and_bound_into_a_pod_and_carries_its_files(node, mounter, staged, published):
    for _ in range(2):
        mounter.mount(staged, published, "", ["bind"])
    (node.path(published) / "hello").write_text("from a pod")
    assert (node.path(staged) / "hello").read_text() == "from a pod"
    assert mounter.is_mount_point(staged)
    assert mounter.is_mount_point(published)
    assert not mounter.is_likely_not_mount_point(published)
    for _ in range(2):
        mounter.unmount(published)
    assert (node.path(staged) / "hello").exists()
    for _ in range(2):
        mounter.unmount(staged)
    assert not node.path(staged).exists()


def test_mounting_again_after_a_lost_reply_is_success(mounter, volume, staging):
    mounter.mount(volume, staging)
    mounter.mount_volume(volume, staging)


def test_the_empty_directory_that_kubelet_made_gives_way_to_a_link(node, mounter, staged, published):
    node.path(published).mkdir(parents=True)
    mounter.mount(staged, published, options=["bind"])
    assert mounter.is_mount_point(published)


def test_a_directory_with_files_and_a_mount_of_something_else_do_not(
    client, mounter, staged, published, node
):
    client.filesystem.mkdir(r"C:\var\lib\kubelet\plugins\other")
    mounter.mount(r"C:\var\lib\kubelet\plugins\other", published, options=["bind"])
    with pytest.raises(AlreadyExists, match="something else is mounted"):
        mounter.mount(staged, published, options=["bind"])
    mounter.unmount(published)
    node.path(published).mkdir()
    (node.path(published) / "precious").write_text("data")
    with pytest.raises(CsiProxyError):
        mounter.mount(staged, published, options=["bind"])
    with pytest.raises(CsiProxyError):
        mounter.unmount(published)
    assert (node.path(published) / "precious").read_text() == "data"


def test_questions_about_what_is_missing_plain_or_dangling(node, client, mounter, staging, published):
    with pytest.raises(NotFound):
        mounter.is_mount_point(staging)
    with pytest.raises(NotFound):
        mounter.is_likely_not_mount_point(staging)
    assert mounter.get_mount_refs(staging) == ()
    node.path(staging).mkdir(parents=True)
    assert mounter.is_likely_not_mount_point(staging)
    assert mounter.get_mount_refs(staging) == ("c:" + staging,)
    mounter.mount(staging, published, options=["bind"])
    client.filesystem.rmdir("c:" + staging)
    assert mounter.is_likely_not_mount_point(published)
    mounter.clean_up(published)
    assert not node.path(published).is_symlink()
    mounter.clean_up(published)


def test_what_windows_does_not_tell_is_said_as_mount_utils_says_it(mounter):
    assert mounter.list() == ()
    assert mounter.can_safely_skip_mount_point_check() is False


def test_a_file_system_in_memory_is_a_directory(node, mounter, published):
    mounter.mount("tmpfs", published, "tmpfs")
    assert node.path(published).is_dir()


@pytest.mark.parametrize(
    ("source", "fstype", "options"),
    [
        (r"C:\var\lib\kubelet\plugins", "", []),
        (r"C:\var\lib\kubelet\plugins", "", ["bind", "ro"]),
        (r"\\server\share", "nfs", []),
        (r"\\server\share", "cifs", ["vers=3.0"]),
        ("relative", "", ["bind"]),
        ("\\\\?\\Volume{760e54cf-1653-427c-a597-4db0c4850597}\\", "ntfs", ["ro"]),
    ],
)
def test_what_windows_cannot_do_is_refused(mounter, published, source, fstype, options):
    with pytest.raises(InvalidArgument):
        mounter.mount(source, published, fstype, options)


def test_the_systemd_variants_do_the_same_and_take_no_flags(mounter, staged, published):
    mounter.mount_sensitive_without_systemd(staged, published, "", ["bind"])
    mounter.mount_sensitive_without_systemd_with_mount_flags(staged, published, "", ["bind"])
    with pytest.raises(InvalidArgument, match="--no-canonicalize"):
        mounter.mount_sensitive_without_systemd_with_mount_flags(
            staged, published, "", ["bind"], mount_flags=["--no-canonicalize"]
        )


def test_no_sensitive_option_is_in_a_text(mounter, published):
    for options in ([], ["ro"], ["x", "y"]):
        with pytest.raises(CsiProxyError) as refused:
            mounter.mount_sensitive(r"\\no.invalid\s", published, "cifs", options, ["hidden from all"])
        assert "hidden from all" not in f"{refused.value!r}"


def test_a_node_that_does_not_answer_is_no_answer_about_a_mount():
    with Node.temporary(serve=("filesystem/v1",)) as node, node.client() as client:
        mounter = Mounter(client)
        node.kill_proxy()
        for ask in (mounter.is_mount_point, mounter.unmount, mounter.get_mount_refs, mounter.clean_up):
            with pytest.raises(Unavailable):
                ask(r"C:\var\lib\kubelet\pods")


def test_a_directory_that_is_not_empty_is_not_cleaned_away(client, node, mounter, published):
    node.path(published).mkdir(parents=True)
    (node.path(published) / "precious").write_text("data")
    with pytest.raises((FailedPrecondition, CsiProxyError)):
        mounter.clean_up(published)
    assert (node.path(published) / "precious").exists()
