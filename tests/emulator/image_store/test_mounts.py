"""Mounts: one a volume, alive or away, and never two of the same bytes."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.emulator.image_store.images import MIB, left_behind, make
from tests.running import until

from csiproxy.emulator.file_systems import NTFS
from csiproxy.emulator.image import Image
from csiproxy.emulator.image_store import drivers
from csiproxy.emulator.image_store.mounts import Mounts, Site
from csiproxy.emulator.volume import Condition, Content
from csiproxy.errors import Win32Error, WindowsCode

pytestmark = pytest.mark.mounts

CONTENT = Content(Condition.READY, NTFS)


class Ground:
    def __init__(self, directory):
        self.directory = directory
        self.image = Image(make(str(directory / "volume"), "NTFS", "", 8 * MIB))
        self.mounts = self.another()

    def another(self):
        mounts = Mounts(str(self.directory / "mounts"), threading.RLock())
        mounts.clear_stale({self.image.path})
        return mounts

    def site(self, offset=0, size=8 * MIB, read_only=False):
        return Site(self.image, offset, size, read_only)

    def mount(self, name="a", **site):
        return self.mounts.mount(name, self.site(**site), drivers.NTFS, CONTENT)

    def driver(self, name="a"):
        keeper = self.mounts.get(name).keeper.pid
        with open(f"/proc/{keeper}/task/{keeper}/children") as file:
            return int(file.read())

    def left(self):
        return left_behind(self.directory)


@pytest.fixture
def ground(tmp_path):
    ground = Ground(tmp_path)
    yield ground
    ground.mounts.settle({})
    ground.image.close()


def put(directory, name="file", text="data"):
    with open(os.path.join(directory, name), "w") as file:
        file.write(text)


def test_files_are_there_again_after_it_was_away(ground):
    put(ground.mount())
    assert ground.mounts.dismount("a", force=False)
    assert ground.left() == []
    assert not os.path.exists(ground.mounts.directory("a"))
    assert os.listdir(ground.mount()) == ["file"]


def test_nobody_ever_sees_the_directory_beneath(ground):
    directory, stop = ground.mounts.directory("a"), threading.Event()
    put(ground.mount())
    seen = set()

    def watch():
        while not stop.is_set():
            try:
                seen.add(tuple(os.listdir(directory)))
            except OSError:
                continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        until(lambda: seen)  # between two mounts there may be no time for a look
        for _ in range(10):
            ground.mounts.dismount("a", force=True)
            ground.mount()
    finally:
        stop.set()
        watcher.join()
    assert seen == {("file",)}


def test_what_is_not_mounted_need_not_be_taken_away(ground):
    assert not ground.mounts.dismount("a", force=True)
    assert ground.mounts.get("a") is None


def test_a_volume_in_use_stays_unless_it_is_forced(ground):
    file = os.open(os.path.join(ground.mount(), "file"), os.O_WRONLY | os.O_CREAT)
    os.write(file, b"data")
    with pytest.raises(Win32Error) as refusal:
        ground.mounts.dismount("a", force=False)
    assert refusal.value.windows_code == WindowsCode.BUSY
    assert ground.mounts.get("a") is not None
    ground.mounts.dismount("a", force=True)
    with pytest.raises(OSError):
        os.write(file, b"more")
    with pytest.raises(OSError):
        os.close(file)
    assert ground.left() == []
    with open(os.path.join(ground.mount(), "file")) as file:
        assert file.read() == "data"


def test_the_same_bytes_are_never_mounted_twice(ground):
    ground.mount("a")
    ground.mount("b", read_only=True)
    assert ground.mounts.names() == ["b"]
    with pytest.raises(OSError):
        put(ground.mounts.directory("b"))


def test_what_is_not_wanted_any_more_is_taken_away(ground):
    ground.mount("a")
    ground.mounts.settle({"a": ground.site(), "b": ground.site()})
    assert ground.mounts.names() == ["a"]
    ground.mounts.settle({"a": ground.site(read_only=True)})
    assert ground.mounts.names() == []
    assert ground.left() == []


def test_a_file_system_that_the_driver_refuses_is_corrupt_and_says_why(ground):
    ground.image.write(0, bytes(512))
    with pytest.raises(Win32Error, match=r"NTFS cannot be mounted: \w") as refusal:
        ground.mount()
    assert refusal.value.windows_code == WindowsCode.FILE_CORRUPT
    assert ground.left() == []


@pytest.mark.parametrize(
    ("who", "number"), [("driver", signal.SIGKILL), ("driver", signal.SIGTERM), ("keeper", signal.SIGKILL)]
)
def test_a_driver_that_died_is_no_mount_any_more_and_comes_again(ground, who, number):
    put(ground.mount())
    os.kill(ground.driver() if who == "driver" else ground.mounts.get("a").keeper.pid, number)
    until(lambda: ground.mounts.get("a") is None)
    until(lambda: ground.left() == [])
    assert not os.path.exists(ground.mounts.directory("a"))
    assert os.listdir(ground.mount()) == ["file"]


def test_flushing_a_mount_whose_driver_is_gone_is_an_io_error(ground):
    ground.mount()
    mount = ground.mounts.get("a")
    ground.mounts.flush(mount)
    os.kill(ground.driver(), signal.SIGKILL)
    until(lambda: ground.mounts.get("a") is None)
    with pytest.raises(Win32Error):
        ground.mounts.flush(mount)


@pytest.mark.parametrize("in_use", [False, True])
def test_flushing_a_mount_that_is_unmounted_meanwhile_is_done(ground, in_use):
    directory = ground.mount()
    put(directory, text="find me in the image")
    mount = ground.mounts.get("a")
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY) if in_use else None
    assert ground.mounts.dismount("a", force=True)
    ground.mounts.flush(mount)
    with open(ground.image.path, "rb") as file:
        assert b"find me in the image" in file.read()
    if opened is not None:
        os.close(opened)


def test_flushing_a_mount_that_is_out_of_sight_for_a_moment_is_done(ground):
    directory = ground.mount()
    mount = ground.mounts.get("a")
    with open(os.path.join(directory, "file"), "w"), ThreadPoolExecutor(1) as pool:
        refusal = pool.submit(ground.mounts.dismount, "a", force=False)
        while not refusal.done():
            ground.mounts.flush(mount)
        with pytest.raises(Win32Error):
            refusal.result()


def test_flushed_data_are_in_the_image(ground, tmp_path):
    put(ground.mount(), text="find me in the image")
    ground.mounts.flush(ground.mounts.get("a"))
    with open(ground.image.path, "rb") as file:
        assert b"find me in the image" in file.read()


def test_a_start_clears_away_what_an_earlier_process_has_left(ground):
    put(ground.mount())
    os.makedirs(ground.mounts.directory("empty"))
    keeper = ground.mounts.get("a").keeper
    os.kill(ground.driver(), signal.SIGSTOP)  # a driver that does not go by itself
    os.kill(keeper.pid, signal.SIGKILL)
    until(lambda: keeper.poll() is not None)
    ground.another()
    assert ground.left() == []
    assert os.listdir(ground.directory / "mounts") == []
