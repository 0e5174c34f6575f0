"""The watcher with real sockets: plugins come, go, come back, and are there before it."""

import signal
import subprocess
import sys

import pytest
from tests.csi.identity import IDENTITY, Identity
from tests.kubelet.plugins import NODE, Node, PluginProcess, serve
from tests.running import until

from csiproxy.csi import address, v1_pb2
from csiproxy.csi.calling import Caller
from csiproxy.kubelet.csi_drivers import PLUGIN_TYPE, CsiDrivers
from csiproxy.kubelet.paths import Drive
from csiproxy.kubelet.watcher import PluginWatcher


class Ground:
    r"""A drive C: whose ``\reg`` is watched."""

    def __init__(self, directory):
        self.directory = directory
        self.drive = Drive(str(directory))
        self.drivers = CsiDrivers(
            lambda path: Caller(address.channel(self.drive.on_host(path)), v1_pb2.DESCRIPTOR)
        )
        self.plugins = []
        self.failures = []
        self.watcher = None

    def watch(self, spelling=r"\reg"):
        self.watcher = PluginWatcher(
            spelling, self.drive, {PLUGIN_TYPE: self.drivers}, lambda *what: self.failures.append(what),
            first_pause=0.01,
        )  # fmt: skip
        self.watcher.start()

    def plugin(self, name="a.b", **options):
        self.plugins.append(PluginProcess(self.directory, name, **options))
        return self.plugins[-1]

    def names(self):
        return {driver.name for driver in self.drivers.all() if driver.node_id}

    def close(self):
        if self.watcher:
            self.watcher.stop()
        for plugin in self.plugins:
            plugin.close()


@pytest.fixture
def ground(short_directory):
    it = Ground(short_directory)
    yield it
    it.close()


@pytest.mark.parametrize("spelling", [r"C:\reg", r"c:\REG", r"\reg", "/reg", "C:/reg"])
def test_a_plugin_comes_and_goes_however_the_directory_is_spelt(ground, spelling):
    if spelling == r"c:\REG":
        (ground.directory / "REG").symlink_to("reg")
    (ground.directory / "reg").mkdir()
    ground.watch(spelling)
    plugin = ground.plugin()
    until(lambda: plugin.told == [(True, "")])
    assert ground.names() == {"a.b"}
    plugin.close()
    until(lambda: ground.names() == set())
    assert ground.watcher.plugins() == ()


def test_a_plugin_that_was_there_before_is_registered_too(ground):
    plugin = ground.plugin()
    (ground.directory / "reg" / "ordinary").write_text("x")
    ground.watch()
    until(lambda: plugin.told == [(True, "")])


def test_a_registrar_that_is_started_again_is_registered_again(ground):
    ground.watch()
    plugin = ground.plugin()
    until(lambda: len(plugin.told) == 1)
    plugin.restart_registrar()
    until(lambda: len(plugin.told) == 2)
    assert ground.names() == {"a.b"}


def test_two_plugins_of_one_name_are_not_both_taken_and_the_second_gets_its_turn(ground):
    ground.watch()
    first = ground.plugin()
    until(lambda: first.told)
    second = ground.plugin(file="other")
    until(lambda: second.told and not second.told[0][0])
    assert "registered already" in second.told[0][1]
    first.close()
    until(lambda: second.told[-1] == (True, ""))


def test_a_dead_socket_does_no_harm_and_its_successor_is_taken(ground, short_directory):
    (ground.directory / "reg").mkdir()
    dead = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1])"
    subprocess.run([sys.executable, "-c", dead, str(ground.directory / "reg" / "a.b-reg.sock")], check=True)
    ground.watch()
    other = ground.plugin("c.d")
    until(lambda: ground.names() == {"c.d"} and ground.failures)
    ground.plugin()
    until(lambda: ground.names() == {"a.b", "c.d"})
    assert other.told == [(True, "")]


def test_the_registrar_and_the_watcher_find_each_other(ground, short_directory):
    """The two programs of this project, with nothing between them."""
    ground.watch()
    driver = serve(short_directory / "csi.sock", NODE, Node())
    identity = serve(short_directory / "id.sock", IDENTITY, Identity("x.y"))
    command = [
        sys.executable, "-m", "csiproxy", "registrar", f"--csi-address={short_directory}/id.sock",
        f"--plugin-registration-path={short_directory}/reg", r"--kubelet-registration-path=C:\csi.sock",
    ]  # fmt: skip
    registrar = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until(lambda: ground.names() == {"x.y"})
        registrar.send_signal(signal.SIGTERM)
        assert registrar.wait(60) == 0
        until(lambda: ground.names() == set())
    finally:
        registrar.kill()
        registrar.wait(60)
        driver.stop(0)
        identity.stop(0)
