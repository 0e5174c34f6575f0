"""csi-driver-smb's calls carry a volume through its life: once, twice, and with each reply lost."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tests import leaks
from tests.conformance.smb_driver import SmbDriver, Volume
from tests.crash.calls import Request
from tests.emulated import PLUGINS, PODS, EmulatedNode
from tests.running import Running
from tests.samba import HOST, USER, Samba
from tests.thoroughness import THOROUGH

from csiproxy.cli.json_message import plain
from csiproxy.emulator.faults import Action, Fault
from csiproxy.emulator.smb_shares import Show
from csiproxy.rpc.status import RpcError

pytestmark = pytest.mark.foreign
CONTRACTS = ["filesystem/v1", "smb/v1", "filesystem/v1beta1", "smb/v1beta1"]
# The steps that change the node; with thoroughness, the first so many of any kind.
CHANGES = [
    *((step, 1) for step in ("MSFT_SmbGlobalMapping.Create", "MSFT_SmbGlobalMapping.Remove")),
    *((step, nth) for step in ("set_link", "remove_link") for nth in (1, 2)),
]
STEPS = [("*", nth) for nth in range(1, 60)] if THOROUGH else CHANGES


class Kubelet:
    """Calls a driver as kubelet does: again from the beginning, when a call fails."""

    def __init__(self, directory: Path, samba: Samba, *, beta: bool) -> None:
        self.directory, self.samba = directory, samba
        user = samba.user()
        self.behind = samba.share()
        self.running = Running(directory, CONTRACTS)
        self.running.control.set_smb_server("files", HOST, samba.port)
        self.driver = SmbDriver(self._call, self.on_host, beta=beta)
        self.volume = Volume(
            "c" + PLUGINS[1:] + r"\smb\hash\globalmount",
            "c" + PODS[1:] + r"\uid\volumes\kubernetes.io~csi\pv\mount",
            "//files/data",
            user,
            samba.passwords[USER],
        )
        self.lost = 0

    def on_host(self, path: str) -> str:
        return os.path.join(self.running.node.path, "c", *path.split("\\")[1:])

    def _call(self, contract: str, rpc: str, fields: Mapping[str, object]) -> Mapping[str, object]:
        request = Request(contract, rpc, fields)
        reply = self.running.proxy._channels.setdefault(contract, self.running.proxy.channel(request)).call(
            request.path, request.message, timeout=60
        )
        return plain(request.method.reply.FromString(reply))

    def until_done(self, call: Callable[..., None], *arguments: object) -> None:
        for _ in range(3):
            try:
                call(*arguments)
            except RpcError as error:
                assert error.code.name == "UNAVAILABLE", error
                self.lost += 1
            else:
                return
        raise AssertionError("it never succeeds")

    def link_target(self) -> str:
        """Where the staging link leads, as the driver reads it; "" without one."""
        path = self.volume.staging
        with self.running.host.win32.open_root("C" + path.rpartition("\\")[0][1:]) as parent:
            entries = {entry.name: entry.target for entry in self.running.host.win32.entries(parent)}
        return entries.get(path.rpartition("\\")[2], "")

    def mapped(self) -> list[str]:
        return [one.text("RemotePath") for one in self.running.host.cim.instances("MSFT_SmbGlobalMapping")]

    def close(self) -> None:
        self.running.close()
        leaks.search(self.directory)
        shutil.rmtree(self.directory)


@pytest.fixture(params=[False, True], ids=["v1", "beta"])
def beta(request) -> bool:
    return request.param


@pytest.fixture
def start(samba, beta) -> Iterator[Callable[[Show], Kubelet]]:
    started: list[Kubelet] = []

    def start(show: Show) -> Kubelet:
        directory = Path(tempfile.mkdtemp(prefix="cp-", dir="/tmp"))
        EmulatedNode(directory, smb_files=show).close()  # the node remembers what it is to show
        started.append(Kubelet(directory, samba, beta=beta))
        return started[-1]

    yield start
    for kubelet in started:
        kubelet.close()


@pytest.mark.parametrize("times", [1, 2])
def test_a_volume_is_staged_published_used_and_taken_back(start, foreign, times):
    foreign("fusermount3")
    kubelet = start(Show.FUSE)
    driver, volume = kubelet.driver, kubelet.volume
    for call in (driver.stage, driver.publish):
        for _ in range(times):
            call(volume)
    target = kubelet.link_target()
    assert target == r"\\files\data" + "\\"
    Path(kubelet.on_host(volume.published), "pod").write_text("data")
    assert (kubelet.behind / "pod").read_text() == "data"
    for _ in range(times):
        driver.unpublish(volume)
        driver.unstage(
            volume, kubelet.link_target() if os.path.lexists(kubelet.on_host(volume.staging)) else ""
        )
    assert not os.path.lexists(kubelet.on_host(volume.published))
    assert not os.path.lexists(kubelet.on_host(volume.staging))
    assert kubelet.mapped() == []
    assert (kubelet.behind / "pod").read_text() == "data"


def test_each_reply_may_be_lost(start, beta):
    kubelet = start(Show.NONE)
    driver, volume, control = kubelet.driver, kubelet.volume, kubelet.running.control
    for step, nth in STEPS:
        kubelet.lost = 0
        control.order(Fault(step, Action.LOSE, nth=nth))
        kubelet.until_done(driver.stage, volume)
        kubelet.until_done(driver.publish, volume)
        assert kubelet.mapped() == [r"\\files\data"]
        kubelet.until_done(driver.unpublish, volume)
        kubelet.until_done(driver.unstage, volume, r"\\files\data")
        control.clear_faults()
        assert THOROUGH or kubelet.lost == 1, (step, nth)
        assert not os.path.lexists(kubelet.on_host(volume.published))
        assert not os.path.lexists(kubelet.on_host(volume.staging))
        assert kubelet.mapped() == []
