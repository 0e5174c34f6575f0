"""Requests are answered, each once, whatever becomes of them."""

import errno
import os
import socket
import struct
import threading

import pytest
from tests.emulator.fat_driver.conftest import Disk

from csiproxy.emulator.fat_driver import fuse
from csiproxy.emulator.fat_driver.fuse import Opcode
from csiproxy.emulator.fat_driver.volume import failed

HEADER = struct.Struct("<IIQQIIIHH")


def request(opcode, body=b"", unique=7, node=1):
    return HEADER.pack(HEADER.size + len(body), opcode, unique, node, 0, 0, 0, 0, 0) + body


class Kernel:
    """The kernel's end: a socket that keeps messages apart, as /dev/fuse does."""

    def __init__(self, calls):
        self.end, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.end.settimeout(30)
        self.stop, self.stopper = os.pipe()
        self.theirs = theirs
        self.thread = threading.Thread(target=fuse.serve, args=(theirs.fileno(), calls, self.stop))
        self.thread.start()

    def ask(self, opcode, body=b"", unique=7):
        self.end.send(request(opcode, body, unique))
        answer = self.end.recv(1 << 16)
        length, failure, told = struct.unpack_from("<IiQ", answer)
        assert (length, told) == (len(answer), unique)
        return -failure, answer[16:]

    def close(self):
        os.write(self.stopper, b"x")
        self.thread.join(30)
        assert not self.thread.is_alive()
        for descriptor in (self.stop, self.stopper):
            os.close(descriptor)
        self.end.close()
        self.theirs.close()


def broken(number, body):
    raise ZeroDivisionError


def refusing(number, body):
    raise failed(errno.ENOTEMPTY)


@pytest.fixture
def kernel():
    kernel = Kernel(
        {
            Opcode.LOOKUP: lambda number, body: b"%d:" % number + bytes(body),
            Opcode.READ: broken,
            Opcode.RMDIR: refusing,
            Opcode.FORGET: lambda number, body: b"",
            Opcode.DESTROY: lambda number, body: b"",
        }
    )
    yield kernel
    kernel.close()


def test_an_answer_is_what_the_call_gives(kernel):
    assert kernel.ask(Opcode.LOOKUP, b"name\0", unique=1 << 63) == (0, b"1:name\0")


def test_an_error_is_its_number(kernel):
    assert kernel.ask(Opcode.RMDIR) == (errno.ENOTEMPTY, b"")


def test_a_fault_of_the_driver_is_an_io_error_and_it_goes_on(kernel, capfd):
    assert kernel.ask(Opcode.READ) == (errno.EIO, b"")
    assert kernel.ask(Opcode.LOOKUP)[0] == 0
    assert "ZeroDivisionError" in capfd.readouterr().err


@pytest.mark.parametrize("opcode", [Opcode.WRITE, 39, 4096])
def test_what_is_not_known_is_not_implemented(kernel, opcode):
    assert kernel.ask(opcode) == (errno.ENOSYS, b"")


def test_what_wants_no_answer_gets_none(kernel):
    kernel.end.send(request(Opcode.FORGET, bytes(8)))
    assert kernel.ask(Opcode.LOOKUP, unique=9)[0] == 0


def test_the_driver_takes_what_it_knows_of_what_the_kernel_offers(kernel):
    failure, answer = kernel.ask(Opcode.INIT, struct.pack("<IIII", 7, 45, 1 << 17, 0xFFFFFFFF))
    major, minor, read_ahead, flags, _, _, largest = struct.unpack_from("<IIIIHHI", answer)
    assert (failure, major, minor, read_ahead, largest) == (0, 7, 31, 1 << 17, 1 << 20)
    assert flags & (1 << 17)
    assert not flags & (1 << 16)  # a write-back cache would need times of our own
    assert kernel.ask(Opcode.INIT, struct.pack("<IIII", 8, 0, 0, 0))[0] == errno.EPROTO


def test_the_end_of_the_mount_ends_the_driver(kernel):
    assert kernel.ask(Opcode.DESTROY) == (0, b"")
    kernel.thread.join(30)
    assert not kernel.thread.is_alive()


def test_what_cannot_be_mounted_says_why(tmp_path):
    with pytest.raises(OSError):
        fuse.mount(Disk(tmp_path / "none").path, str(tmp_path), read_only=True, block=512)
