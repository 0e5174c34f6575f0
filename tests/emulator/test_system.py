"""The node's services go through the states of real ones; its firmware has one serial number."""

import pytest

from csiproxy.emulator.faults import Action, Fault
from csiproxy.emulator.inventory import START_MODES
from csiproxy.emulator.machine import Machine
from csiproxy.emulator.state import State
from csiproxy.emulator.system import INSTALLED, PENDING_SECONDS, SCHEMA, ServiceCode, Services
from csiproxy.errors import Win32Error


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time

    def settle(self) -> None:
        self.time += PENDING_SECONDS


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def services(tmp_path, clock):
    state = State(str(tmp_path / "state.db"), SCHEMA)
    yield Services(state, clock)
    state.close()


def state_of(services, name):
    return services.find(name).state


def test_a_fresh_node_has_its_services_as_they_are_installed(services):
    assert {one.program.name: one.running for one in services.all()} == {
        program.name: program.running for program in INSTALLED
    }


def test_a_service_is_pending_before_it_runs_and_before_it_is_stopped(services, clock):
    assert services.start("MSiSCSI") is ServiceCode.ACCEPTED
    assert state_of(services, "msiscsi") == "Start Pending"
    clock.settle()
    assert state_of(services, "MSiSCSI") == "Running"
    assert services.stop("MSISCSI") is ServiceCode.ACCEPTED
    assert state_of(services, "MSiSCSI") == "Stop Pending"
    clock.settle()
    assert state_of(services, "MSiSCSI") == "Stopped"


def test_a_pending_service_takes_no_control(services, clock):
    services.start("MSiSCSI")
    assert services.stop("MSiSCSI") is ServiceCode.CANNOT_ACCEPT_CONTROL
    clock.settle()
    services.stop("MSiSCSI")
    assert services.start("MSiSCSI") is ServiceCode.CANNOT_ACCEPT_CONTROL


def test_what_is_so_already_says_so(services):
    assert services.start("StorSvc") is ServiceCode.ALREADY_RUNNING
    assert services.stop("MSiSCSI") is ServiceCode.CANNOT_ACCEPT_CONTROL


def test_starting_a_service_starts_what_it_needs(services, clock):
    assert services.start("iSCSI-Monitor") is ServiceCode.ACCEPTED
    clock.settle()
    assert [state_of(services, name) for name in ("MSiSCSI", "MPIO-Agent", "iSCSI-Monitor")] == [
        "Running"
    ] * 3


def test_a_needed_service_is_not_stopped_under_others(services, clock):
    services.start("iSCSI-Monitor")
    clock.settle()
    assert services.stop("MSiSCSI") is ServiceCode.DEPENDENT_SERVICES_RUNNING
    services.stop("iSCSI-Monitor")
    assert services.stop("MPIO-Agent") is ServiceCode.DEPENDENT_SERVICES_RUNNING, "it is not stopped yet"
    clock.settle()
    assert services.stop("MPIO-Agent") is ServiceCode.ACCEPTED


def test_a_disabled_service_does_not_start_and_nothing_that_needs_it(services):
    assert services.start("defragsvc") is ServiceCode.DISABLED
    services.set_start_mode("msiscsi", "Disabled")
    assert services.start("MPIO-Agent") is ServiceCode.DEPENDENCY_FAILURE
    assert state_of(services, "MPIO-Agent") == "Stopped"


def test_a_service_that_windows_itself_needs_is_not_stopped(services):
    assert services.stop("RpcSs") is ServiceCode.INVALID_CONTROL


def test_an_unknown_service_is_gone(services):
    assert services.find("nothing") is None
    assert services.start("nothing") is ServiceCode.OBJECT_GONE
    assert services.stop("nothing") is ServiceCode.OBJECT_GONE


@pytest.mark.parametrize("mode", START_MODES)
def test_a_start_mode_is_changed_in_any_case_of_the_name(services, mode):
    services.set_start_mode("MSISCSI", mode)
    assert services.find("MSiSCSI").start_mode == mode


@pytest.mark.parametrize(("name", "mode", "code"), [("nothing", "Auto", 1060), ("MSiSCSI", "auto", 87)])
def test_a_start_mode_that_cannot_be_set_is_refused(services, name, mode, code):
    with pytest.raises(Win32Error) as caught:
        services.set_start_mode(name, mode)
    assert caught.value.windows_code == code


def test_the_operator_switches_a_service_and_again_changes_nothing(services, clock):
    for running in (True, False):
        for _ in range(2):
            services.switch("msiscsi", running=running)
        assert state_of(services, "MSiSCSI").endswith("Pending")
        clock.settle()
        services.switch("MSiSCSI", running=running)
        assert state_of(services, "MSiSCSI") == ("Running" if running else "Stopped")


def needing(services, clock):
    services.start("MPIO-Agent")
    clock.settle()


@pytest.mark.parametrize(
    ("prepare", "name", "running", "code"),
    [
        (lambda services, clock: None, "nothing", True, 1060),
        (lambda services, clock: None, "nothing", False, 1060),
        (lambda services, clock: None, "defragsvc", True, 1058),
        (lambda services, clock: None, "RpcSs", False, 1052),
        (needing, "MSiSCSI", False, 1051),
        (lambda services, clock: services.start("MSiSCSI"), "MSiSCSI", False, 1061),
        (lambda services, clock: services.stop("StorSvc"), "StorSvc", True, 1061),
        (lambda services, clock: services.set_start_mode("MSiSCSI", "Disabled"), "MPIO-Agent", True, 1068),
    ],
)
def test_the_operator_is_told_why_a_service_is_not_switched(services, clock, prepare, name, running, code):
    prepare(services, clock)
    before = services.reports()
    with pytest.raises(Win32Error) as caught:
        services.switch(name, running=running)
    assert caught.value.windows_code == code
    assert name in caught.value.detail
    assert services.reports() == before


def test_a_disabled_service_that_runs_serves_those_that_need_it(services):
    services.set_start_mode("RpcSs", "Disabled")
    services.switch("vds", running=True)
    assert state_of(services, "vds") == "Start Pending"


def test_a_reset_makes_them_as_installed(services, clock):
    fresh = services.reports()
    services.start("iSCSI-Monitor")
    services.stop("StorSvc")
    services.set_start_mode("vds", "Disabled")
    services.reset()
    assert services.reports() == fresh


def test_states_survive_the_node(tmp_path, clock):
    path = str(tmp_path / "state.db")
    state = State(path, SCHEMA)
    Services(state, clock).start("MSiSCSI")
    state.close()
    clock.settle()
    state = State(path, SCHEMA)
    assert state_of(Services(state, clock), "MSiSCSI") == "Running"
    state.close()


@pytest.fixture
def machine(tmp_path):
    with Machine(str(tmp_path / "node")) as machine:
        yield machine


def names(found):
    return [instance.text("Name") for instance in found]


def test_wmi_tells_who_needs_whom_by_role(machine):
    [middle] = machine.session.instances("Win32_Service", Name="mpio-agent")
    ask = machine.session.associated
    assert names(ask(middle, "Win32_DependentService", "Win32_Service", "Dependent")) == ["iSCSI-Monitor"]
    assert names(ask(middle, "Win32_DependentService", "Win32_Service", "Antecedent")) == ["MSiSCSI"]
    both = ask(middle, "Win32_DependentService", "Win32_Service")
    assert sorted(names(both)) == ["MSiSCSI", "iSCSI-Monitor"]


def test_wmi_starts_and_stops(machine):
    [service] = machine.session.instances("Win32_Service", Name="StorSvc")
    assert (service.text("State"), service.text("StartMode")) == ("Running", "Manual")
    assert machine.session.invoke(service, "StartService").return_value == 10
    assert machine.session.invoke(service, "StopService").return_value == 0
    [service] = machine.session.instances("Win32_Service", Name="StorSvc")
    assert service.text("State") == "Stop Pending"


def test_the_firmwares_serial_number_stays_and_is_padded_as_on_real_machines(tmp_path):
    found = []
    for _ in range(2):
        with Machine(str(tmp_path / "node")) as machine:
            [bios] = machine.session.instances("Win32_BIOS")
            [same] = machine.session.instances("CIM_BIOSElement")
            assert same.properties == bios.properties
            found.append(bios.text("SerialNumber"))
    assert found[0] == found[1]
    assert found[0] != found[0].strip()


def test_a_reset_node_has_its_services_as_installed_and_no_faults(tmp_path):
    with Machine(str(tmp_path / "node")) as machine:
        fresh = machine.services.reports()
        machine.services.set_start_mode("vds", "Disabled")
        machine.services.switch("MSiSCSI", running=True)
        machine.faults.order(Fault("MSFT_*", Action.HANG))
        machine.reset()
        assert (machine.services.reports(), machine.faults.pending()) == (fresh, ())


def test_the_operator_reaches_services_over_the_nodes_socket(node):
    node.connect()
    with node.control() as control:
        control.set_start_mode("msiscsi", "Auto")
        control.switch_service("MSiSCSI", running=True)
        [found] = [one for one in control.services() if one.name == "MSiSCSI"]
        assert (found.start_mode, found.state in ("Start Pending", "Running")) == ("Auto", True)
        with pytest.raises(Win32Error) as caught:
            control.switch_service("nothing", running=False)
        assert caught.value.windows_code == 1060
        control.reset()
        [found] = [one for one in control.services() if one.name == "MSiSCSI"]
        assert (found.start_mode, found.state) == ("Manual", "Stopped")
