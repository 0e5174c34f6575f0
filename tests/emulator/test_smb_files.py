"""The operations of the share's file system, on a real server and without a kernel between."""

import errno
import os
import stat

import pytest
from tests.samba import HOST, USER

from csiproxy.emulator.smb_files import ShareFiles


class Ground:
    """The operations, and the server's own directory behind them."""

    def __init__(self, samba, directory: str) -> None:
        import smbclient

        self.user = samba.user()
        self.behind = samba.share() / directory
        self.behind.mkdir()
        self.cache: dict = {}
        session = {
            "username": self.user,
            "password": samba.passwords[USER],
            "port": samba.port,
            "encrypt": True,
            "connection_cache": self.cache,
        }
        self.ready: list[None] = []
        self.files = ShareFiles(smbclient, rf"\\{HOST}\data", session, lambda: self.ready.append(None))
        self.root = f"/files/{directory}"
        self._reset = lambda: smbclient.reset_connection_cache(connection_cache=self.cache)

    def close(self) -> None:
        self._reset()

    def put(self, name: str, data: bytes) -> str:
        (self.behind / name).write_bytes(data)
        return f"{self.root}/{name}"


@pytest.fixture
def ground(samba, request):
    ground = Ground(samba, f"ops-{abs(hash(request.node.nodeid))}")
    yield ground
    ground.close()


def number(call) -> int:
    with pytest.raises(OSError) as caught:
        call()
    return caught.value.errno


def test_the_share_is_a_directory_in_the_root_and_nothing_else_is(ground):
    assert ground.files.readdir("/", 0) == [".", "..", "files"]
    assert stat.S_ISDIR(ground.files.getattr("/")["st_mode"])
    assert stat.S_ISDIR(ground.files.getattr("/files")["st_mode"])
    for path in ("/other", "/filesystem", "/Files"):
        assert number(lambda path=path: ground.files.getattr(path)) == errno.ENOENT
    for call in (ground.files.mkdir, ground.files.create):
        assert number(lambda call=call: call("/x", 0o777)) == errno.ENOENT
    for path in ("/", "/files"):
        assert number(lambda path=path: ground.files.rmdir(path)) == errno.EPERM
    ground.files.init("/")
    assert ground.ready == [None]


def test_what_is_written_is_on_the_server_before_anything_is_closed(ground):
    files, path = ground.files, f"{ground.root}/a"
    handle = files.create(path, 0o644)
    assert files.write(path, b"hello", 0, handle) == 5
    assert (ground.behind / "a").read_bytes() == b"hello"
    assert files.write(path, b"J", 0, handle) == 1
    assert files.write(path, b"!!", 7, handle) == 2
    assert (ground.behind / "a").read_bytes() == b"Jello\0\0!!"
    assert files.read(path, 100, 3, handle) == b"lo\0\0!!"
    assert files.read(path, 100, 50, handle) == b""
    assert files.fsync(path, 0, handle) == 0
    assert files.release(path, handle) == 0
    assert files._open == {}


def test_large_pieces_are_carried_whole(ground):
    files, path = ground.files, f"{ground.root}/large"
    data = os.urandom(3 << 20)
    handle = files.create(path, 0o644)
    assert files.write(path, data, 0, handle) == len(data)
    assert files.read(path, len(data) + 1, 0, handle) == data
    files.release(path, handle)
    assert (ground.behind / "large").read_bytes() == data


def test_a_file_has_a_size_and_times_and_may_be_read_only(ground):
    path = ground.put("a", b"x" * 1000)
    found = ground.files.getattr(path)
    assert (found["st_size"], found["st_blocks"], found["st_mode"]) == (1000, 2, stat.S_IFREG | 0o777)
    ground.files.utimens(path, (10**18, 2 * 10**18))
    assert os.stat(ground.behind / "a").st_mtime_ns == 2 * 10**18
    assert ground.files.getattr(path)["st_mtime"] == 2 * 10**18
    before = ground.files.getattr(path)["st_mtime"]
    ground.files.utimens(path)
    assert ground.files.getattr(path)["st_mtime"] != before


def test_what_others_do_on_the_server_is_seen_at_once(ground):
    path = ground.put("a", b"one")
    handle = ground.files.open(path, os.O_RDONLY)
    ground.put("a", b"three")
    assert ground.files.read(path, 10, 0, handle) == b"three"
    ground.files.release(path, handle)
    assert ground.files.getattr(path)["st_size"] == 5
    os.unlink(ground.behind / "a")
    assert number(lambda: ground.files.getattr(path)) == errno.ENOENT


def test_names_are_made_renamed_over_each_other_and_removed(ground):
    files, root = ground.files, ground.root
    files.mkdir(f"{root}/d", 0o755)
    ground.put("a", b"new")
    ground.put("d/b", b"old")
    files.rename(f"{root}/a", f"{root}/d/b")
    assert (ground.behind / "d" / "b").read_bytes() == b"new"
    assert sorted(files.readdir(root, 0)) == [".", "..", "d"]
    assert number(lambda: files.rmdir(f"{root}/d")) == errno.ENOTEMPTY
    files.unlink(f"{root}/d/b")
    files.rmdir(f"{root}/d")
    assert os.listdir(ground.behind) == []


def test_a_file_is_cut_and_lengthened_open_or_not(ground):
    path = ground.put("a", b"0123456789")
    ground.files.truncate(path, 4)
    assert (ground.behind / "a").read_bytes() == b"0123"
    handle = ground.files.open(path, os.O_WRONLY)
    ground.files.truncate(path, 6, handle)
    assert (ground.behind / "a").read_bytes() == b"0123\0\0"
    ground.files.release(path, handle)
    handle = ground.files.open(path, os.O_RDWR | os.O_TRUNC)
    ground.files.release(path, handle)
    assert (ground.behind / "a").read_bytes() == b""
    assert ground.files._open == {}


def test_a_backslash_in_a_name_is_no_way_into_another_directory(ground):
    ground.put("a", b"1")
    for path in (f"{ground.root}\\a", f"{ground.root}/..\\a", "/files/..\\..\\x"):
        assert number(lambda path=path: ground.files.getattr(path)) == errno.EINVAL


def test_failures_have_numbers_that_programs_know(ground):
    files, path = ground.files, ground.put("a", b"1")
    assert number(lambda: files.open(f"{ground.root}/nothing", os.O_RDONLY)) == errno.ENOENT
    assert number(lambda: files.mkdir(path, 0o755)) == errno.EEXIST
    assert number(lambda: files.open(ground.root, os.O_RDONLY)) == errno.EISDIR
    assert number(lambda: files.create(f"{ground.root}/a*b", 0o644)) == errno.EINVAL
    assert number(lambda: files.read(path, 1, 0, 12345)) == errno.EIO  # no such handle: a fault of ours


def test_the_size_of_the_servers_disk_is_told(ground):
    found, real = ground.files.statfs("/"), os.statvfs(ground.behind)
    assert found["f_blocks"] * found["f_frsize"] == pytest.approx(real.f_blocks * real.f_frsize, rel=0.01)
    assert 0 < found["f_bavail"] <= found["f_blocks"]


def test_modes_and_owners_are_the_servers_business(ground):
    path = ground.put("a", b"1")
    mode = os.stat(ground.behind / "a").st_mode
    assert ground.files.chmod(path, 0) == ground.files.chown(path, 1, 1) == 0
    assert os.stat(ground.behind / "a").st_mode == mode
