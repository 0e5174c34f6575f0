r"""COM objects through IDispatch, by pywin32, and the way to WMI.

The one module where a COM value's type is known to nobody: what it passes on is checked by its callers.
"""

import sys
from collections.abc import Iterator
from typing import Any

if sys.platform == "win32":
    # pythoncom enters the thread that imports it into this kind of apartment: the one without a message loop.
    sys.coinit_flags = 0  # type: ignore[attr-defined]  # COINIT_MULTITHREADED

    import pythoncom
    import pywintypes

    from csiproxy.windows.automation import AutomationError

    LOCATOR = "WbemScripting.SWbemLocator"
    # The server acts as this program, and nobody reads along (the storage classes want that much).
    IMPERSONATE = 3  # wbemImpersonationLevelImpersonate
    PACKET_PRIVACY = 6  # wbemAuthenticationLevelPktPrivacy
    THIS_COMPUTER = "."

    DISP_E_EXCEPTION = 0x80020009
    RPC_E_CHANGED_MODE = 0x80010106
    _ROWS_AT_ONCE = 64
    _SCODE = 5  # the place of EXCEPINFO's own code in what pywin32 gives
    _DESCRIPTION = 2

    def open_namespace(namespace: str, locator: str = LOCATOR) -> "Dispatch":
        """Connect this thread to a namespace of this computer's WMI.

        ``locator`` is the name or class id of the locator.  The thread stays in COM to its end.
        """
        try:
            pythoncom.CoInitializeEx(pythoncom.COINIT_MULTITHREADED)
        except pywintypes.com_error as error:
            if error.args[0] & 0xFFFFFFFF != RPC_E_CHANGED_MODE:  # somebody chose another kind: also fine
                raise _failure(error) from error
        try:
            found = pythoncom.CoCreateInstance(
                pywintypes.IID(locator), None, pythoncom.CLSCTX_SERVER, pythoncom.IID_IDispatch
            )
        except pywintypes.com_error as error:
            raise _failure(error) from error
        services = Dispatch(found).call("ConnectServer", THIS_COMPUTER, namespace)
        if not isinstance(services, Dispatch):
            raise AutomationError(DISP_E_EXCEPTION, "the locator gave no connection")
        security = services.get("Security_")
        if isinstance(security, Dispatch):
            security.put("ImpersonationLevel", IMPERSONATE)
            security.put("AuthenticationLevel", PACKET_PRIVACY)
        return services

    class Dispatch:
        """:class:`csiproxy.windows.automation.Automation` on a COM object."""

        __slots__ = ("target",)

        def __init__(self, target: Any) -> None:
            self.target = target

        def get(self, name: str) -> object:
            """Read a property."""
            return self._invoke(name, pythoncom.DISPATCH_PROPERTYGET, True)

        def put(self, name: str, value: object) -> None:
            """Set a property."""
            self._invoke(name, pythoncom.DISPATCH_PROPERTYPUT, False, value)

        def call(self, name: str, *arguments: object) -> object:
            """Call a method."""
            return self._invoke(name, pythoncom.DISPATCH_METHOD, True, *arguments)

        def each(self) -> Iterator["Dispatch"]:
            """What a collection holds."""
            how = pythoncom.DISPATCH_METHOD | pythoncom.DISPATCH_PROPERTYGET
            try:
                unknown = self.target.Invoke(pythoncom.DISPID_NEWENUM, 0, how, True)
                rows = unknown.QueryInterface(pythoncom.IID_IEnumVARIANT)
                while found := rows.Next(_ROWS_AT_ONCE):
                    for one in found:
                        yield Dispatch(one)
            except pywintypes.com_error as error:
                raise _failure(error) from error

        def _invoke(self, name: str, how: int, wants_result: bool, *arguments: object) -> object:
            given = [one.target if isinstance(one, Dispatch) else one for one in arguments]
            try:
                dispid = self.target.GetIDsOfNames(name)
                return _value(self.target.Invoke(dispid, 0, how, wants_result, *given))
            except pywintypes.com_error as error:
                raise _failure(error) from error

    def _value(value: Any) -> object:
        kinds = pythoncom.TypeIIDs
        if isinstance(value, kinds[pythoncom.IID_IDispatch]):
            return Dispatch(value)
        if isinstance(value, kinds[pythoncom.IID_IUnknown]):
            unknown: Any = value
            return Dispatch(unknown.QueryInterface(pythoncom.IID_IDispatch))
        return tuple(map(_value, value)) if isinstance(value, tuple) else value

    def _failure(error: "pywintypes.com_error") -> AutomationError:
        """What failed: the object's own code, where the failure was its own."""
        hresult, text, own = error.args[0], error.args[1], error.args[2]
        if own and own[_SCODE]:
            return AutomationError(own[_SCODE], str(own[_DESCRIPTION] or "").strip())
        return AutomationError(hresult, str(text or "").strip())
