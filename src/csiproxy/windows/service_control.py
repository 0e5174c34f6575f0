"""Making, starting, stopping and removing the Windows service.

https://learn.microsoft.com/windows/win32/services/service-control-programs
"""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias, cast

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

import pywintypes
import win32service
import winerror

from csiproxy.windows import event_log
from csiproxy.windows.services import ServiceError, Status

if TYPE_CHECKING:
    from _win32typing import PySC_HANDLE

Handle: TypeAlias = "PySC_HANDLE"

_DISPLAY_NAME: Final = "CSI Proxy ({name})"
_DESCRIPTION: Final = "Runs storage operations of this Kubernetes node for CSI node plugins in containers."
_RESTART: Final = win32service.SC_ACTION_RESTART
_RESTARTS: Final = ((_RESTART, 5_000), (_RESTART, 10_000), (_RESTART, 60_000))
"""After a failure: wait (milliseconds) and start again; the last one counts for all that follow."""
_FORGET_SECONDS: Final = 86_400
_DELETE: Final = 0x0001_0000
_PAUSE: Final = 0.1
_STATES: Final = {
    win32service.SERVICE_STOPPED: "stopped",
    win32service.SERVICE_START_PENDING: "starting",
    win32service.SERVICE_STOP_PENDING: "stopping",
    win32service.SERVICE_RUNNING: "running",
    win32service.SERVICE_CONTINUE_PENDING: "continuing",
    win32service.SERVICE_PAUSE_PENDING: "pausing",
    win32service.SERVICE_PAUSED: "paused",
}
_ADVICE: Final = {
    winerror.ERROR_ACCESS_DENIED: "run this as an administrator",
    winerror.ERROR_SERVICE_DOES_NOT_EXIST: "there is no service of this name; install it first",
    winerror.ERROR_SERVICE_EXISTS: "there is a service of this name already; uninstall it first",
    winerror.ERROR_SERVICE_MARKED_FOR_DELETE: "it is being removed; close programs that show services",
    winerror.ERROR_SERVICE_ALREADY_RUNNING: "it runs already",
    winerror.ERROR_SERVICE_NOT_ACTIVE: "it does not run",
    winerror.ERROR_SERVICE_DISABLED: "it is disabled; change its start mode first",
}


@contextmanager
def _manager(name: str, access: int) -> Iterator[Handle]:
    """The manager; what Windows refuses of the service ``name`` meanwhile becomes ServiceError."""
    try:
        with _closing(win32service.OpenSCManager(None, None, access)) as manager:
            yield manager
    except pywintypes.error as error:
        raise _refused(name, error) from error


@contextmanager
def _opened(name: str, access: int) -> Iterator[Handle]:
    """A handle of the service ``name``, otherwise as :func:`_manager`."""
    with (
        _manager(name, win32service.SC_MANAGER_CONNECT) as manager,
        _closing(win32service.OpenService(manager, name, access)) as service,
    ):
        yield service


@contextmanager
def _closing(handle: Handle) -> Iterator[Handle]:
    try:
        yield handle
    finally:
        win32service.CloseServiceHandle(handle)


def _refused(name: str, error: pywintypes.error) -> ServiceError:
    advice = _ADVICE.get(error.winerror, f"{error.strerror} ({error.winerror})")
    return ServiceError(f"service {name}: {advice}")


def install(name: str, command: str, *, automatic: bool) -> None:
    """Make the service, which runs ``command`` as the system and is started again after a failure.

    The source of its events is made, too.
    """
    start = win32service.SERVICE_AUTO_START if automatic else win32service.SERVICE_DEMAND_START
    with _manager(name, win32service.SC_MANAGER_CREATE_SERVICE) as manager:
        made = win32service.CreateService(
            manager,
            name,
            _DISPLAY_NAME.format(name=name),
            win32service.SERVICE_ALL_ACCESS,
            win32service.SERVICE_WIN32_OWN_PROCESS,
            start,
            win32service.SERVICE_ERROR_NORMAL,
            command,
            None,
            False,
            None,
            None,
            None,
        )
        with _closing(made) as service:
            try:
                _configure(service)
            except pywintypes.error:
                win32service.DeleteService(service)
                raise
    try:
        event_log.register()
    except OSError as error:
        raise ServiceError(
            f"service {name} is made, and the event log's source is not ({error.strerror})"
        ) from error


def _configure(service: Handle) -> None:
    change = win32service.ChangeServiceConfig2
    change(service, win32service.SERVICE_CONFIG_DESCRIPTION, _DESCRIPTION)
    change(
        service,
        win32service.SERVICE_CONFIG_FAILURE_ACTIONS,
        {"ResetPeriod": _FORGET_SECONDS, "RebootMsg": "", "Command": "", "Actions": _RESTARTS},
    )
    try:  # an orderly end with an error is a failure, too
        change(service, win32service.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, True)
    except pywintypes.error as error:
        if error.winerror != winerror.ERROR_INVALID_LEVEL:  # Wine has no such setting
            raise


def start(name: str, seconds: float) -> None:
    """Start the service and wait until it runs."""
    access = win32service.SERVICE_START | win32service.SERVICE_QUERY_STATUS
    with _opened(name, access) as service:
        win32service.StartService(service, None)
        _await(name, service, win32service.SERVICE_RUNNING, seconds)


def stop(name: str, seconds: float) -> None:
    """Stop the service and wait until it has."""
    access = win32service.SERVICE_STOP | win32service.SERVICE_QUERY_STATUS
    with _opened(name, access) as service:
        win32service.ControlService(service, win32service.SERVICE_CONTROL_STOP)
        _await(name, service, win32service.SERVICE_STOPPED, seconds)


def uninstall(name: str, seconds: float) -> None:
    """Stop the service if it runs, and remove it and the source of its events."""
    if status(name).state != "stopped":
        stop(name, seconds)
    with _opened(name, _DELETE) as service:
        win32service.DeleteService(service)
    try:
        event_log.unregister()
    except OSError as error:
        raise ServiceError(
            f"service {name} is removed, and the event log's source is not ({error.strerror})"
        ) from error


def status(name: str) -> Status:
    """How the service is."""
    access = win32service.SERVICE_QUERY_STATUS | win32service.SERVICE_QUERY_CONFIG
    with _opened(name, access) as service:
        found = _state(service)
        command = win32service.QueryServiceConfig(service)[3]
    own = found["Win32ExitCode"] == winerror.ERROR_SERVICE_SPECIFIC_ERROR
    return Status(
        _STATES.get(found["CurrentState"], "unknown"),
        found["ProcessId"],
        found["ServiceSpecificExitCode"] if own else found["Win32ExitCode"],
        command,
    )


def _state(service: Handle) -> Mapping[str, int]:
    """What SERVICE_STATUS_PROCESS has, by pywin32's names."""
    return cast("Mapping[str, int]", win32service.QueryServiceStatusEx(service))


def _await(name: str, service: Handle, state: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        found = _state(service)
        if found["CurrentState"] == state:
            return
        if found["CurrentState"] == win32service.SERVICE_STOPPED:
            raise ServiceError(
                f"service {name}: it ended at once (error {found['Win32ExitCode']}, its own "
                f"{found['ServiceSpecificExitCode']}); its log says why"
            )
        if time.monotonic() >= end:
            raise ServiceError(f"service {name}: it takes longer than {seconds:g} s; see its log")
        time.sleep(_PAUSE)
