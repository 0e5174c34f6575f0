"""Group system: the firmware's serial number, and the services that storage needs."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum

from csiproxy.errors import (
    DeadlineExceeded,
    FailedPrecondition,
    Internal,
    InvalidArgument,
    PermissionDenied,
    WindowsCode,
)
from csiproxy.host.names import equality_key
from csiproxy.operations import rail
from csiproxy.operations.context import Context
from csiproxy.operations.locks import Locks
from csiproxy.operations.paths import shown
from csiproxy.storage.system import Service, ServiceState, StartMode, System

WAIT_SECONDS = 30.0
_POLL_SECONDS = 0.2
_LONGEST_NAME = 256


class ServiceStatus(IntEnum):
    """What a service does now."""

    UNKNOWN = 0
    STOPPED = 1
    START_PENDING = 2
    STOP_PENDING = 3
    RUNNING = 4
    CONTINUE_PENDING = 5
    PAUSE_PENDING = 6
    PAUSED = 7


class StartType(IntEnum):
    """When Windows starts a service."""

    BOOT = 0
    SYSTEM = 1
    AUTOMATIC = 2
    MANUAL = 3
    DISABLED = 4


_START_TYPES = {
    StartMode.BOOT: StartType.BOOT,
    StartMode.SYSTEM: StartType.SYSTEM,
    StartMode.AUTO: StartType.AUTOMATIC,
    StartMode.MANUAL: StartType.MANUAL,
    StartMode.DISABLED: StartType.DISABLED,
}


@dataclass(frozen=True, slots=True)
class GetBiosSerialNumber:
    """The firmware's serial number."""

    serial_number: str


@dataclass(frozen=True, slots=True)
class GetService:
    """What a service is called, when it starts, and what it does now."""

    display_name: str
    start_type: StartType
    status: ServiceStatus


class SystemGroup:
    """The RPCs of the newest system version.

    ``allowed`` names the services that clients may start and stop; every service may be asked about.
    """

    def __init__(
        self,
        system: System,
        locks: Locks,
        allowed: Iterable[str],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._system = system
        self._locks = locks
        self._allowed = {equality_key(name) for name in allowed}
        self._sleep = sleep

    def get_bios_serial_number(self, context: Context) -> GetBiosSerialNumber:
        """The firmware's serial number, by which clouds name a machine."""
        return GetBiosSerialNumber(self._system.bios_serial_number())

    def get_service(self, context: Context, *, name: str) -> GetService:
        """What a service is and does."""
        service = self._system.service(_checked(name))
        if service.start_mode is None:
            raise Internal(f"Windows does not say of service {service.name} when it starts")
        return GetService(
            service.display_name, _START_TYPES[service.start_mode], ServiceStatus[service.state.name]
        )

    def start_service(self, context: Context, *, name: str) -> None:
        """Start a service and wait until it runs; a running one is success."""
        self._require_allowed(_checked(name))
        with self._locks.hold(context, f"service {equality_key(name)}"):
            service = self._settled(context, name)
            if service.state is ServiceState.PAUSED:
                raise FailedPrecondition(
                    f"service {service.name} is paused; resume it on the node, or stop it first",
                    WindowsCode.SERVICE_CANNOT_ACCEPT_CTRL,
                )
            if service.state is not ServiceState.RUNNING:
                context.note("starting-service", service=service.name)
                self._system.start(service)
                self._await(context, name, lambda state: state is ServiceState.RUNNING)

    def stop_service(self, context: Context, *, name: str, force: bool) -> None:
        """Stop a service and wait until it has stopped; with force, first what depends on it."""
        self._require_allowed(_checked(name))
        with self._locks.hold(context, f"service {equality_key(name)}"):
            service = self._settled(context, name)
            order = self._running_dependents(service)
            if order and not force:
                raise FailedPrecondition(
                    f"services that depend on {service.name} run ({', '.join(s.name for s in order)}); "
                    "stop them first, or stop with force",
                    WindowsCode.DEPENDENT_SERVICES_RUNNING,
                )
            for dependent in order:
                self._require_allowed(dependent.name)
            for each in (*order, service):
                self._stop(context, each.name)

    def _running_dependents(self, service: Service) -> list[Service]:
        """What runs and needs the service, in the order to stop it: what nobody needs comes first."""
        order: dict[str, Service] = {}

        def visit(current: Service, above: tuple[str, ...]) -> None:
            for dependent in self._system.dependents(current):
                if dependent.name not in order and dependent.name not in above:
                    visit(dependent, (*above, dependent.name))
                    if dependent.state is not ServiceState.STOPPED:
                        order[dependent.name] = dependent

        visit(service, (service.name,))
        return list(order.values())

    def _stop(self, context: Context, name: str) -> None:
        service = self._settled(context, name)
        if service.state is not ServiceState.STOPPED:
            context.note("stopping-service", service=service.name)
            self._system.stop(service)
            self._await(context, name, lambda state: state is ServiceState.STOPPED)

    def _settled(self, context: Context, name: str) -> Service:
        """The service once it is on its way nowhere: until then it takes no control."""
        return self._await(context, name, lambda state: not state.is_passing)

    def _await(self, context: Context, name: str, reached: Callable[[ServiceState], bool]) -> Service:
        waited = 0.0
        while not reached((service := self._system.service(name)).state):
            if waited >= WAIT_SECONDS:
                raise DeadlineExceeded(
                    f"service {service.name} is still '{service.state.value}' after {WAIT_SECONDS:.0f} s; "
                    "the node's event log may say why",
                    WindowsCode.SERVICE_REQUEST_TIMEOUT,
                )
            context.check()
            self._sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
        return service

    def _require_allowed(self, name: str) -> None:
        if equality_key(name) not in self._allowed:
            raise PermissionDenied(
                f"service {shown(name)} is not one that clients may start or stop; {rail.SERVICE.advice}",
                rail=rail.SERVICE.name,
            )


def _checked(name: str) -> str:
    """A service's name is 1 to 256 characters without slashes (CreateService's page)."""
    if not 0 < len(name) <= _LONGEST_NAME or any(c in "/\\" or not c.isprintable() for c in name):
        raise InvalidArgument(f"{shown(name)} cannot be the name of a service", WindowsCode.INVALID_NAME)
    return name
