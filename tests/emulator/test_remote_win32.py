"""The Win32 half of the port through the entrance, against the same half in the node's own process."""

import os
import threading
from contextlib import suppress

import pytest
from tests.emulated import NO_VOLUME, EmulatedNode
from tests.emulator.entered import entered
from tests.emulator.ground import open_descriptors

from csiproxy.emulator.pool import Connection
from csiproxy.emulator.remote_win32 import MOST_IDLE
from csiproxy.errors import HostError, HostUnreachable, Win32Error
from csiproxy.host.win32 import EntryKind

BASE = r"C:\var\lib\kubelet"


@pytest.fixture
def node(tmp_path):
    node = EmulatedNode(tmp_path)
    yield node
    node.close()


@pytest.fixture
def far(node, tmp_path):
    with entered(node.machine, str(tmp_path / "token")) as far:
        yield far


@pytest.fixture
def win32(far):
    return far.host().win32


def test_a_pods_way_through_the_namespace(node, win32):
    volume = node.volume()
    with win32.open_root(BASE) as root:
        win32.create_directory(root, "staging")
        win32.set_mount_point(root, "staging", volume.id)
        assert win32.entry(root, "STAGING").kind is EntryKind.MOUNT_POINT
        assert win32.mount_points(volume.id) == [BASE + r"\staging"]
        with win32.open_mounted(root, "staging") as mounted:
            assert win32.final_path(mounted) == volume.id.rstrip("\\")
            win32.create_directory(mounted, "data")
        with win32.open_child(root, "pods") as pods:
            win32.set_link(pods, "link", BASE + r"\staging", replace=False)
            [link] = [entry for entry in win32.entries(pods) if entry.name == "link"]
            assert (link.kind, link.target) == (EntryKind.SYMBOLIC_LINK, BASE + r"\staging")
            win32.remove(pods, "link", EntryKind.SYMBOLIC_LINK)
            assert win32.final_path(pods) == BASE + r"\pods"
        win32.delete_mount_point(root, "staging", volume.id)
        win32.remove(root, "staging", EntryKind.DIRECTORY)
        assert "staging" not in [entry.name for entry in win32.entries(root)]
    assert os.listdir(volume.files) == ["data"]


def test_marks_and_drivers_are_asked_of_the_node(node, win32):
    assert not win32.remembers("mark")
    win32.remember("mark")
    assert node.host.win32.remembers("mark")
    assert win32.marks("ma") == ["mark"]
    win32.forget("mark")
    assert win32.marks("") == []
    number = node.attach()
    path = next(disk.path for disk in node.storage.disks.all() if disk.number == number)
    assert win32.storage_device(path) == node.host.win32.storage_device(path)


REFUSED = {
    "no such root": (lambda win32, _: win32.open_root(r"C:\none"), 2),
    "no such drive": (lambda win32, _: win32.open_root("X:\\"), 15),
    "no such child": (lambda win32, root: win32.open_child(root, "none"), 2),
    "no mount point": (lambda win32, root: win32.open_mounted(root, "pods"), 4390),
    "no such name": (lambda win32, root: win32.entry(root, "none"), 2),
    "a name that is there": (lambda win32, root: win32.create_directory(root, "pods"), 183),
    "a path for a name": (lambda win32, root: win32.open_child(root, r"pods\x"), 123),
    "no such volume": (lambda win32, root: win32.set_mount_point(root, "empty", NO_VOLUME), 1168),
    "no such disk": (lambda win32, _: win32.storage_device("x"), 2),
}


@pytest.mark.parametrize("case", REFUSED)
def test_failures_carry_the_nodes_codes(node, win32, case):
    node.make(BASE + r"\empty")
    call, code = REFUSED[case]
    with win32.open_root(BASE) as root, pytest.raises(Win32Error) as failure:
        call(win32, root)
    assert failure.value.windows_code == code
    with node.host.win32.open_root(BASE) as root, pytest.raises(Win32Error) as failure:
        call(node.host.win32, root)
    assert failure.value.windows_code == code


def test_a_closed_directory_and_one_of_another_host_are_invalid_handles(node, far, win32):
    directory = win32.open_root(BASE)
    directory.close()
    directory.close()
    with node.host.win32.open_root(BASE) as near:
        for one in (directory, near):
            with pytest.raises(Win32Error) as failure:
                win32.entries(one)
            assert failure.value.windows_code == 6


def test_a_lock_excludes_others_and_is_free_when_its_holder_goes(node, far):
    holder, other = far.host().win32, far.host().win32
    with holder.mutex("m", 1.0):
        with pytest.raises(Win32Error) as failure, other.mutex("m", 0.0):
            pass
        assert failure.value.windows_code == 258
        with holder.mutex("another", 0.0), node.host.win32.mutex("third", 0.0):
            pass
    with other.mutex("m", 0.0):
        pass
    holding = holder.mutex("m", 1.0)
    holding.__enter__()
    for lane in list(holder._open):
        lane.close()  # as when the holder's process dies
    with other.mutex("m", 30.0):
        pass
    with suppress(HostError):
        holding.__exit__(None, None, None)


def test_many_threads_walk_at_once_and_nothing_stays_open(far, win32):
    with win32.open_root(BASE) as root:
        win32.entries(root)
    before = open_descriptors()
    failures = []

    def walk() -> None:
        try:
            for _ in range(5):
                with win32.open_root(BASE) as root, win32.open_child(root, "pods") as pods:
                    assert win32.final_path(pods) == BASE + r"\pods"
        except Exception as error:  # noqa: BLE001 - the test's very question
            failures.append(error)

    threads = [threading.Thread(target=walk) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert (len(win32._idle) <= MOST_IDLE, win32._open) == (True, {})
    for lane in win32._idle:
        lane.close()
    for thread in threading.enumerate():
        if thread.name == "connection":
            thread.join(1)
    assert open_descriptors() <= before


def test_what_was_open_is_gone_with_the_connection_and_the_next_walk_is_a_new_one(far, win32):
    root = win32.open_root(BASE)
    root.lane.close()
    for _ in range(2):
        with pytest.raises(HostUnreachable):
            win32.entries(root)
    root.close()
    with win32.open_root(BASE) as again:
        assert win32.entries(again)


def test_when_the_node_has_gone_it_is_unreachable(node, tmp_path):
    with entered(node.machine, str(tmp_path / "token")) as far:
        win32 = far.host().win32
        root = win32.open_root(BASE)
    for call in (
        lambda: win32.entries(root),
        lambda: win32.open_root(BASE),
        lambda: win32.mount_points(NO_VOLUME),
    ):
        with pytest.raises(HostUnreachable):
            call()
    root.close()


def test_a_connection_is_what_the_pool_does_not_count(far):
    host = far.host()
    connection = host.win32._connect()
    assert isinstance(connection, Connection)
    connection.close()
