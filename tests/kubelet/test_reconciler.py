"""The reconciler with plugins that fail as often as a test wants."""

import threading

import pytest
from tests.running import until

from csiproxy.kubelet.reconciler import Reconciler
from csiproxy.kubelet.registration import Refused
from csiproxy.kubelet.worlds import ActualWorld, DesiredWorld, Plugin


class Scripted:
    """Registers after ``failures`` tries; counts tries by path, and how many ran at once."""

    def __init__(self, actual: ActualWorld, failures: int = 0) -> None:
        self.actual = actual
        self.failures = failures
        self.tries: list[str] = []
        self.gone: list[str] = []
        self.hold: dict[str, threading.Event] = {}
        self.running: list[str] = []
        self.overlaps = 0

    def register(self, socket):
        if socket.path in self.running:
            self.overlaps += 1
        self.running.append(socket.path)
        try:
            self.tries.append(socket.path)
            if socket.path in self.hold:
                assert self.hold[socket.path].wait(60)
            if self.tries.count(socket.path) <= self.failures:
                raise Refused("not yet")
            self.actual.add(Plugin(socket, "CSIPlugin", socket.path, ""))
        finally:
            self.running.remove(socket.path)

    def unregister(self, plugin):
        self.gone.append(plugin.name)
        self.actual.remove(plugin)


class Ground:
    def __init__(self, failures=0):
        self.desired, self.actual = DesiredWorld(), ActualWorld()
        self.scripted = Scripted(self.actual, failures)
        self.failed = []
        self.reconciler = Reconciler(
            self.desired, self.actual, self.scripted, lambda *what: self.failed.append(what), 0.01
        )
        self.reconciler.start()

    def add(self, path):
        self.desired.add(path)
        self.reconciler.wake()

    def names(self):
        return {plugin.name for plugin in self.actual.snapshot().values()}


@pytest.fixture
def ground():
    grounds = []

    def make(failures=0):
        grounds.append(Ground(failures))
        return grounds[-1]

    yield make
    for made in grounds:
        made.reconciler.stop()


def test_what_fails_is_tried_again_until_it_works_and_each_failure_is_told(ground):
    it = ground(failures=3)
    it.add(r"c:\a")
    until(lambda: it.names() == {r"c:\a"})
    assert it.scripted.tries == [r"c:\a"] * 4
    assert [str(error) for _, error in it.failed] == ["not yet"] * 3


def test_one_that_hangs_holds_up_no_other_and_is_not_begun_twice(ground):
    it = ground()
    it.scripted.hold[r"c:\slow"] = threading.Event()
    it.add(r"c:\slow")
    until(lambda: it.scripted.running)
    for name in "abc":
        it.add(rf"c:\{name}")
    until(lambda: it.names() == {r"c:\a", r"c:\b", r"c:\c"})
    it.scripted.hold[r"c:\slow"].set()
    until(lambda: len(it.names()) == 4)
    assert it.scripted.overlaps == 0
    assert it.scripted.tries.count(r"c:\slow") == 1


def test_one_that_goes_while_it_is_registered_is_let_go_of_afterwards(ground):
    it = ground()
    it.scripted.hold[r"c:\a"] = threading.Event()
    it.add(r"c:\a")
    until(lambda: it.scripted.running)
    it.desired.remove(r"c:\a")
    it.reconciler.wake()
    it.scripted.hold[r"c:\a"].set()
    until(lambda: it.scripted.gone == [r"c:\a"])
    assert it.names() == set()


def test_one_that_is_made_anew_is_registered_anew(ground):
    it = ground()
    it.add(r"c:\a")
    until(lambda: it.names())
    it.add(r"c:\a")
    until(lambda: it.scripted.gone == [r"c:\a"] and it.names())
    assert it.scripted.tries == [r"c:\a"] * 2


def test_one_that_is_gone_is_not_tried_again(ground):
    it = ground(failures=10**6)
    it.add(r"c:\a")
    until(lambda: len(it.failed) >= 2)
    it.desired.remove(r"c:\a")
    it.reconciler.wake()
    it.add(r"c:\b")
    until(lambda: it.scripted.tries.count(r"c:\b") >= 3)
    tried = it.scripted.tries.count(r"c:\a")
    until(lambda: it.scripted.tries.count(r"c:\b") >= 5)
    assert it.scripted.tries.count(r"c:\a") == tried
