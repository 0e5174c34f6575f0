"""A LUN of a real target as an image file, with a real file system on it."""

import os
import signal
import subprocess
import time

import pytest
from tests.conftest import find_foreign
from tests.iscsi_node import portal_of
from tests.iscsi_target import MIB, TargetServer

from csiproxy.emulator import lun, lun_image
from csiproxy.emulator.iscsi_chap import NO_CHAP
from csiproxy.emulator.iscsi_link import Link
from csiproxy.emulator.lun_image import LunImage
from csiproxy.errors import Win32Error

pytestmark = pytest.mark.foreign
SIZE = 64 * MIB


@pytest.fixture
def iqn(target_server: TargetServer, foreign) -> str:
    foreign("fusermount3")
    return target_server.offer(size=SIZE)


@pytest.fixture
def link(target_server, iqn):
    link = Link("iqn.x:test", portal_of(target_server), iqn, NO_CHAP)
    yield link
    link.close()


@pytest.fixture
def unit(link, iqn):
    return lun.Lun(lun.unit_name(iqn, 1), lun.units(link)[0], lambda: link)


@pytest.fixture
def image(tmp_path, unit):
    image = LunImage(str(tmp_path), unit, read_only=False)
    yield image
    if image._descriptor >= 0:
        image.close()
    left = mounts(tmp_path)
    lun_image.clear_stale(str(tmp_path))
    assert (left, os.listdir(tmp_path / "luns")) == ([], [])


def mounts(directory) -> list[str]:
    with open("/proc/mounts") as file:
        return [line.split()[1] for line in file if line.split()[1].startswith(str(directory))]


def test_the_file_is_the_targets_sectors(target_server, image):
    assert (image.size, image.measure()) == (SIZE, SIZE)
    image.write(512, b"x" * 1024)
    image.sync()
    assert image.read(0, 2048) == bytes(512) + b"x" * 1024 + bytes(512)
    with open(target_server.image(), "rb") as file:
        assert file.read(1536)[512:] == b"x" * 1024


def test_a_closed_image_leaves_no_mount_and_no_process(tmp_path, image):
    process = image._mount._process
    image.close()
    assert mounts(tmp_path) == []
    assert process.returncode == 0


def test_it_grows_on_its_target_alone(image):
    with pytest.raises(Win32Error) as caught:
        image.grow(2 * SIZE)
    assert caught.value.windows_code == 50


def test_a_target_that_is_lost_is_an_io_error_and_keeps_its_size(target_server, image):
    target_server.kill()
    for call in (lambda: image.read(0, 512), lambda: image.write(0, bytes(512))):
        with pytest.raises(Win32Error) as caught:
            call()
        assert caught.value.windows_code == 1117
    assert image.measure() == SIZE


def test_a_process_that_was_killed_is_an_io_error_and_its_mount_is_taken_away(tmp_path, image):
    os.kill(image._mount._process.pid, signal.SIGKILL)
    image._mount._process.wait()
    with pytest.raises(Win32Error):
        image.read(0, 512)
    image.close()
    assert mounts(tmp_path) == []


def test_what_nobody_took_away_is_taken_away_by_the_next_node(tmp_path, image):
    os.kill(image._mount._process.pid, signal.SIGKILL)
    image._mount._process.wait()
    assert len(mounts(tmp_path)) == 1
    lun_image.clear_stale(str(tmp_path))
    assert mounts(tmp_path) == []
    lun_image.clear_stale(str(tmp_path / "nothing"))


def test_a_unit_that_is_write_protected_is_read_only(tmp_path, target_server, link, iqn):
    target_server.protect("disk", 1)
    [found] = lun.units(link)
    unit = lun.Lun(lun.unit_name(iqn, 1), found, lambda: link)
    image = LunImage(str(tmp_path), unit, read_only=False)
    with pytest.raises(Win32Error) as caught:
        image.write(0, bytes(512))
    assert caught.value.windows_code == 19
    image.close()


def root_with_loop_devices() -> None:
    if os.geteuid() or not os.path.exists("/dev/loop-control"):
        reason = "needs root and loop devices"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


def test_a_real_file_system_lives_on_it(tmp_path, target_server, image):
    root_with_loop_devices()
    make, mount = find_foreign("mke2fs"), find_foreign("ntfs-3g")
    subprocess.run([make, "-q", "-t", "ext4", "-F", image.path], check=True, capture_output=True)
    probe = [find_foreign("blkid"), "-p", "-o", "value", "-s", "TYPE"]
    found = subprocess.run([*probe, target_server.image()], capture_output=True, text=True).stdout
    assert found.strip() == "ext4"
    device = subprocess.run(
        [find_foreign("losetup"), "-f", "--show", image.path], check=True, capture_output=True, text=True
    ).stdout.strip()
    directory = tmp_path / "mnt"
    directory.mkdir()
    try:
        subprocess.run([find_foreign("mkntfs"), "-Q", "-F", "-q", device], check=True, capture_output=True)
        for text in ("first", "second"):
            subprocess.run([mount, device, directory], check=True, capture_output=True)
            try:
                if text == "first":
                    (directory / "file").write_text("data")
                assert (directory / "file").read_text() == "data"
            finally:
                subprocess.run(["umount", directory], check=True)
    finally:
        detach(device)
    found = subprocess.run([*probe, target_server.image()], capture_output=True, text=True).stdout
    assert found.strip() == "ntfs"


def detach(device: str) -> None:
    """Give a loop device back, once its last user has let go of it."""
    end = time.monotonic() + 30
    while subprocess.run([find_foreign("losetup"), "-d", device], capture_output=True).returncode:
        assert time.monotonic() < end
        time.sleep(0.05)
