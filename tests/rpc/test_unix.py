"""Unix sockets: who listens where, and who connects."""

import errno
import fcntl
import os
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from csiproxy.rpc.unix import EndpointInUse, UnixListener, connect


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "csi-proxy-disk-v1.sock")


def dead_socket(path: str) -> None:
    """Leave what a killed server leaves."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()
    server.close()


def test_a_listener_has_its_name_and_a_private_file(path: str) -> None:
    listener = UnixListener(path, "csi-proxy-disk-v1")
    assert listener.name == "csi-proxy-disk-v1"
    assert stat.S_IMODE(os.lstat(path).st_mode) == 0o600
    listener.close()
    listener.close()
    assert not os.path.lexists(path)
    assert listener.fileno() == -1


def test_the_directory_is_left_as_it_is(tmp_path: Path) -> None:
    directory = tmp_path / "shared"
    directory.mkdir(mode=0o755)
    before = os.stat(directory).st_mode
    UnixListener(str(directory / "s"), "s").close()
    assert os.stat(directory).st_mode == before
    assert os.listdir(directory) == []


def test_a_dead_socket_is_replaced(path: str) -> None:
    dead_socket(path)
    listener = UnixListener(path, "s")
    connect(path).close()
    listener.close()


def test_a_live_server_is_left_alone(path: str) -> None:
    first = UnixListener(path, "s")
    with pytest.raises(EndpointInUse, match="live server") as caught:
        UnixListener(path, "s")
    assert (caught.value.errno, caught.value.filename) == (errno.EADDRINUSE, path)
    connect(path).close()
    first.close()


def test_a_live_server_with_a_full_backlog_is_left_alone(path: str) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(0)
    clients = []
    try:
        while True:
            clients.append(client := socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            client.connect(path)
    except BlockingIOError:
        pass
    with pytest.raises(EndpointInUse):
        UnixListener(path, "s")
    for one in (*clients, server):
        one.close()


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_what_is_no_socket_is_never_removed(path: str, kind: str) -> None:
    if kind == "file":
        Path(path).write_text("precious")
    elif kind == "directory":
        os.mkdir(path)
    else:
        os.symlink("elsewhere", path)
    with pytest.raises(FileExistsError, match="move it"):
        UnixListener(path, "s")
    assert os.path.lexists(path)


def test_closing_leaves_the_socket_of_a_successor_alone(path: str) -> None:
    first = UnixListener(path, "s")
    os.unlink(path)
    second = UnixListener(path, "s")
    first.close()
    connect(path).close()
    second.close()


def test_of_many_starters_one_wins_whatever_was_there_before(path: str) -> None:
    for _ in range(10):
        dead_socket(path)
        together = Barrier(4)

        def start(together: Barrier = together) -> UnixListener | None:
            together.wait(20)
            try:
                return UnixListener(path, "s")
            except EndpointInUse:
                return None

        with ThreadPoolExecutor(4) as pool:
            winners = [one for one in [job.result() for job in [pool.submit(start) for _ in range(4)]] if one]
        assert len(winners) == 1
        connect(path).close()
        winners[0].close()


def test_a_starter_waits_for_its_turn(tmp_path: Path, path: str) -> None:
    directory = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(directory, fcntl.LOCK_EX)
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(UnixListener, path, "s")
        assert not os.path.lexists(path)
        os.close(directory)
        job.result().close()


@pytest.mark.parametrize("make", [lambda path: UnixListener(path, "s"), connect], ids=["listen", "connect"])
def test_a_path_that_does_not_fit_is_told_so(tmp_path: Path, make) -> None:
    with pytest.raises(OSError, match=r"longer than the 10[37] bytes") as caught:
        make(str(tmp_path / ("long" * 40)))
    assert caught.value.errno == errno.ENAMETOOLONG


def test_a_directory_that_is_missing_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        UnixListener(str(tmp_path / "missing" / "s"), "s")


def test_nobody_listens(path: str) -> None:
    with pytest.raises(FileNotFoundError):
        connect(path)
    dead_socket(path)
    with pytest.raises(ConnectionRefusedError):
        connect(path)


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="this system does not tell")
def test_both_ends_know_who_the_other_is(path: str) -> None:
    listener = UnixListener(path, "s")
    program = f"import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect({path!r}); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as client:
        with socket.socket(fileno=os.dup(listener.fileno())) as waiting:
            waiting.settimeout(20)
            waiting.setblocking(True)
            connected = waiting.accept()[0]
        from csiproxy.rpc.unix import UnixStream

        stream = UnixStream(connected)
        assert (stream.peer.pid, stream.peer.uid) == (client.pid, os.getuid())
        client.communicate()
    stream.close()
    mine = connect(path)
    assert (mine.peer.pid, mine.peer.uid) == (os.getpid(), os.getuid())
    mine.close()
    listener.close()


def test_a_relative_path_works(tmp_path: Path) -> None:
    program = """
from csiproxy.rpc.unix import UnixListener, connect
listener = UnixListener("s.sock", "s")
connect("s.sock").close()
listener.close()
"""
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=60)
    assert os.listdir(tmp_path) == []
