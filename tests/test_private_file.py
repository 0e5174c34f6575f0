"""A private file is this account's alone, or it is not used."""

import os
import sys

import pytest

from csiproxy.private_file import NotPrivate, open_private

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="tests/windows has those of Windows")


def test_a_new_one_is_for_its_owner_alone_and_is_opened_again(tmp_path):
    path = str(tmp_path / "key")
    descriptor = open_private(path, create=True)
    os.write(descriptor, b"secret")
    os.close(descriptor)
    assert os.stat(path).st_mode & 0o777 == 0o600
    descriptor = open_private(path, create=True)
    assert os.read(descriptor, 10) == b"secret"
    os.close(descriptor)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_one_that_is_open_to_others_is_refused(tmp_path, mode):
    path = tmp_path / "key"
    path.write_bytes(b"")
    path.chmod(mode)
    with pytest.raises(NotPrivate, match="is open to others"):
        open_private(str(path), create=True)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_one_of_somebody_else_is_refused(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(b"")
    path.chmod(0o600)
    os.chown(path, 12345, -1)
    with pytest.raises(NotPrivate, match="belongs to user 12345"):
        open_private(str(path), create=True)


def test_a_link_is_not_followed_and_a_missing_one_not_made_unasked(tmp_path):
    (tmp_path / "real").write_bytes(b"")
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(OSError):
        open_private(str(tmp_path / "link"), create=True)
    with pytest.raises(FileNotFoundError):
        open_private(str(tmp_path / "missing"), create=False)
