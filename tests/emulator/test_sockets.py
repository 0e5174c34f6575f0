"""The node's socket is its own user's, at any depth, and a dead one is no obstacle."""

import os
import stat

import pytest

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


def test_nobody_else_may_connect(directory):
    with sockets.listen(directory):
        mode = os.stat(os.path.join(directory, sockets.SOCKET_NAME)).st_mode
        assert (stat.S_ISSOCK(mode), mode & 0o777) == (True, 0o600)


def test_a_dead_socket_is_replaced(directory):
    sockets.listen(directory).close()
    with pytest.raises(ConnectionRefusedError):
        sockets.dial(directory)
    with sockets.listen(directory):
        sockets.dial(directory).close()


def test_without_a_node_there_is_nobody(directory):
    with pytest.raises(FileNotFoundError):
        sockets.dial(directory)
    sockets.remove(directory)  # twice is once
