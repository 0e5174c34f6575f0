"""Proxy, node or target die in the middle of an iSCSI disk's life: nothing is left behind, and it goes on."""

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crash.calls import Outcome, Request
from tests.emulated import PLUGINS
from tests.iscsi_target import SECRET, TARGET_SECRET, USER, TargetServer
from tests.running import Running, until
from tests.thoroughness import THOROUGH

from csiproxy.emulator.faults import Action, Fault, When
from csiproxy.emulator.machine import Machine
from csiproxy.emulator.volume import StoreKind

pytestmark = pytest.mark.foreign
SERVICE, DISK, VOLUME, FILESYSTEM = "csi-proxy/v1beta1", "disk/v1", "volume/v1", "filesystem/v1"
ISCSI, SYSTEM = "iscsi/v1alpha2", "system/v1alpha1"
STAGING = PLUGINS + r"\pv\globalmount"
MUTUAL = 2
# Where to kill: at what changes something, or with thoroughness everywhere.
STEPS = "*" if THOROUGH else "MSFT_*.*"


class Ground:
    """A node and a proxy as processes, a target, and the calls of a claim's life on it."""

    def __init__(self, directory, server: TargetServer) -> None:
        self.server = server
        self.running = Running(directory, [SERVICE, DISK, VOLUME, FILESYSTEM, ISCSI, SYSTEM])
        self.iqn = server.offer(chap="mutual")
        lun = {
            "node_iqn": self.iqn,
            "auth_type": MUTUAL,
            "session_chap_username": USER,
            "session_chap_secret": SECRET,
            "initiator_chap_secret": TARGET_SECRET,
            "target_portal_address": server.address,
            "target_portal_port": server.port,
            "lun": 1,
        }
        self.mount = Request(SERVICE, "MountISCSILun", lun)
        self.unmount = Request(SERVICE, "UnmountISCSILun", {"node_iqn": self.iqn})
        self.done(Request(SYSTEM, "StartService", {"name": "MSiSCSI"}))

    def call(self, request: Request) -> Outcome:
        return self.running.proxy.call(request)

    def done(self, request: Request) -> str:
        outcome = self.call(request)
        assert not outcome.failure, (request.rpc, outcome)
        return outcome.reply

    def volume(self) -> str:
        """Bring the LUN to a mounted volume; the path of a file on it, on the host."""
        self.done(self.mount)
        self.done(Request(DISK, "PartitionDisk", {"disk_number": 1}))
        [disk] = [disk for disk in self.running.control.list() if disk.number == 1]
        volume = {"volume_id": disk.volumes[0].name}
        if self.call(Request(VOLUME, "FormatVolume", volume)).failure:
            assert "True" in self.done(Request(VOLUME, "IsVolumeFormatted", volume))
        if "True" not in self.done(Request(FILESYSTEM, "PathExists", {"path": STAGING})):
            self.done(Request(FILESYSTEM, "Mkdir", {"path": STAGING}))
        self.done(Request(VOLUME, "MountVolume", {**volume, "target_path": STAGING}))
        self.stats = Request(VOLUME, "GetVolumeStats", volume)
        return self.running.node.path + "/c/" + STAGING[3:].replace("\\", "/") + "/data"

    def has_its_volume(self) -> bool:
        """Whether the LUN can be read; asked of the node, as the proxy's trail is a pipe that fills up."""
        [disk] = [disk for disk in self.running.control.list() if disk.number == 1]
        return [volume.problem for volume in disk.volumes] == [""]

    def close(self) -> None:
        self.running.close()


@pytest.fixture
def ground(directory, target_server) -> Iterator[Ground]:
    ground = Ground(directory, target_server)
    yield ground
    ground.close()


@pytest.fixture
def real(directory, target_server, mounting) -> Iterator[Ground]:
    """The same with real file systems on the LUNs."""
    Machine(str(directory / "node"), volumes=StoreKind.IMAGE).close()  # the node keeps the choice
    ground = Ground(directory, target_server)
    yield ground
    ground.close()
    assert left_of(directory) == []


def left_of(directory) -> list[str]:
    """Mounts and loop devices that have to do with a directory."""
    mounts = Path("/proc/mounts").read_text().splitlines()
    devices = [path.read_text().strip() for path in Path("/sys/block").glob("loop*/loop/backing_file")]
    return [line for line in [*mounts, *devices] if str(directory) in line]


def revive(ground: Ground, action: Action) -> None:
    if action is Action.KILL_CALLER:
        assert ground.running.proxy.has_died() == -signal.SIGKILL
        ground.running.restart_proxy()
    if action is Action.KILL_NODE:
        ground.running.restart_node()


@pytest.mark.parametrize("when", When if THOROUGH else [When.AFTER])
@pytest.mark.parametrize("action", [Action.KILL_CALLER, Action.KILL_NODE, Action.LOSE])
def test_a_mount_and_an_unmount_that_were_cut_off_anywhere_are_finished_by_the_next_call(
    ground, action, when
):
    ground.done(ground.mount)
    mounted = ground.done(ground.mount)
    ground.done(ground.unmount)
    for before, request, reply, sessions in (
        (ground.unmount, ground.mount, mounted, 1),
        (ground.mount, ground.unmount, "{}", 0),
    ):
        for nth in itertools.count(1):
            ground.done(before)
            ground.running.control.order(Fault(STEPS, action, nth=nth, when=when))
            outcome = ground.call(request)
            if not outcome.failure:  # there was no such step any more
                break
            revive(ground, action)
            assert ground.done(request) in (reply, "{'error_code': 0}")
            until(lambda sessions=sessions: ground.server.sessions(ground.iqn) == sessions)
        ground.running.control.clear_faults()
        assert nth > 1


def test_a_node_that_is_killed_leaves_no_session_and_no_disk(ground):
    ground.volume()
    ground.running.node.kill()
    until(lambda: not ground.server.sessions(ground.iqn))
    ground.running.restart_node()
    assert [disk.number for disk in ground.running.control.list()] == [0]


def test_after_a_kill_of_the_node_the_same_calls_lead_to_the_same_data(ground):
    path = ground.volume()
    with open(path, "w") as file:
        file.write("precious")
    ground.running.node.kill()
    ground.running.restart_node()
    assert ground.volume() == path
    with open(path) as file:
        assert file.read() == "precious"


def test_a_killed_node_leaves_no_file_system_of_a_lun_behind_and_finds_its_data_again(real, directory):
    path = real.volume()
    with open(path, "w") as file:
        file.write("precious")
        file.flush()
        os.fsync(file.fileno())
    real.running.node.kill()
    until(lambda: not real.server.sessions(real.iqn))
    real.running.restart_node()
    until(lambda: left_of(directory) == [])
    assert real.volume() == path
    with open(path) as file:
        assert file.read() == "precious"
    real.done(Request(VOLUME, "UnmountVolume", {**real.stats.fields, "target_path": STAGING}))
    real.done(real.unmount)
    assert left_of(directory) == []
    with open(real.server.image(), "rb") as file:
        assert b"precious" in file.read()


def test_a_persistent_session_is_logged_in_again_by_a_node_that_was_killed(ground):
    iqn = ground.server.offer("open")
    portal = {"target_address": ground.server.address, "target_port": ground.server.port}
    ground.done(Request(ISCSI, "AddTargetPortal", {"target_portal": portal}))
    ground.done(Request(ISCSI, "ConnectTarget", {"target_portal": portal, "iqn": iqn}))
    [session] = ground.running.host.cim.instances("MSFT_iSCSISession")
    assert ground.running.host.cim.invoke(session, "Register").return_value == 0
    ground.running.node.kill()
    ground.running.restart_node()
    until(lambda: [disk.present for disk in ground.running.control.list()] == [True, True])
    assert ground.server.sessions(iqn) == 1
    ground.done(Request(ISCSI, "DisconnectTarget", {"target_portal": portal, "iqn": iqn}))
    assert ground.server.sessions(iqn) == 0
    ground.running.node.kill()
    ground.running.restart_node()
    assert [disk.number for disk in ground.running.control.list()] == [0]


@pytest.mark.parametrize("trouble", ["freeze", "kill"])
def test_a_target_that_stops_in_mid_life_gives_errors_and_none_hangs_and_then_all_goes_on(ground, trouble):
    path = ground.volume()
    with open(path, "w") as file:
        file.write("precious")
    getattr(ground.server, trouble)()
    assert ground.call(ground.stats).failure
    assert ground.call(ground.stats).failure
    assert not ground.call(Request(DISK, "GetDiskStats", {"disk_number": 0})).failure
    assert ground.call(Request(VOLUME, "WriteVolumeCache", dict(ground.stats.fields))).failure
    if trouble == "freeze":
        ground.server.thaw()
    else:
        ground.server.start()
    until(ground.has_its_volume)
    ground.done(ground.stats)
    ground.done(Request(VOLUME, "WriteVolumeCache", dict(ground.stats.fields)))
    with open(path) as file:
        assert file.read() == "precious"
    ground.done(Request(VOLUME, "UnmountVolume", {**ground.stats.fields, "target_path": STAGING}))
    ground.done(ground.unmount)
    assert ground.server.sessions(ground.iqn) == 0


def test_a_node_that_stops_while_its_target_is_frozen_ends(ground):
    ground.volume()
    ground.server.freeze()
    ground.running.node.stop()
    ground.server.thaw()
    until(lambda: not ground.server.sessions(ground.iqn))


def test_a_node_without_the_library_says_which_package_is_missing(directory, tmp_path, monkeypatch):
    (tmp_path / "libiscsi.so.7").touch()  # found first, and no library
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    running = Running(directory, [ISCSI, SYSTEM])
    running.proxy.call(Request(SYSTEM, "StartService", {"name": "MSiSCSI"}))
    portal = {"target_address": "127.0.0.1", "target_port": 1}
    outcome = running.proxy.call(Request(ISCSI, "AddTargetPortal", {"target_portal": portal}))
    assert outcome.failure == "FAILED_PRECONDITION"
    records = [running.proxy.record() for _ in range(2)]
    assert "libiscsi7" in str(records[-1])
    running.close()
