"""The firmware and the Windows services of an emulated node.

A service is no program here: it has a state, a start mode and services that it needs, and goes through the
pending states as a real one does.  https://learn.microsoft.com/windows/win32/cimwin32prov/win32-service
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from csiproxy.emulator.cim_provider import Arguments, Association, End
from csiproxy.emulator.fidelity import Fidelity, Point
from csiproxy.emulator.inventory import START_MODES, ServiceReport
from csiproxy.emulator.state import State
from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.cim import Instance, Result, Value
from csiproxy.host.schema import CIM_BIOS_ELEMENT, DEPENDENT_SERVICE, SERVICE, WIN32_BIOS, WIN32_SERVICE

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS services (
         name       TEXT PRIMARY KEY COLLATE NOCASE,
         start_mode TEXT NOT NULL,
         running    INTEGER NOT NULL,   -- where it is, or is on its way to
         settled_at REAL NOT NULL       -- seconds since the epoch: until then it is pending
       )""",
    """CREATE TABLE IF NOT EXISTS firmware (
         only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
         serial   TEXT NOT NULL
       )""",
)

# How long a service is pending (seconds).
PENDING_SECONDS = 0.3


class ServiceCode(IntEnum):
    """Return values of Win32_Service.StartService and StopService."""

    ACCEPTED = 0
    DEPENDENT_SERVICES_RUNNING = 3
    INVALID_CONTROL = 4
    CANNOT_ACCEPT_CONTROL = 5
    ALREADY_RUNNING = 10
    DEPENDENCY_FAILURE = 13
    DISABLED = 14
    OBJECT_GONE = 16


# What the operator is told, who names services and has no instances that could have gone.
_REFUSALS: Mapping[ServiceCode, tuple[WindowsCode, str]] = {
    ServiceCode.DEPENDENT_SERVICES_RUNNING: (
        WindowsCode.DEPENDENT_SERVICES_RUNNING,
        "services that need it run: stop those first",
    ),
    ServiceCode.INVALID_CONTROL: (
        WindowsCode.INVALID_SERVICE_CONTROL,
        "Windows needs it and does not stop it",
    ),
    ServiceCode.CANNOT_ACCEPT_CONTROL: (
        WindowsCode.SERVICE_CANNOT_ACCEPT_CTRL,
        "it is on its way to another state: try again",
    ),
    ServiceCode.DEPENDENCY_FAILURE: (
        WindowsCode.SERVICE_DEPENDENCY_FAIL,
        "a service that it needs does not start",
    ),
    ServiceCode.DISABLED: (
        WindowsCode.SERVICE_DISABLED,
        "it is disabled: give it another start mode first",
    ),
    ServiceCode.OBJECT_GONE: (WindowsCode.SERVICE_DOES_NOT_EXIST, "the node has no such service"),
}


@dataclass(frozen=True, slots=True)
class Program:
    """A service that is installed: what does not change about it."""

    name: str
    display_name: str
    start_mode: str
    running: bool
    needs: tuple[str, ...] = ()
    can_stop: bool = True


# A small Windows Server: what storage needs, and a little around it.
INSTALLED = (
    Program("RpcSs", "Remote Procedure Call (RPC)", "Auto", True, can_stop=False),
    Program("LanmanWorkstation", "Workstation", "Auto", True),
    Program("Winmgmt", "Windows Management Instrumentation", "Auto", True, ("RpcSs",)),
    Program("MSiSCSI", "Microsoft iSCSI Initiator Service", "Manual", False),
    Program("MPIO-Agent", "Multipath Agent", "Manual", False, ("MSiSCSI",)),
    Program("iSCSI-Monitor", "iSCSI Session Monitor", "Manual", False, ("MPIO-Agent",)),
    Program("smphost", "Microsoft Storage Spaces SMP", "Manual", False, ("RpcSs",)),
    Program("StorSvc", "Storage Service", "Manual", True),
    Program("vds", "Virtual Disk", "Manual", False, ("RpcSs",)),
    Program("defragsvc", "Optimize drives", "Disabled", False, ("RpcSs",)),
    Program("kubelet", "Kubelet", "Auto", True),
    Program("disk", "Disk Driver", "Boot", True, can_stop=False),
)
_BY_NAME = {program.name.lower(): program for program in INSTALLED}


@dataclass(frozen=True, slots=True)
class Service:
    """A service now."""

    program: Program
    start_mode: str
    running: bool
    pending: bool

    @property
    def state(self) -> str:
        """Win32_Service.State."""
        if self.pending:
            return "Start Pending" if self.running else "Stop Pending"
        return "Running" if self.running else "Stopped"


class Services:
    """The services of a node.  ``now`` is the time in seconds since the epoch."""

    def __init__(self, state: State, now: Callable[[], float] = time.time) -> None:
        self._state = state
        self._now = now
        self._install()

    def _install(self) -> None:
        with self._state.transaction() as db:
            db.executemany(
                "INSERT OR IGNORE INTO services VALUES (?, ?, ?, 0)",
                [(program.name, program.start_mode, program.running) for program in INSTALLED],
            )

    def reset(self) -> None:
        """Make every service what it was when it was installed."""
        with self._state.transaction() as db:
            db.execute("DELETE FROM services")
            self._install()

    def all(self) -> list[Service]:
        """Every service."""
        with self._state.transaction() as db:
            rows = db.execute("SELECT name, start_mode, running, settled_at FROM services").fetchall()
        return [
            Service(_BY_NAME[name.lower()], start_mode, bool(running), settled_at > self._now())
            for name, start_mode, running, settled_at in rows
            if name.lower() in _BY_NAME
        ]

    def reports(self) -> tuple[ServiceReport, ...]:
        """Every service, for the operator."""
        return tuple(
            ServiceReport(one.program.name, one.program.display_name, one.start_mode, one.state)
            for one in self.all()
        )

    def find(self, name: str) -> Service | None:
        """The service of that name, ignoring case."""
        return next((one for one in self.all() if one.program.name.lower() == name.lower()), None)

    def is_running(self, name: str) -> bool:
        """Whether there is such a service and it runs, no longer only on its way there."""
        service = self.find(name)
        return service is not None and service.running and not service.pending

    def dependents(self, name: str) -> list[Service]:
        """The services that need this one, directly."""
        wanted = name.lower()
        return [one for one in self.all() if wanted in (need.lower() for need in one.program.needs)]

    def set_start_mode(self, name: str, start_mode: str) -> None:
        """Change when a service starts (``Disabled``); Win32Error for an unknown service or mode."""
        if start_mode not in START_MODES:
            text = f"{start_mode} is no start mode: give one of {', '.join(START_MODES)}"
            raise Win32Error(WindowsCode.INVALID_PARAMETER, "ChangeServiceConfigW", text)
        with self._state.transaction() as db:
            done = db.execute("UPDATE services SET start_mode = ? WHERE name = ?", (start_mode, name))
            if not done.rowcount:
                raise _refusal(ServiceCode.OBJECT_GONE, "ChangeServiceConfigW", name)

    def switch(self, name: str, *, running: bool) -> None:
        """Start or stop a service for the operator, if it is not so already; Win32Error when it refuses."""
        with self._state.transaction():
            service = self.find(name)
            if service and service.running is running:
                return
            code = self.start(name) if running else self.stop(name)
        if code is not ServiceCode.ACCEPTED:
            raise _refusal(code, "StartServiceW" if running else "ControlService", name)

    def start(self, name: str) -> ServiceCode:
        """StartService: what the service needs is started with it."""
        with self._state.transaction():
            service = self.find(name)
            if service is None:
                return ServiceCode.OBJECT_GONE
            if service.running:
                return ServiceCode.ALREADY_RUNNING
            if service.start_mode == "Disabled":
                return ServiceCode.DISABLED
            if service.pending:
                return ServiceCode.CANNOT_ACCEPT_CONTROL
            for need in service.program.needs:
                if self.start(need) not in (ServiceCode.ACCEPTED, ServiceCode.ALREADY_RUNNING):
                    return ServiceCode.DEPENDENCY_FAILURE
            self._turn(service, running=True)
            return ServiceCode.ACCEPTED

    def stop(self, name: str) -> ServiceCode:
        """StopService: not while a service that needs it runs."""
        with self._state.transaction():
            service = self.find(name)
            if service is None:
                return ServiceCode.OBJECT_GONE
            if not service.running or service.pending:
                return ServiceCode.CANNOT_ACCEPT_CONTROL
            if not service.program.can_stop:
                return ServiceCode.INVALID_CONTROL
            if any(one.running or one.pending for one in self.dependents(name)):
                return ServiceCode.DEPENDENT_SERVICES_RUNNING
            self._turn(service, running=False)
            return ServiceCode.ACCEPTED

    def _turn(self, service: Service, *, running: bool) -> None:
        with self._state.transaction() as db:
            db.execute(
                "UPDATE services SET running = ?, settled_at = ? WHERE name = ?",
                (running, self._now() + PENDING_SECONDS, service.program.name),
            )


def _refusal(code: ServiceCode, call: str, name: str) -> Win32Error:
    windows_code, text = _REFUSALS[code]
    return Win32Error(windows_code, call, f"service {name}: {text}")


class ServiceClass:
    """Provider of Win32_Service."""

    schema = WIN32_SERVICE
    fidelity = Fidelity(
        page="https://learn.microsoft.com/windows/win32/cimwin32prov/win32-service",
        like=(
            Point(
                "a service is pending before it runs and before it stops, and takes no control meanwhile",
                "emulator/test_system.py",
                "test_a_service_is_pending_before_it_runs_and_before_it_is_stopped",
            ),
            Point(
                "starting a service starts what it needs; a needed one is not stopped under others (3)",
                "emulator/test_system.py",
                "test_a_needed_service_is_not_stopped_under_others",
            ),
            Point(
                "a disabled service does not start (14), nor what needs it (13)",
                "emulator/test_system.py",
                "test_a_disabled_service_does_not_start_and_nothing_that_needs_it",
            ),
            Point(
                "Win32_DependentService tells who needs whom, by role",
                "emulator/test_system.py",
                "test_wmi_tells_who_needs_whom_by_role",
            ),
        ),
        unlike=(
            Point(
                "services are states without programs: a dozen that storage needs, each pending for 0.3 s",
                "emulator/test_system.py",
                "test_a_fresh_node_has_its_services_as_they_are_installed",
            ),
            Point(
                "states outlive a restart of the node, whatever the start mode",
                "emulator/test_system.py",
                "test_states_survive_the_node",
            ),
        ),
    )

    def __init__(self, services: Services) -> None:
        self._services = services
        self._methods = {"StartService": services.start, "StopService": services.stop}

    def instances(self, where: Mapping[str, Value]) -> list[Instance]:  # noqa: ARG002 - they are few
        """Every service."""
        return [self._instance(service) for service in self._services.all()]

    def invoke(self, key: str | None, method: str, arguments: Arguments) -> Result:  # noqa: ARG002
        """StartService, StopService."""
        return Result(int(self._methods[method](key or "")), {})

    @staticmethod
    def _instance(service: Service) -> Instance:
        program = service.program
        properties: dict[str, Value] = {
            "Name": program.name,
            "DisplayName": program.display_name,
            "State": service.state,
            "StartMode": service.start_mode,
            "Started": service.running,
            "AcceptStop": service.running and not service.pending and program.can_stop,
        }
        return Instance(SERVICE, program.name, properties)


_PADDED = Point(
    "the serial number stays, and is padded as on many machines",
    "emulator/test_system.py",
    "test_the_firmwares_serial_number_stays_and_is_padded_as_on_real_machines",
)


class BiosClass:
    """Provider of Win32_BIOS."""

    schema = WIN32_BIOS
    fidelity = Fidelity(
        page="https://learn.microsoft.com/windows/win32/cimwin32prov/win32-bios", like=(_PADDED,)
    )

    def __init__(self, state: State) -> None:
        with state.transaction() as db:
            row = db.execute("SELECT serial FROM firmware").fetchone()
            if row is None:
                row = ("EMULATED-" + state.fresh_guid().upper()[:18],)
                db.execute("INSERT INTO firmware VALUES (1, ?)", row)
        self._serial = str(row[0])

    def instances(self, where: Mapping[str, Value]) -> list[Instance]:  # noqa: ARG002 - there is one
        """The firmware; its serial number is padded, as that of many machines is."""
        properties: dict[str, Value] = {
            "Name": "Emulated firmware",
            "Manufacturer": "csi-proxy",
            "Version": "1",
            "SerialNumber": self._serial + "  ",
        }
        return [Instance(self.schema.name, "Emulated firmware", properties)]

    def invoke(self, key: str | None, method: str, arguments: Arguments) -> Result:  # noqa: ARG002
        """It has no methods, so the session never calls this."""
        raise AssertionError(method)


class BiosElementClass(BiosClass):
    """Provider of CIM_BIOSElement, which Win32_BIOS is derived from: the same firmware."""

    schema = CIM_BIOS_ELEMENT
    fidelity = Fidelity(
        page="https://learn.microsoft.com/windows/win32/cimwin32prov/cim-bioselement", like=(_PADDED,)
    )


def service_association(services: Services) -> Association:
    """Win32_DependentService: who needs whom."""

    def join(role: str, key: str) -> Sequence[str]:
        if role == "Dependent":
            return [service.program.name for service in services.dependents(key)]
        service = services.find(key)
        return service.program.needs if service else ()

    return Association(DEPENDENT_SERVICE, (End("Antecedent", SERVICE), End("Dependent", SERVICE)), join)
