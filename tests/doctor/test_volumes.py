"""Each self-test of volumes is content with the emulated node, and finds out one that does otherwise."""

from dataclasses import replace

import pytest
from tests.windows.fake_calls import FakeCalls, FakeMarks

from csiproxy.doctor import volumes
from csiproxy.doctor.outcome import Differs
from csiproxy.errors import NotFound
from csiproxy.host import Host
from csiproxy.host.win32 import EntryKind
from csiproxy.windows.win32 import WindowsWin32

SELF_TESTS = (volumes.drive_letter, volumes.mount_point, volumes.mount_point_of_a_vanished_volume)


@pytest.mark.parametrize("self_test", SELF_TESTS)
def test_a_node_that_does_what_is_assumed_is_found_to(ground, self_test):
    assert self_test(ground)


def test_a_drive_that_is_not_found_is_a_failure(bent):
    with pytest.raises(NotFound):
        volumes.drive_letter(bent(MSFT_Volume=lambda _: []))


class Differing(WindowsWin32):
    """The adapter on a Windows that does something else."""

    def __init__(self, node, **does) -> None:
        super().__init__(FakeCalls(node.host.win32), node.host.win32.mutex, FakeMarks())
        self._does = does

    def entry(self, parent, name):
        found = super().entry(parent, name)
        return self._does["entry"](found) if "entry" in self._does else found

    def mount_points(self, volume):
        return self._does.get("mount_points", lambda found: found)(super().mount_points(volume))

    def final_path(self, directory):
        return self._does.get("final_path", lambda found: found)(super().final_path(directory))


def elsewhere(path: str) -> str:
    return r"\\?\Volume{0}" if path.startswith("\\\\") else path


@pytest.mark.parametrize(
    ("does", "text"),
    [
        ({"entry": lambda found: replace(found, kind=EntryKind.DIRECTORY)}, "it became"),
        ({"entry": lambda found: replace(found, target="x")}, "the mount point leads to x"),
        ({"mount_points": lambda found: []}, "names as its mount points"),
        ({"mount_points": lambda found: found or ["C:\\x"]}, "afterwards"),
        ({"final_path": elsewhere}, "the root of the volume says"),
    ],
)
def test_a_node_that_does_something_else_is_found_out(node, bent, does, text):
    plain = bent()
    ground = replace(plain, host=Host(plain.host.cim, Differing(node, **does)))
    with pytest.raises(Differs, match=text):
        volumes.mount_point(ground)
    assert not [name for name in node.names("C:\\") if "self-test" in name]
