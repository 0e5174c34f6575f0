"""csi-proxy as a Windows service: what the service control manager tells it, and is told.

https://learn.microsoft.com/windows/win32/services/service-programs
"""

import os
import sys
from collections.abc import Callable
from threading import Event
from typing import TYPE_CHECKING, ClassVar, Final

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

import pywintypes
import servicemanager
import win32service
import win32serviceutil
import winerror

if TYPE_CHECKING:
    from csiproxy.supervision import Supervisor

_START_MS: Final = 60_000
"""What the start may take: an emulated node that is started first takes the longest."""
_MARGIN: Final = 5.0
"""Seconds that the end takes beyond what running calls get."""
_PRESHUTDOWN: Final = 0x0000_0100
_CONTROL_PRESHUTDOWN: Final = 0x0000_000F


class NotStartedAsService(Exception):
    """The service control manager has not started this process."""


class Hosted(win32serviceutil.ServiceFramework):
    """What pywin32 makes an instance of when Windows starts the service; a supervisor of the daemon."""

    _svc_name_ = "csiproxy"

    serve: ClassVar[Callable[["Supervisor"], int]]
    code: ClassVar[int] = 1

    def __init__(self, arguments: list[str]) -> None:
        self._asked = Event()
        super().__init__(arguments)

    def GetAcceptedControls(self) -> int:  # noqa: N802  pywin32's names, here and below
        """Which controls Windows may send."""
        return win32service.SERVICE_ACCEPT_STOP | win32service.SERVICE_ACCEPT_SHUTDOWN | _PRESHUTDOWN

    def SvcStop(self) -> None:  # noqa: N802
        """Somebody stops the service."""
        self._asked.set()

    def SvcShutdown(self) -> None:  # noqa: N802
        """The system goes down."""
        self._asked.set()

    def SvcOtherEx(self, control: int, event: int, data: object) -> None:  # noqa: ARG002, N802
        """The system will go down; it waits longer for services that are told like this."""
        if control == _CONTROL_PRESHUTDOWN:
            self._asked.set()

    def SvcRun(self) -> None:  # noqa: N802
        """The service's life."""
        self.ReportServiceStatus(win32service.SERVICE_START_PENDING, waitHint=_START_MS)
        code = 1
        try:
            code = Hosted.serve(self)
        finally:
            Hosted.code = code
            self.ReportServiceStatus(
                win32service.SERVICE_STOPPED,
                win32ExitCode=winerror.ERROR_SERVICE_SPECIFIC_ERROR if code else winerror.NO_ERROR,
                svcExitCode=code,
            )
            if code:
                os._exit(code)  # pywin32 would report an end without an error after this one

    def serving(self) -> None:
        """Calls are answered from now on."""
        self.ReportServiceStatus(win32service.SERVICE_RUNNING)

    def wait(self) -> None:
        """Block until the service is to stop."""
        self._asked.wait()

    def stopping(self, seconds: float) -> None:
        """The end has begun and may take so long."""
        hint = int((seconds + _MARGIN) * 1000)
        self.ReportServiceStatus(win32service.SERVICE_STOP_PENDING, waitHint=hint)


def run(serve: Callable[["Supervisor"], int]) -> int:
    """Be a service until ``serve`` returns; give its exit code.  Raise NotStartedAsService.

    An exit code other than 0 is told to Windows as the service's own error, which the recovery actions of
    the service count as a failure.
    """
    Hosted.serve = staticmethod(serve)
    servicemanager.Initialize()
    servicemanager.PrepareToHostSingle(Hosted)
    try:
        servicemanager.StartServiceCtrlDispatcher()  # type: ignore[no-untyped-call]
    except pywintypes.error as error:
        if error.winerror == winerror.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT:
            raise NotStartedAsService(
                "the service control manager has not started this process: "
                "start the service, or leave out -windows-service"
            ) from error
        raise OSError(error.winerror, error.strerror) from error
    return Hosted.code
