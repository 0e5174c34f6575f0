"""A driver's keeper: it ends the driver with the node, and leaves no mount, no directory and no process."""

import ctypes
import os
import signal
import subprocess
import sys

import pytest
from tests.emulator.image_store.images import left_behind, make
from tests.running import until

from csiproxy.emulator.image_store import keeper, programs

pytestmark = pytest.mark.mounts


class Kept:
    """A keeper with an NTFS; the test is its node."""

    def __init__(self, directory, command=None):
        self.mount = str(directory / "mount" / keeper.FILES)
        self.hidden = keeper.hidden(self.mount)
        os.makedirs(self.hidden)
        image = make(str(directory / "volume"), "NTFS", "", 4 << 20)
        ntfs = (programs.find("ntfs-3g"), "-o", "no_detach", image, self.hidden)
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__, self.mount, *(command or ntfs)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def driver(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
            return int(file.read())

    def wait_until_mounted(self):
        until(lambda: os.path.ismount(self.hidden))
        keeper.show(self.mount)
        return self

    def last_words(self):
        """What a driver has said that ends by itself."""
        with self.process.stdout as output:
            said = output.read()
        self.process.stdin.close()
        return self.process.wait(30), said

    def end(self):
        said, _ = self.process.communicate(timeout=30)
        return self.process.returncode, said


@pytest.fixture
def kept(tmp_path):
    kept = Kept(tmp_path).wait_until_mounted()
    yield kept
    kept.process.kill()
    kept.end()
    keeper.clear(kept.mount, ctypes.CDLL(None))


def gone(kept, tmp_path):
    left = [place for place in (kept.mount, kept.hidden) if os.path.exists(os.path.dirname(place))]
    return left == [] and left_behind(tmp_path) == []


def test_when_the_node_lets_go_all_that_was_written_is_in_the_image(kept, tmp_path):
    with open(kept.mount + "/file", "w") as file:
        file.write("data")
    assert kept.end()[0] == 0
    assert gone(kept, tmp_path)
    assert programs.run(("ntfscat", "-f", str(tmp_path / "volume"), "file")).said == "data"


def test_a_volume_in_use_goes_with_the_node_and_its_users_get_errors(kept, tmp_path):
    with open(kept.mount + "/file", "w") as file:
        file.write("data")
        file.flush()
        assert kept.end()[0] == 0
        file.write("more")
        with pytest.raises(OSError):
            file.flush()
        with pytest.raises(OSError):
            file.close()
    assert gone(kept, tmp_path)
    assert programs.run(("ntfscat", "-f", str(tmp_path / "volume"), "file")).said == "data"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_mount_of_a_driver_that_dies_goes(kept, tmp_path, number):
    os.kill(kept.driver(), number)
    until(lambda: kept.process.poll() is not None)
    assert gone(kept, tmp_path)


def test_a_driver_ends_with_its_keeper(kept, tmp_path):
    kept.process.kill()
    kept.end()
    until(lambda: [line for line in left_behind(tmp_path) if "ntfs-3g" in line] == [])


def test_what_a_driver_said_last_is_handed_on(tmp_path):
    kept = Kept(tmp_path, ("/bin/sh", "-c", "echo one; echo two >&2; exit 7"))
    assert kept.last_words() == (7, b"one\ntwo\n")
    assert not os.path.exists(kept.hidden)


def test_a_driver_that_says_a_lot_is_heard_to_its_end(tmp_path):
    kept = Kept(tmp_path, ("/bin/sh", "-c", "head -c 1000000 /dev/zero; echo; echo end"))
    code, said = kept.last_words()
    assert code == 0
    assert said.endswith(b"\0\nend\n")
    assert len(said) == keeper.KEPT_OUTPUT


def test_a_program_that_cannot_be_run_is_an_end_too(tmp_path):
    assert Kept(tmp_path, ("/no/such/program",)).last_words() == (127, b"")


def test_a_directory_with_something_in_it_is_not_removed(tmp_path):
    kept = Kept(tmp_path, ("/bin/sh", "-c", f"echo mine > {tmp_path}/.mount/files/file"))
    kept.last_words()
    assert os.listdir(kept.hidden) == ["file"]


def test_a_directory_is_hidden_and_shown_with_its_mount_and_never_without(kept):
    for _ in range(2):
        keeper.hide(kept.mount)
        assert (os.path.exists(kept.mount), os.path.ismount(kept.hidden)) == (False, True)
    for _ in range(2):
        keeper.show(kept.mount)
        assert (os.path.ismount(kept.mount), os.path.exists(kept.hidden)) == (True, False)


def test_what_is_shown_and_hidden_at_once_is_cleared_both(kept, tmp_path):
    os.makedirs(kept.hidden)
    assert kept.end()[0] == 0
    assert gone(kept, tmp_path)


def test_the_terminal_s_interrupt_is_not_the_keeper_s(kept, tmp_path):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(kept.process.pid, number)
    assert os.listdir(kept.mount) == []
    kept.end()
    assert gone(kept, tmp_path)
