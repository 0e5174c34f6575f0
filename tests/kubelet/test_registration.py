"""One plugin's registration, with handlers that say what they are told."""

import pytest
from tests.kubelet.plugins import PluginProcess

from csiproxy.csi import address
from csiproxy.csi import pluginregistration_pb2 as wire
from csiproxy.csi.calling import Caller
from csiproxy.errors import Code
from csiproxy.kubelet.registration import Refused, Registrar
from csiproxy.kubelet.worlds import ActualWorld, Wanted
from csiproxy.rpc.status import RpcError


class Recording:
    """A handler that refuses where it is told to."""

    def __init__(self, refuses: str = "") -> None:
        self.refuses = refuses
        self.calls: list[str] = []

    def _hear(self, call: str, plugin) -> None:
        self.calls.append(f"{call} {plugin.name} {plugin.endpoint} {','.join(plugin.versions)}")
        if call == self.refuses:
            raise Refused(f"no {call}")

    def validate(self, plugin):
        self._hear("validate", plugin)

    def register(self, plugin):
        self._hear("register", plugin)

    def deregister(self, name, endpoint):
        self.calls.append(f"deregister {name} {endpoint}")


class Ground:
    def __init__(self, directory, handler, **plugin) -> None:
        self.plugin = PluginProcess(directory, "a.b", **plugin)
        self.actual = ActualWorld()
        self.registrar = Registrar(
            self.actual,
            {"CSIPlugin": handler},
            lambda _: Caller(address.channel(str(self.plugin.socket)), wire.DESCRIPTOR),
        )

    def register(self):
        self.registrar.register(Wanted(r"c:\reg\a.sock", 1))

    def names(self):
        return [plugin.name for plugin in self.actual.snapshot().values()]


@pytest.fixture
def ground(short_directory):
    grounds = []

    def make(handler, **plugin):
        grounds.append(Ground(short_directory, handler, **plugin))
        return grounds[0]

    yield make
    for made in grounds:
        made.plugin.close()


def test_a_plugin_is_taken_and_told_so(ground):
    handler = Recording()
    it = ground(handler, versions=("1.0.0", "0.3"), endpoint=r"\x.sock")
    it.register()
    assert handler.calls == [r"validate a.b \x.sock 1.0.0,0.3", r"register a.b \x.sock 1.0.0,0.3"]
    assert it.plugin.told == [(True, "")]
    assert it.names() == ["a.b"]
    [plugin] = it.actual.snapshot().values()
    it.registrar.unregister(plugin)
    assert handler.calls[-1] == r"deregister a.b \x.sock"
    assert it.names() == []


def test_a_plugin_without_an_endpoint_serves_on_its_registration_socket(ground):
    handler = Recording()
    ground(handler, endpoint="").register()
    assert handler.calls[0] == r"validate a.b c:\reg\a.sock 1.0.0"


def test_a_plugin_of_an_unknown_kind_is_told_that_nobody_takes_it(ground):
    it = ground(Recording(), kind="TeaPlugin")
    with pytest.raises(Refused):
        it.register()
    [(registered, error)] = it.plugin.told
    assert not registered
    assert "TeaPlugin" in error
    assert it.names() == []


def test_one_that_is_refused_at_first_sight_is_told_why_and_may_be_tried_again(ground):
    it = ground(Recording("validate"))
    with pytest.raises(Refused):
        it.register()
    assert it.plugin.told == [(False, "no validate")]
    assert it.names() == []


def test_one_that_cannot_be_taken_is_told_why_and_is_not_tried_again(ground):
    it = ground(Recording("register"))
    it.register()
    assert it.plugin.told == [(False, "plugin registration failed with err: no register")]
    assert it.names() == ["a.b"]


def test_a_socket_that_nobody_serves_is_unavailable(ground):
    it = ground(Recording())
    it.plugin.close()
    with pytest.raises(RpcError) as failed:
        it.register()
    assert failed.value.code is Code.UNAVAILABLE
