r"""The plugin is killed before and after each of its calls to the proxy; the next one finishes the job.

A kill between two calls is a kill after the first or before the second, as what lies between them is written
down before the next call is made.
"""

import pytest
from tests.node.plugin.ground import DRIVER, Plugin

from csiproxy.client import over
from csiproxy.client.wire import Wire
from csiproxy.csi import v1_pb2
from csiproxy.csi.serving import method_name
from csiproxy.node.plugin.node import NodeInfo
from csiproxy.node.plugin.program import services
from csiproxy.node.plugin.settings import Settings
from csiproxy.rpc.call import Call
from csiproxy.rpc.stream import Peer


class Killed(BaseException):
    """The process is no more."""


class MortalTransport(Wire):
    """Carries calls until the one at which the process dies, before it is made or after it was answered."""

    def __init__(self, directory: str, last: int | None = None, *, after: bool = False) -> None:
        super().__init__(directory, connections=1)
        self.calls: list[str] = []
        self._last, self._after = last, after
        self._dead = False

    def call(self, endpoint, method, message, timeout):
        dying = len(self.calls) == self._last
        if self._dead or (dying and not self._after):
            self._dead = True
            raise Killed
        self.calls.append(method)
        reply = super().call(endpoint, method, message, timeout)
        if dying:
            self._dead = True
            raise Killed
        return reply


class Life:
    """One life of a plugin: services on what earlier lives have written down."""

    def __init__(self, plugin: Plugin, directory, last: int | None = None, *, after: bool = False) -> None:
        self.transport = MortalTransport(str(plugin.node.endpoints), last, after=after)
        settings = Settings(
            driver=DRIVER, socket="", state=str(directory / "state"), proxy=None, drive_c=None,
            info=NodeInfo("node-1"), ready_fd=None,
        )  # fmt: skip
        self._services = services(settings, over(self.transport))

    def close(self) -> int:
        """End it; how many calls the proxy got."""
        self.transport.close()
        return len(self.transport.calls)

    def call(self, request):
        name = type(request).__name__.removesuffix("Request")
        [node] = [s for service, s in self._services.items() if service.name == "Node"]
        getattr(node, method_name(name))(request, Call("e", "m", b"", Peer(None, None)))


def bring_up(plugin: Plugin, publish: dict[str, str], context: dict[str, str]):
    return [
        plugin.stage_request("v", publish, volume_context=context),
        plugin.publish_request("v", "pod", volume_context=context),
    ]


def take_down(plugin: Plugin):
    return [
        v1_pb2.NodeUnpublishVolumeRequest(volume_id="v", target_path=plugin.target_path("pod")),
        v1_pb2.NodeUnstageVolumeRequest(volume_id="v", staging_target_path=plugin.staging_path_only("v")),
    ]


def play(plugin, directory, requests, last=None, *, after=False) -> int | None:
    """Make the calls, and those cut short by a death again; how many the proxy got, None after a death."""
    life = Life(plugin, directory, last, after=after)
    died = False
    for request in requests:
        try:
            life.call(request)
        except Killed:
            died = True
            life.close()
            life = Life(plugin, directory)
            life.call(request)
    calls = life.close()
    return None if died else calls


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_disks_life_goes_on_from_every_point(plugin, short_directory, after):
    _, publish = plugin.disk()
    up, down = bring_up(plugin, publish, {}), take_down(plugin)
    file = plugin.pod_directory("pod") / "file"
    number = play(plugin, short_directory, up)
    file.write_text("kept")
    play(plugin, short_directory, down)
    for last in range(number):
        play(plugin, short_directory, up, last, after=after)
        assert file.read_text() == "kept"
        play(plugin, short_directory, down, last, after=after)
        assert not file.parent.exists()
        assert not plugin.node.control.list()[1].volumes[0].mount_points
        assert plugin.node.control.list()[1].offline


def test_the_first_life_of_a_disk_may_end_at_every_point(plugin, short_directory):
    """The disk is raw: partitioning and formatting are interrupted, too."""
    last = 0
    while True:
        _, publish = plugin.disk()
        survived = play(plugin, short_directory, bring_up(plugin, publish, {}), last, after=True)
        (plugin.pod_directory("pod") / "file").write_text("x")
        play(plugin, short_directory, take_down(plugin))
        last += 1
        if survived is not None:
            return
