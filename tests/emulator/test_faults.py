"""What was ordered happens at the step and time that were ordered, once, and never otherwise."""

import threading

import pytest

from csiproxy.emulator.faults import MOST_ORDERS, Action, Fault, FaultError, Faults, ReplyLost, When
from csiproxy.errors import HostError

DISTURBING = (Action.VANISH, Action.OFFLINE, Action.READ_ONLY)


class Disturbed:
    def __init__(self) -> None:
        self.done: list[tuple[Action, int]] = []

    def __call__(self, action: Action, disk: int) -> None:
        self.done.append((action, disk))


@pytest.fixture
def disturbed():
    return Disturbed()


@pytest.fixture
def faults(disturbed):
    return Faults(disturbed, ("A.b", "A.c", "B.b"))


def step(faults, name="A.b", log=None):
    def call():
        if log is not None:
            log.append("done")
        return "real"

    return faults.step(name, call, lambda code: f"failed {code}")


def test_without_orders_every_step_is_done(faults):
    assert step(faults) == "real"


def test_the_nth_matching_step_fails_once(faults):
    faults.order(Fault("A.*", Action.FAIL, nth=3, code=41002))
    found = [step(faults, name) for name in ("A.b", "B.b", "A.c", "A.b", "A.b")]
    assert found == ["real", "real", "real", "failed 41002", "real"]
    assert faults.pending() == ()


def test_a_failing_step_is_not_done(faults):
    log = []
    faults.order(Fault("*", Action.FAIL, code=5))
    step(faults, log=log)
    assert log == []


def test_a_lost_reply_is_lost_after_the_step_was_done(faults):
    log = []
    faults.order(Fault("A.b", Action.LOSE))
    with pytest.raises(ReplyLost):
        step(faults, log=log)
    assert log == ["done"]


@pytest.mark.parametrize("action", DISTURBING)
@pytest.mark.parametrize("when", When)
def test_a_disk_is_disturbed_on_the_side_of_the_step_that_was_ordered(faults, disturbed, action, when):
    faults.order(Fault("A.b", action, when=when, disk=3))
    seen = []
    faults.step("A.b", lambda: seen.append(list(disturbed.done)), lambda code: None)
    assert disturbed.done == [(action, 3)]
    assert seen == [[(action, 3)] if when is When.BEFORE else []]


def refuse():
    raise HostError("refused")


def test_the_reply_of_a_step_that_fails_by_itself_is_lost_too(faults):
    faults.order(Fault("A.b", Action.LOSE))
    with pytest.raises(ReplyLost):
        faults.step("A.b", refuse, str)


def test_what_comes_after_a_step_comes_also_when_the_step_fails_by_itself(faults, disturbed):
    faults.order(Fault("A.b", Action.VANISH, when=When.AFTER, disk=3))
    with pytest.raises(HostError, match="refused"):
        faults.step("A.b", refuse, str)
    assert disturbed.done == [(Action.VANISH, 3)]


def test_a_slow_step_is_done_all_the_same(faults):
    faults.order(Fault("A.b", Action.SLOW, seconds=0.01))
    assert step(faults) == "real"


def test_a_hanging_step_goes_on_when_the_faults_are_cleared(faults):
    faults.order(Fault("A.b", Action.HANG))
    found = []
    thread = threading.Thread(target=lambda: found.append(step(faults)))
    thread.start()
    while not faults.hung:
        thread.join(0.001)
    assert (found, step(faults)) == ([], "real"), "another step goes on"
    faults.clear()
    thread.join(10)
    assert (found, faults.hung) == (["real"], 0)


@pytest.mark.parametrize("gone", [False, True])
def test_a_step_that_was_held_up_goes_with_its_caller(faults, gone):
    log = []
    faults.order(Fault("A.b", Action.SLOW, seconds=0.01))
    with faults.calling(None, lambda: gone):
        if gone:
            with pytest.raises(ReplyLost, match="its caller ended"):
                step(faults, log=log)
        else:
            step(faults, log=log)
    assert log == ([] if gone else ["done"])


def test_a_slow_step_goes_on_when_the_faults_are_cleared(faults):
    faults.order(Fault("A.b", Action.SLOW, seconds=86400))
    found = []
    thread = threading.Thread(target=lambda: found.append(step(faults)))
    thread.start()
    while not faults.hung:
        thread.join(0.001)
    faults.clear()
    thread.join(10)
    assert found == ["real"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("", Action.HANG),
        Fault("A.b", Action.HANG, nth=0),
        Fault("A.b", Action.HANG, nth=-1),
        Fault("A.b", Action.FAIL),
        Fault("A.b", Action.FAIL, code=-1),
        Fault("A.b", Action.FAIL, code=1 << 32),
        Fault("A.b", Action.SLOW),
        Fault("A.b", Action.SLOW, seconds=-1),
        Fault("A.b", Action.SLOW, seconds=86401),
        Fault("A.b", Action.SLOW, seconds=float("nan")),
        Fault("A.b", Action.SLOW, seconds=float("inf")),
        *(Fault("A.b", action) for action in DISTURBING),
        Fault("A.b", Action.VANISH, disk=-1),
        Fault("A.d", Action.HANG),
        Fault("a.b", Action.HANG),
        Fault("C.*", Action.HANG),
    ],
    ids=repr,
)
def test_a_fault_that_could_never_happen_is_refused(faults, fault):
    with pytest.raises(FaultError):
        faults.order(fault)
    assert faults.pending() == ()


def test_orders_are_bounded(faults):
    for _ in range(MOST_ORDERS):
        faults.order(Fault("B.b", Action.HANG))
    with pytest.raises(FaultError, match="clear"):
        faults.order(Fault("B.b", Action.HANG))


def test_clearing_forgets_what_was_ordered(faults):
    faults.order(Fault("A.b", Action.FAIL, code=1))
    assert len(faults.pending()) == 1
    faults.clear()
    assert step(faults) == "real"


def test_orders_for_one_step_happen_in_their_order(faults):
    faults.order(Fault("A.b", Action.FAIL, code=1))
    faults.order(Fault("A.b", Action.FAIL, code=2))
    assert [step(faults), step(faults), step(faults)] == ["failed 1", "failed 2", "real"]


def test_a_caller_in_this_process_is_not_killed(faults):
    faults.order(Fault("A.b", Action.KILL_CALLER))
    with pytest.raises(HostError, match="cannot be killed"):
        step(faults)
