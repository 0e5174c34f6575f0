"""The kernel's numbers stand for files as long as it knows them."""

import errno
import stat
import struct

import pytest

from csiproxy.emulator.fat_driver.calls import Calls
from csiproxy.emulator.fat_driver.fuse import ROOT, Opcode

pytestmark = pytest.mark.foreign


@pytest.fixture
def tree(disk):
    with disk.tree() as tree:
        yield tree
    disk.check()


@pytest.fixture
def ask(tree):
    calls = Calls(tree)
    table = calls.table()
    yield lambda opcode, number=ROOT, body=b"": table[opcode](number, memoryview(body))
    calls.close()


def create(ask, name, opcode=Opcode.CREATE, directory=ROOT):
    answer = ask(opcode, directory, bytes(16 if opcode is Opcode.CREATE else 8) + name + b"\0")
    return struct.unpack_from("<Q", answer)[0]


def io(offset=0, size=0, data=b""):
    return struct.pack("<QQIIQII", 0, offset, size or len(data), 0, 0, 0, 0) + data


def attributes(answer, at=16):
    found = struct.unpack_from("<QQQQQQIIIIIIIIII", answer, at)
    return {"ino": found[0], "size": found[1], "mtime": found[4], "mode": found[9], "nlink": found[10]}


def refused(number, call, *arguments):
    with pytest.raises(OSError) as refusal:
        call(*arguments)
    assert refusal.value.errno == number


def listing(ask, number=ROOT, room=4096, offset=0):
    answer = ask(Opcode.READDIR, number, io(offset, room))
    found = []
    while answer:
        inode, place, length, kind = struct.unpack_from("<QQII", answer)
        found.append((answer[24 : 24 + length].decode(), kind, place, inode))
        answer = answer[24 + -(-length // 8) * 8 :]
    return found


def test_a_file_is_made_written_and_read(ask):
    number = create(ask, b"file")
    assert ask(Opcode.WRITE, number, io(3, data=b"data")) == struct.pack("<II", 4, 0)
    assert ask(Opcode.READ, number, io(0, 100)) == b"\0\0\0data"
    found = attributes(ask(Opcode.GETATTR, number))
    assert (found["ino"], found["size"], stat.S_IMODE(found["mode"])) == (number, 7, 0o777)
    assert struct.unpack_from("<Q", ask(Opcode.LOOKUP, ROOT, b"FILE\0"))[0] == number
    refused(errno.ENOENT, ask, Opcode.LOOKUP, ROOT, b"none\0")


def test_the_kernel_s_names_may_be_no_text(ask):
    refused(errno.EILSEQ, create, ask, b"\xff\xfe")
    refused(errno.ENOENT, ask, Opcode.LOOKUP, ROOT, b"\xff\0")


def test_only_files_are_made_by_mknod(ask):
    assert ask(Opcode.MKNOD, ROOT, struct.pack("<IIII", stat.S_IFREG, 0, 0, 0) + b"file\0")
    refused(errno.EPERM, ask, Opcode.MKNOD, ROOT, struct.pack("<IIII", stat.S_IFIFO, 0, 0, 0) + b"pipe\0")


def test_a_removed_file_is_there_until_it_is_forgotten(ask, tree):
    free = tree.volume.free
    number = create(ask, b"file")
    ask(Opcode.WRITE, number, io(data=b"data"))
    ask(Opcode.UNLINK, ROOT, b"file\0")
    assert ask(Opcode.READ, number, io(0, 10)) == b"data"
    assert attributes(ask(Opcode.GETATTR, number))["nlink"] == 0
    ask(Opcode.FORGET, number, struct.pack("<Q", 1))
    assert tree.volume.free == free
    refused(errno.ESTALE, ask, Opcode.READ, number, io(0, 10))


def test_files_are_forgotten_in_batches(ask, tree):
    free = tree.volume.free
    numbers = [create(ask, b"%d" % index) for index in range(3)]
    for index, number in enumerate(numbers):
        ask(Opcode.WRITE, number, io(data=b"data"))
        ask(Opcode.UNLINK, ROOT, b"%d\0" % index)
    pairs = b"".join(struct.pack("<QQ", number, 1) for number in (*numbers, 12345, ROOT))
    ask(Opcode.BATCH_FORGET, 0, struct.pack("<II", 5, 0) + pairs)
    assert tree.volume.free == free
    assert ask(Opcode.GETATTR, ROOT)


def test_a_directory_is_listed_in_pieces_while_files_go(ask):
    for index in range(40):
        create(ask, b"file %02d" % index)
    seen, place = [], 0
    while entries := listing(ask, room=200, offset=place):
        seen += [name for name, *_ in entries]
        place = entries[-1][2]
        for name, kind, *_ in entries:
            if kind == stat.S_IFREG >> 12:
                ask(Opcode.UNLINK, ROOT, name.encode() + b"\0")
    assert seen == [".", "..", *(f"file {index:02d}" for index in range(40))]
    assert [name for name, *_ in listing(ask)] == [".", ".."]


def test_directories_are_made_moved_and_removed(ask):
    one = create(ask, b"one", Opcode.MKDIR)
    two = create(ask, b"two", Opcode.MKDIR)
    create(ask, b"file", directory=one)
    refused(errno.ENOTEMPTY, ask, Opcode.RMDIR, ROOT, b"one\0")
    ask(Opcode.RENAME, one, struct.pack("<Q", two) + b"file\0moved\0")
    refused(errno.EEXIST, ask, Opcode.RENAME2, ROOT, struct.pack("<QII", two, 1, 0) + b"one\0MOVED\0")
    refused(errno.EINVAL, ask, Opcode.RENAME2, ROOT, struct.pack("<QII", two, 2, 0) + b"one\0moved\0")
    ask(Opcode.RENAME2, two, struct.pack("<QII", ROOT, 1, 0) + b"moved\0file\0")
    ask(Opcode.RMDIR, ROOT, b"one\0")
    assert [name for name, *_ in listing(ask)] == [".", "..", "two", "file"]
    assert attributes(ask(Opcode.GETATTR, two))["size"] == 512


def test_size_times_and_permission_are_set(ask):
    number = create(ask, b"file")

    def set_attributes(what, size=0, time=0, mode=0):
        body = struct.pack("<IIQQQQQQIIIIIIII", what, 0, 0, size, 0, time, time, 0, 0, 0, 0, mode, 0, 0, 0, 0)
        return attributes(ask(Opcode.SETATTR, number, body))

    assert set_attributes(1 << 3, size=1000)["size"] == 1000
    assert set_attributes(1 << 4 | 1 << 5, time=1_000_000_000)["mtime"] == 1_000_000_000
    assert stat.S_IMODE(set_attributes(1 << 0, mode=0o444)["mode"]) == 0o555
    assert stat.S_IMODE(set_attributes(1 << 0, mode=0o644)["mode"]) == 0o777
    assert set_attributes(1 << 1)["size"] == 1000  # whose it is cannot be kept


def test_the_volume_says_how_full_it_is(ask, tree):
    blocks, free, *_ = struct.unpack_from("<QQQQQIII", ask(Opcode.STATFS))
    assert (blocks, free) == (tree.volume.geometry.clusters, tree.volume.free)
    ask(Opcode.FSYNC)
    ask(Opcode.FSYNCDIR)


def test_every_opcode_has_a_call_but_the_first_of_all(ask, tree):
    assert set(Calls(tree).table()) == set(Opcode) - {Opcode.INIT}
