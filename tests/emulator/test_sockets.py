"""The node's socket is its own user's, at any depth, and a dead one is no obstacle."""

import os
import socket
import stat

import pytest
from tests.emulator.ground import open_descriptors

from csiproxy.emulator import sockets


@pytest.fixture(params=["short", "/".join(["deep" * 20] * 4)])
def directory(request, tmp_path):
    path = tmp_path / request.param
    path.mkdir(parents=True)
    return str(path)


def test_a_caller_reaches_the_node_and_is_known(directory):
    with sockets.listen(directory) as server, sockets.dial(directory) as client:
        accepted, _ = server.accept()
        with accepted:
            assert sockets.is_of_own_user_or_root(accepted)
            assert sockets.peer_process(accepted) == os.getpid()
            client.sendall(b"x")
            assert accepted.recv(1) == b"x"


def test_nobody_else_may_connect_whatever_the_umask(directory):
    before = os.umask(0)
    try:
        with sockets.listen(directory):
            mode = os.stat(os.path.join(directory, sockets.SOCKET_NAME)).st_mode
            assert (stat.S_ISSOCK(mode), mode & 0o777) == (True, 0o600)
        assert os.umask(0) == 0
    finally:
        os.umask(before)


def test_a_dead_socket_is_replaced_and_nothing_else_is_left(directory):
    sockets.listen(directory).close()
    with pytest.raises(ConnectionRefusedError):
        sockets.dial(directory)
    with sockets.listen(directory):
        sockets.dial(directory).close()
    assert os.listdir(directory) == [sockets.SOCKET_NAME]


def test_a_removed_socket_is_gone_and_twice_is_once(directory):
    sockets.listen(directory).close()
    sockets.remove(directory)
    sockets.remove(directory)
    with pytest.raises(FileNotFoundError):
        sockets.dial(directory)


def test_what_cannot_be_opened_leaves_nothing_open(directory):
    os.mkdir(os.path.join(directory, sockets.SOCKET_NAME))
    before = open_descriptors()
    with pytest.raises(OSError, match=r"directory|permitted"):
        sockets.listen(directory)
    with pytest.raises(ConnectionRefusedError):
        sockets.dial(directory)
    assert open_descriptors() == before


def test_a_peer_has_hung_up_when_it_has_closed_and_nothing_is_left_to_read():
    ours, theirs = socket.socketpair()
    with ours:
        assert not sockets.has_hung_up(ours)
        theirs.send(b"x")
        theirs.close()
        assert not sockets.has_hung_up(ours)
        ours.recv(1)
        assert sockets.has_hung_up(ours)
