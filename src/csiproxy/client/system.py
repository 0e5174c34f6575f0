"""Group system: the firmware's serial number, and the services that storage needs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from csiproxy.client.call import Asynchronous, Call, Rpc, Synchronous, nothing

if TYPE_CHECKING:
    from csiproxy.api.system import v1alpha1_pb2

_GROUP = "system"


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


@dataclass(frozen=True, slots=True)
class Service:
    """A Windows service: its name for people, when it starts, what it does now."""

    display_name: str
    start_type: StartType
    status: ServiceStatus


class SystemCalls:
    """The calls.  Services go by their name (``MSiSCSI``), not by the one for people."""

    @Rpc
    def get_bios_serial_number(self) -> Call[str]:
        """The firmware's serial number, by which clouds name a machine."""
        return Call(_GROUP, "GetBIOSSerialNumber", _serial_number)

    @Rpc
    def start_service(self, name: str) -> Call[None]:
        """Start a service and wait until it runs; a running one is success.

        NotFound, PermissionDenied (not one that the proxy's operator allows), DeadlineExceeded.
        """
        return Call(_GROUP, "StartService", nothing, {"name": name})

    @Rpc
    def stop_service(self, name: str, *, force: bool = False) -> Call[None]:
        """Stop a service (with ``force`` those that depend on it, too) and wait until it has stopped.

        NotFound, PermissionDenied, FailedPrecondition (others depend on it).
        """
        return Call(_GROUP, "StopService", nothing, {"name": name, "force": force})

    @Rpc
    def get_service(self, name: str) -> Call[Service]:
        """What a service is and does.  NotFound."""
        return Call(_GROUP, "GetService", _service, {"name": name})


class System(SystemCalls, Synchronous):
    """A node's firmware and services."""


class AsyncSystem(SystemCalls, Asynchronous):
    """A node's firmware and services, for asyncio."""


def _serial_number(reply: v1alpha1_pb2.GetBIOSSerialNumberResponse) -> str:
    return reply.serial_number


def _service(reply: v1alpha1_pb2.GetServiceResponse) -> Service:
    return Service(reply.display_name, StartType(reply.start_type), ServiceStatus(reply.status))
