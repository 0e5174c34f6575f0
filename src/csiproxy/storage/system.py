"""The node itself: its firmware, its Windows services, and where it keeps its memory.

https://learn.microsoft.com/windows/win32/cimwin32prov/win32-service
https://learn.microsoft.com/windows/win32/cimwin32prov/win32-bios
https://learn.microsoft.com/windows/win32/cimwin32prov/win32-pagefileusage
https://learn.microsoft.com/windows/win32/cimwin32prov/win32-osrecoveryconfiguration
"""

from dataclasses import dataclass
from enum import Enum

from csiproxy.errors import NotFound, WindowsCode
from csiproxy.host.cim import Instance, Session
from csiproxy.storage.codes import SERVICE, expect, judged

NOT_STARTED_OR_CANNOT = 5  # "the state of the service" forbids the control: it is stopped, or on its way
ALREADY_RUNNING = 10


class ServiceState(Enum):
    """Win32_Service.State."""

    UNKNOWN = "Unknown"
    STOPPED = "Stopped"
    START_PENDING = "Start Pending"
    STOP_PENDING = "Stop Pending"
    RUNNING = "Running"
    CONTINUE_PENDING = "Continue Pending"
    PAUSE_PENDING = "Pause Pending"
    PAUSED = "Paused"

    @property
    def is_passing(self) -> bool:
        """Whether the service is on its way to another state, and takes no control meanwhile."""
        return self in _PASSING


_PASSING = frozenset(
    {
        ServiceState.START_PENDING,
        ServiceState.STOP_PENDING,
        ServiceState.CONTINUE_PENDING,
        ServiceState.PAUSE_PENDING,
    }
)


class StartMode(Enum):
    """Win32_Service.StartMode."""

    BOOT = "Boot"
    SYSTEM = "System"
    AUTO = "Auto"
    MANUAL = "Manual"
    DISABLED = "Disabled"


@dataclass(frozen=True, slots=True)
class Service:
    """A Windows service as the service control manager reports it.

    A state that is not documented is UNKNOWN, which is one; a start mode that is not documented is None.
    """

    name: str
    display_name: str
    state: ServiceState
    start_mode: StartMode | None
    instance: Instance


class System:
    """The node's firmware, services and memory files."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def bios_serial_number(self) -> str:
        """The serial number that the firmware reports, without the spaces that some pad it with."""
        with judged("read the firmware's serial number"):
            found = self._session.instances("Win32_BIOS")
        if not found:
            raise NotFound("Windows reports no firmware")
        return found[0].text("SerialNumber").strip()

    def page_files(self) -> list[str]:
        """The paths of the page files that Windows uses now."""
        with judged("ask for the page files"):
            found = self._session.instances("Win32_PageFileUsage")
        return [instance.text("Name") for instance in found]

    def crash_dump(self) -> str:
        """The path of the file that Windows dumps a crash to, "" when it says none.

        A dedicated dump file (DedicatedDumpFile in the registry) is in no class.
        """
        with judged("ask for the crash dump's file"):
            found = self._session.instances("Win32_OSRecoveryConfiguration")
        return found[0].text("ExpandedDebugFilePath") if found else ""

    def service(self, name: str) -> Service:
        """The service with that name; NotFound (1060) when there is none."""
        with judged(f"read service {name}"):
            found = self._session.instances("Win32_Service", Name=name)
        if not found:
            raise NotFound(f"there is no service {name}", WindowsCode.SERVICE_DOES_NOT_EXIST)
        return _service(found[0])

    def dependents(self, service: Service) -> list[Service]:
        """The services that need this one, directly."""
        with judged(f"list what depends on service {service.name}"):
            found = self._session.associated(
                service.instance, "Win32_DependentService", "Win32_Service", "Dependent"
            )
        return sorted(map(_service, found), key=lambda dependent: dependent.name.lower())

    def start(self, service: Service) -> None:
        """Ask a service to start; a running one is fine.  It may take a while to run."""
        self._call(service, "StartService", f"start service {service.name}", also=(ALREADY_RUNNING,))

    def stop(self, service: Service) -> None:
        """Ask a service to stop; one that cannot take it because it is stopped or stopping is fine."""
        self._call(service, "StopService", f"stop service {service.name}", also=(NOT_STARTED_OR_CANNOT,))

    def _call(self, service: Service, method: str, what: str, also: tuple[int, ...]) -> None:
        with judged(what):
            result = self._session.invoke(service.instance, method)
        expect(result, f"Win32_Service.{method}", what, also=also, table=SERVICE)


_STATES = {state.value: state for state in ServiceState}
_START_MODES = {mode.value: mode for mode in StartMode}


def _service(instance: Instance) -> Service:
    return Service(
        name=instance.text("Name"),
        display_name=instance.text("DisplayName"),
        state=_STATES.get(instance.text("State"), ServiceState.UNKNOWN),
        start_mode=_START_MODES.get(instance.text("StartMode")),
        instance=instance,
    )
