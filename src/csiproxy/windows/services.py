"""Windows services as a port: what can be done with one.  Imports anywhere."""

import sys
from dataclasses import dataclass
from typing import Protocol


class ServiceError(Exception):
    """It cannot be done; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Status:
    """A service as it is: its state in a word, its process (0 for none), its last exit code, its command."""

    state: str
    pid: int
    exit_code: int
    command: str


class Services(Protocol):
    """The services of a system.  Every method raises ServiceError; ``seconds`` is how long it may take."""

    def install(self, name: str, command: str, *, automatic: bool) -> None:
        """Make a service that runs ``command`` as the system and is started again after a failure."""
        ...

    def start(self, name: str, seconds: float) -> None:
        """Start a service and wait until it runs."""
        ...

    def stop(self, name: str, seconds: float) -> None:
        """Stop a service and wait until it has."""
        ...

    def uninstall(self, name: str, seconds: float) -> None:
        """Stop a service if it runs, and remove it."""
        ...

    def status(self, name: str) -> Status:
        """How a service is."""
        ...


def this_systems() -> Services:
    """The services of this Windows.  Raise ServiceError where there is none."""
    if sys.platform == "win32":
        from csiproxy.windows import service_control

        return service_control
    else:  # noqa: RET505  mypy tells platforms apart by branches only
        raise ServiceError(
            "this system has no Windows services; for those of an emulated node: csi-proxy emulator service"
        )
