"""The emulated WMI's objects, used as the COM session uses COM's: everything but COM itself."""

from collections.abc import Iterator

from csiproxy.emulator import automation as emulated
from csiproxy.emulator.automation import NEW_ENUM, How
from csiproxy.emulator.swbem import Locator
from csiproxy.host.cim import Session
from csiproxy.windows.automation import AutomationError
from csiproxy.windows.com import ComSession


class InProcess:
    """:class:`csiproxy.windows.automation.Automation` on an emulated object."""

    def __init__(self, target: emulated.Automation) -> None:
        self.target = target

    def get(self, name: str) -> object:
        return self._invoke(self._dispid(name), How.GET)

    def put(self, name: str, value: object) -> None:
        self._invoke(self._dispid(name), How.PUT, value)

    def call(self, name: str, *arguments: object) -> object:
        return self._invoke(self._dispid(name), How.CALL, *arguments)

    def each(self) -> Iterator["InProcess"]:
        found = self._invoke(NEW_ENUM, How.CALL | How.GET)
        assert isinstance(found, tuple)
        yield from found

    def _dispid(self, name: str) -> int:
        try:
            return self.target.dispid(name)
        except emulated.AutomationError as error:
            raise AutomationError(error.hresult, error.text) from error

    def _invoke(self, dispid: int, how: How, *arguments: object) -> object:
        given = [one.target if isinstance(one, InProcess) else one for one in arguments]
        try:
            return outward(self.target.invoke(dispid, how, given).value)
        except emulated.AutomationError as error:
            raise AutomationError(error.hresult, error.text) from error


def outward(value: object) -> object:
    """A value as COM would carry it: numbers are plain, objects can be used."""
    if isinstance(value, emulated.Automation):
        return InProcess(value)
    if isinstance(value, tuple):
        return tuple(map(outward, value))
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def com_session(session: Session) -> ComSession:
    """A COM session on an emulated WMI on a session."""

    def connect(namespace: str) -> InProcess:
        services = InProcess(Locator(session)).call("ConnectServer", ".", namespace)
        assert isinstance(services, InProcess)
        return services

    return ComSession(connect)
