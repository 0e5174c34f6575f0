"""Group system, line by line of what is promised."""

import pytest
from tests.emulated import EmulatedNode
from tests.operations.ground import events
from tests.operations.refusals import refused
from tests.storage.scheduled import LossySession

from csiproxy.errors import (
    Cancelled,
    DeadlineExceeded,
    FailedPrecondition,
    Internal,
    InvalidArgument,
    NotFound,
    PermissionDenied,
)
from csiproxy.host.cim import Instance, Result
from csiproxy.operations.context import Context
from csiproxy.operations.locks import Locks
from csiproxy.operations.system import WAIT_SECONDS, ServiceStatus, StartType, SystemGroup
from csiproxy.storage import Storage
from csiproxy.storage.system import ServiceState


@pytest.fixture
def system(node: EmulatedNode) -> SystemGroup:
    return node.operations().system


@pytest.fixture
def call() -> Context:
    return Context()


def group(node: EmulatedNode, *allowed: str, session=None, sleep=None) -> SystemGroup:
    """A system group whose operator allows other services."""
    storage = Storage(type(node.host)(session or node.machine.session, node.host.win32))
    options = {"sleep": sleep} if sleep else {}
    return SystemGroup(storage.system, Locks(storage.mutex), allowed, **options)


def test_the_firmwares_serial_number_is_told(node, system, call):
    assert system.get_bios_serial_number(call).serial_number == node.storage.system.bios_serial_number()


def test_a_service_is_described(system, call):
    found = system.get_service(call, name="msiscsi")
    assert found.display_name == "Microsoft iSCSI Initiator Service"
    assert (found.start_type, found.status) == (StartType.MANUAL, ServiceStatus.STOPPED)
    found = system.get_service(call, name="kubelet")
    assert (found.start_type, found.status) == (StartType.AUTOMATIC, ServiceStatus.RUNNING)
    assert system.get_service(call, name="disk").start_type is StartType.BOOT


def test_statuses_are_those_of_windows_by_name():
    assert {state.name for state in ServiceState} == {status.name for status in ServiceStatus}


def test_a_service_is_started_and_stopped_and_again_is_success(system, call):
    for _ in range(2):
        system.start_service(call, name="MSISCSI")
        assert system.get_service(call, name="MSiSCSI").status is ServiceStatus.RUNNING
    for _ in range(2):
        system.stop_service(call, name="MSiSCSI", force=False)
        assert system.get_service(call, name="MSiSCSI").status is ServiceStatus.STOPPED
    assert events(call) == ["starting-service", "stopping-service"]


def test_other_services_may_be_asked_about_and_not_switched(system, call):
    for name in ("kubelet", "RpcSs", "none", "MSiSCSI "):
        for ask in (
            lambda name=name: system.start_service(call, name=name),
            lambda name=name: system.stop_service(call, name=name, force=True),
        ):
            with refused(PermissionDenied, 5):
                ask()
    assert system.get_service(call, name="kubelet").status is ServiceStatus.RUNNING


@pytest.mark.parametrize("name", ["", "a/b", "a\\b", "a\x00b", "a\nb", "x" * 257])
def test_a_name_that_no_service_can_have_is_123(system, call, name):
    for ask in (
        lambda: system.get_service(call, name=name),
        lambda: system.start_service(call, name=name),
        lambda: system.stop_service(call, name=name, force=False),
    ):
        with refused(InvalidArgument, 123):
            ask()


def test_a_service_that_is_not_there_is_1060(node, system, call):
    with refused(NotFound, 1060):
        system.get_service(call, name="none")
    for ask in (
        lambda: group(node, "none").start_service(call, name="none"),
        lambda: group(node, "none").stop_service(call, name="none", force=True),
    ):
        with refused(NotFound, 1060):
            ask()


def test_a_disabled_service_is_1058(system, call):
    with refused(FailedPrecondition, 1058):
        system.start_service(call, name="defragsvc")


def test_what_depends_on_a_service_is_stopped_first_and_only_with_force(node, call):
    system = group(node, "MSiSCSI", "MPIO-Agent", "iSCSI-Monitor")
    system.start_service(call, name="iSCSI-Monitor")
    with refused(FailedPrecondition, 1051):
        system.stop_service(call, name="MSiSCSI", force=False)
    assert system.get_service(call, name="MSiSCSI").status is ServiceStatus.RUNNING
    call.notes.clear()
    system.stop_service(call, name="MSiSCSI", force=True)
    assert [note.facts["service"] for note in call.notes] == ["iSCSI-Monitor", "MPIO-Agent", "MSiSCSI"]
    for name in ("MSiSCSI", "MPIO-Agent", "iSCSI-Monitor"):
        assert system.get_service(call, name=name).status is ServiceStatus.STOPPED


def test_force_stops_nothing_that_clients_may_not_stop(node, call):
    group(node, "MPIO-Agent").start_service(call, name="MPIO-Agent")
    with refused(PermissionDenied, 5):
        group(node, "MSiSCSI").stop_service(call, name="MSiSCSI", force=True)
    for name in ("MSiSCSI", "MPIO-Agent"):
        assert node.operations().system.get_service(call, name=name).status is ServiceStatus.RUNNING


class Circle(LossySession):
    """A host on which two services need each other, as broken installations have it."""

    def associated(self, instance, association, result_class, result_role=""):
        other = {"MSiSCSI": "StorSvc", "StorSvc": "MSiSCSI"}.get(instance.key)
        return self.instances("Win32_Service", Name=other) if other else []


def test_services_that_need_each_other_are_stopped_once_each(node, call):
    system = group(node, "MSiSCSI", "StorSvc", session=Circle(node.machine.session))
    node.operations().system.start_service(Context(), name="MSiSCSI")
    system.stop_service(call, name="MSiSCSI", force=True)
    assert [note.facts["service"] for note in call.notes] == ["StorSvc", "MSiSCSI"]


class Stuck(LossySession):
    """A host on which services take every order and do nothing."""

    def invoke(self, target, method, /, **parameters):
        self.invoked.append(method)
        return Result(0, {})


def test_a_service_that_does_not_start_is_1053_after_a_bounded_wait(node, call):
    slept: list[float] = []
    system = group(node, "MSiSCSI", session=Stuck(node.machine.session), sleep=slept.append)
    with refused(DeadlineExceeded, 1053):
        system.start_service(call, name="MSiSCSI")
    assert sum(slept) == pytest.approx(WAIT_SECONDS, abs=0.3)


def test_a_client_that_goes_away_ends_the_wait(node):
    gone: list[bool] = []
    context = Context(cancelled=lambda: bool(gone))
    stuck = group(node, "MSiSCSI", session=Stuck(node.machine.session), sleep=lambda _: gone.append(True))
    with pytest.raises(Cancelled):
        stuck.start_service(context, name="MSiSCSI")
    assert len(gone) == 1


# --- services that somebody else is switching ---------------------------------------------------------------


class Passing(LossySession):
    """A host on which MSiSCSI goes through states by itself, one a query, and takes no control on the way.

    The last state stays until a control is taken, and then the ones of ``after`` follow.
    """

    def __init__(self, session, states: list[str], after: list[str]) -> None:
        super().__init__(session)
        self.states = states
        self.after = after

    def instances(self, class_name: str, /, **where: bool | int | str) -> list[Instance]:
        found = super().instances(class_name, **where)
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return [Instance(one.class_name, one.key, {**one.properties, "State": state}) for one in found]

    def associated(self, instance, association, result_class, result_role=""):
        return []

    def invoke(self, target, method, /, **parameters):
        self.invoked.append(method)
        if self.states[0].endswith("Pending"):
            return Result(10 if method == "StartService" else 5, {})
        self.states[:] = self.after
        return Result(0, {})


def passing(node: EmulatedNode, states: list[str], after: list[str]) -> tuple[SystemGroup, Passing]:
    host = Passing(node.machine.session, states, after)
    return group(node, "MSiSCSI", session=host, sleep=lambda _: None), host


def test_a_service_that_is_stopping_is_started_once_it_has_stopped(node, call):
    system, host = passing(node, ["Stop Pending", "Stop Pending", "Stopped"], ["Start Pending", "Running"])
    system.start_service(call, name="MSiSCSI")
    assert (host.invoked, host.states) == (["StartService"], ["Running"])


def test_a_service_that_is_starting_is_waited_for_and_not_started_again(node, call):
    system, host = passing(node, ["Start Pending", "Start Pending", "Running"], [])
    system.start_service(call, name="MSiSCSI")
    assert host.invoked == []


def test_a_service_that_is_starting_is_stopped_once_it_runs(node, call):
    system, host = passing(node, ["Start Pending", "Start Pending", "Running"], ["Stop Pending", "Stopped"])
    system.stop_service(call, name="MSiSCSI", force=False)
    assert (host.invoked, host.states) == (["StopService"], ["Stopped"])


def test_a_service_that_is_stopping_is_waited_for_and_not_stopped_again(node, call):
    system, host = passing(node, ["Stop Pending", "Stop Pending", "Stopped"], [])
    system.stop_service(call, name="MSiSCSI", force=False)
    assert host.invoked == []


@pytest.mark.parametrize("switch", ["start_service", "stop_service"])
def test_a_service_that_never_arrives_is_1053_and_is_left_alone(node, call, switch):
    system, host = passing(node, ["Stop Pending"], [])
    force = {"force": True} if switch == "stop_service" else {}
    with refused(DeadlineExceeded, 1053):
        getattr(system, switch)(call, name="MSiSCSI", **force)
    assert host.invoked == []


def test_a_paused_service_is_not_resumed_but_stopped(node, call):
    system, host = passing(node, ["Paused"], ["Stopped"])
    with refused(FailedPrecondition, 1061):
        system.start_service(call, name="MSiSCSI")
    assert host.invoked == []
    system.stop_service(call, name="MSiSCSI", force=False)
    assert host.invoked == ["StopService"]


def test_a_client_waits_out_what_the_operator_has_just_begun(node, system, call):
    node.machine.services.switch("MSiSCSI", running=True)
    system.stop_service(call, name="MSiSCSI", force=False)
    assert system.get_service(call, name="MSiSCSI").status is ServiceStatus.STOPPED
    node.machine.services.switch("StorSvc", running=False)
    system.start_service(call, name="StorSvc")
    assert system.get_service(call, name="StorSvc").status is ServiceStatus.RUNNING


def test_a_start_mode_that_windows_does_not_document_fails_the_question_alone(node, call):
    class Odd(LossySession):
        def instances(self, class_name, /, **where):
            found = super().instances(class_name, **where)
            return [Instance(one.class_name, one.key, {**one.properties, "StartMode": "?"}) for one in found]

    system = group(node, "MSiSCSI", session=Odd(node.machine.session))
    with refused(Internal, 31):
        system.get_service(call, name="MSiSCSI")
    system.start_service(call, name="MSiSCSI")
    system.stop_service(call, name="MSiSCSI", force=True)
