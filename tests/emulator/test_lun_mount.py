"""The process that shows a LUN as a file: its orders, what it says, its end."""

import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress

import pytest

from csiproxy.emulator import lun_mount
from csiproxy.emulator.lun_mount import ANSWER, ORDER, READY, NodeLink, Order, receive

SIZE = 1 << 20
EIO = 5


class Served:
    """The node's end: a LUN in memory that can fail."""

    def __init__(self, connection: socket.socket) -> None:
        self.data = bytearray(SIZE)
        self.errno = 0
        self.orders: list[Order] = []
        self._connection = connection
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        try:
            while True:
                order, offset, length = ORDER.unpack(receive(self._connection, ORDER.size))
                self.orders.append(Order(order))
                if order == Order.WRITE:
                    self.data[offset : offset + length] = receive(self._connection, length)
                found = bytes(self.data[offset : offset + length]) if order == Order.READ else b""
                size = SIZE if order == Order.SIZE else 0
                self._connection.sendall(ANSWER.pack(self.errno, size, len(found)) + found)
        except (EOFError, OSError):
            return

    def close(self) -> None:
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._connection.close()


@pytest.fixture
def pair():
    node, process = socket.socketpair()
    served = Served(node)
    yield served, process
    process.close()
    served.close()


@pytest.fixture
def mounted(pair, tmp_path, foreign):
    foreign("fusermount3")
    served, other = pair
    process = subprocess.Popen(
        [sys.executable, "-m", lun_mount.__name__, str(tmp_path), str(other.fileno())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[other.fileno()],
    )
    other.close()
    said = process.stdout.readline().decode().strip()
    assert said == READY
    yield served, tmp_path, process
    process.stdin.close()
    process.wait(60)
    process.stdout.close()
    assert os.listdir(tmp_path) == []


@pytest.mark.foreign
def test_the_file_has_the_luns_size_and_bytes(mounted):
    served, place, _ = mounted
    assert os.listdir(place) == ["lun"]
    assert os.stat(place / "lun").st_size == SIZE
    with open(place / "lun", "r+b", buffering=0) as file:
        file.seek(4096)
        file.write(b"x" * 300_000)
        os.fsync(file.fileno())
        file.seek(4000)
        assert file.read(200) == bytes(96) + b"x" * 104
    assert served.data[4096:4100] == b"xxxx"
    assert Order.SYNC in served.orders


@pytest.mark.foreign
def test_what_is_written_elsewhere_is_read_at_once(mounted):
    served, place, _ = mounted
    for byte in (b"a", b"b"):
        served.data[:512] = byte * 512
        with open(place / "lun", "rb", buffering=0) as file:
            assert file.read(512) == byte * 512


@pytest.mark.foreign
def test_a_lun_that_fails_is_an_io_error(mounted):
    served, place, _ = mounted
    with open(place / "lun", "rb", buffering=0) as file:
        served.errno = EIO
        with pytest.raises(OSError) as caught:
            file.read(512)
        assert caught.value.errno == EIO
        served.errno = 0
        assert len(file.read(512)) == 512


@pytest.mark.foreign
def test_there_is_no_other_file_and_it_has_no_other_size(mounted):
    _, place, _ = mounted
    with pytest.raises(FileNotFoundError):
        os.stat(place / "other")
    with pytest.raises(OSError):
        (place / "new").touch()
    with pytest.raises(OSError):
        os.truncate(place / "lun", 2 * SIZE)


@pytest.mark.foreign
def test_a_node_that_has_gone_takes_the_mount_with_it(mounted):
    served, place, process = mounted
    served.close()
    with pytest.raises(OSError):
        os.stat(place / "lun")
    process.stdin.close()
    assert process.wait(60) == 0
    assert os.listdir(place) == []


def test_answers_are_taken_apart(pair):
    served, other = pair
    node = NodeLink(other)
    assert node.ask(Order.SIZE) == (SIZE, b"")
    assert node.ask(Order.WRITE, 10, data=b"abc") == (0, b"")
    assert node.ask(Order.READ, 9, 5) == (0, b"\0abc\0")
    served.errno = 28
    with pytest.raises(OSError, match="No space"):
        node.ask(Order.SYNC)
    served.close()
    with pytest.raises(OSError) as caught:
        node.ask(Order.SIZE)
    assert caught.value.errno == EIO


def test_a_connection_that_ends_in_the_middle_is_told(pair):
    one, other = socket.socketpair()
    with one, other:
        other.sendall(b"ab")
        other.shutdown(socket.SHUT_WR)
        with pytest.raises(EOFError):
            receive(one, 3)
