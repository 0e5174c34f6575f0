"""The firmware and single steps on services, against the emulated node's CIM server."""

import pytest

from csiproxy.errors import FailedPrecondition, NotFound
from csiproxy.host.cim import Instance
from csiproxy.storage.system import Service, ServiceState, StartMode, System


@pytest.fixture
def system(node) -> System:
    return node.storage.system


def test_the_firmwares_serial_number_is_told_without_its_padding(system):
    serial = system.bios_serial_number()
    assert serial
    assert serial == serial.strip()


def test_a_service_is_read_as_windows_reports_it_in_any_case_of_its_name(system):
    for name in ("MSiSCSI", "msiscsi"):
        service = system.service(name)
        assert (service.name, service.state, service.start_mode) == (
            "MSiSCSI",
            ServiceState.STOPPED,
            StartMode.MANUAL,
        )
        assert service.display_name == "Microsoft iSCSI Initiator Service"


def test_a_service_that_is_not_there_is_1060(system):
    with pytest.raises(NotFound) as caught:
        system.service("none")
    assert caught.value.windows_code == 1060


def test_dependents_are_those_that_need_a_service_and_not_those_it_needs(system):
    def names(name: str) -> list[str]:
        return [service.name for service in system.dependents(system.service(name))]

    assert names("MSiSCSI") == ["MPIO-Agent"]
    assert names("MPIO-Agent") == ["iSCSI-Monitor"]
    assert names("iSCSI-Monitor") == []


def test_starting_and_stopping_is_asked_for_and_asking_again_is_fine(system):
    service = system.service("MSiSCSI")
    for _ in range(2):
        system.start(service)
        assert system.service("MSiSCSI").state in (ServiceState.START_PENDING, ServiceState.RUNNING)
    storage = system.service("StorSvc")
    for _ in range(2):
        system.stop(storage)
        assert system.service("StorSvc").state in (ServiceState.STOP_PENDING, ServiceState.STOPPED)


def test_a_disabled_service_is_not_started(system):
    with pytest.raises(FailedPrecondition) as caught:
        system.start(system.service("defragsvc"))
    assert caught.value.windows_code == 1058
    assert "StartService returned 14" in caught.value.origin


def test_a_service_that_others_need_is_not_stopped(system):
    with pytest.raises(FailedPrecondition) as caught:
        system.stop(system.service("RpcSs"))
    assert caught.value.windows_code in (1051, 1052)


class OneService:
    """A host with one service, in whatever words."""

    def __init__(self, **properties: str) -> None:
        self.properties = properties

    def instances(self, class_name: str, /, **where: object) -> list[Instance]:
        return [Instance(class_name, "k", self.properties)] if self.properties else []


@pytest.mark.parametrize("state", ServiceState)
@pytest.mark.parametrize("mode", StartMode)
def test_every_documented_state_and_start_mode_is_read(state, mode):
    found = System(OneService(Name="x", State=state.value, StartMode=mode.value)).service("x")  # type: ignore[arg-type]
    assert isinstance(found, Service)
    assert (found.state, found.start_mode) == (state, mode)


@pytest.mark.parametrize("text", ["Odd", "", "running"])
def test_what_is_not_documented_is_unknown_and_no_reason_to_fail(text):
    found = System(OneService(Name="x", State=text, StartMode=text)).service("x")  # type: ignore[arg-type]
    assert (found.state, found.start_mode) == (ServiceState.UNKNOWN, None)


def test_only_the_pending_states_are_passing():
    passing = {state.value for state in ServiceState if state.is_passing}
    assert passing == {state.value for state in ServiceState if state.value.endswith("Pending")}


def test_no_firmware_at_all_is_not_found():
    with pytest.raises(NotFound):
        System(OneService()).bios_serial_number()  # type: ignore[arg-type]
