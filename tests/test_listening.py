"""Where endpoints are opened."""

import tempfile
from pathlib import Path

import pytest

from csiproxy.api import versions
from csiproxy.listening import Pipes, SocketDirectory, Unusable, place

DISK = versions.contract("disk/v1")


def test_this_systems_place_is_a_directory_of_socket_files():
    with tempfile.TemporaryDirectory() as directory:  # short enough for sockets
        endpoints = Path(directory, "endpoints")
        found = place(str(endpoints), "")
        assert isinstance(found, SocketDirectory)
        assert found.where == f"in {endpoints}"
        found.prepare()
        listener = found.open(DISK)
        assert listener.name == DISK.endpoint
        assert (endpoints / "csi-proxy-disk-v1.sock").is_socket()
        listener.close()


def test_a_directory_that_others_can_write_to_is_refused(tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(Unusable, match="could pose as csi-proxy"):
        SocketDirectory(str(tmp_path / "open")).prepare()


def test_a_directory_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unusable, match="cannot be made"):
        SocketDirectory(str(tmp_path / "file" / "below")).prepare()


def test_pipes_are_for_windows():
    pipes = Pipes("")
    pipes.prepare()
    with pytest.raises(OSError, match="no named pipes"):
        pipes.open(DISK)
