"""Objects of :mod:`csiproxy.emulator.automation` as COM objects, by comtypes.

comtypes shows the arguments as they come (pywin32 does not): only so can what a call gives back be put into
those that were passed by reference, wherever they stand among the others.
"""

import sys
import traceback
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from csiproxy.emulator.automation import NEW_ENUM, Automation, AutomationError, Byte, How, Outcome, Short
from csiproxy.host.names import utf16_length

if sys.platform == "win32":
    # comtypes enters the thread that imports it into this kind of apartment: the one without a message loop.
    sys.coinit_flags = 0  # type: ignore[attr-defined]  # COINIT_MULTITHREADED

    import ctypes

    from comtypes import COMObject, IUnknown
    from comtypes.automation import VARIANT, IDispatch, IEnumVARIANT
    from comtypes.GUID import GUID
    from comtypes.safearray import _midlSAFEARRAY
    from comtypes.server import IClassFactory

    S_OK, S_FALSE = 0, 1
    E_FAIL = 0x80004005
    E_NOTIMPL = 0x80004001
    CLASS_E_NOAGGREGATION = 0x80040110
    CLSCTX_LOCAL_SERVER, REGCLS_MULTIPLEUSE = 4, 1
    DISP_E_EXCEPTION = 0x80020009
    DISP_E_PARAMNOTFOUND = 0x80020004
    # Failures of the use itself are returned as they are; all others are the object's own (EXCEPINFO).
    DISPATCH_FAILURES = range(0x80020000, 0x80020100)
    SOURCE = "SWbemServicesEx"

    VT_BSTR, VT_DISPATCH, VT_ERROR, VT_VARIANT, VT_UNKNOWN = 8, 9, 10, 12, 13
    VT_ARRAY, VT_BYREF = 0x2000, 0x4000

    _allocate_text = ctypes.windll.oleaut32.SysAllocStringLen
    _allocate_text.argtypes = ctypes.c_wchar_p, ctypes.c_uint
    _allocate_text.restype = ctypes.c_void_p

    # The objects that programs hold, by where COM finds them: what comes back as an argument is one of them.
    _held: weakref.WeakValueDictionary[int, "Gateway"] = weakref.WeakValueDictionary()

    class Gateway(COMObject):  # type: ignore[misc]
        """One object.  It lives as long as somebody holds it."""

        _com_interfaces_ = (IDispatch,)

        def __init__(self, target: Automation) -> None:
            super().__init__()
            self.target = target
            _held[_address(self.pointer())] = self

        def pointer(self) -> Any:
            """A reference to it."""
            return self.QueryInterface(IDispatch)

        def IDispatch_GetTypeInfoCount(self, this: Any, count: Any) -> int:  # noqa: ARG002, N802
            """It describes itself nowhere."""
            count[0] = 0
            return S_OK

        def IDispatch_GetTypeInfo(self, this: Any, *arguments: Any) -> int:  # noqa: ARG002, N802
            """It describes itself nowhere."""
            return E_NOTIMPL

        def IDispatch_GetIDsOfNames(  # noqa: N802
            self,
            this: Any,  # noqa: ARG002
            riid: Any,  # noqa: ARG002
            names: Any,
            count: int,
            locale: int,  # noqa: ARG002
            dispids: Any,
        ) -> int:
            """The number of a member; names of arguments are unknown."""
            try:
                for index in range(count):
                    dispids[index] = self.target.dispid(names[index]) if index == 0 else -1
            except AutomationError as error:
                dispids[0] = -1
                return error.hresult
            except Exception:  # noqa: BLE001 - COM must get an answer
                traceback.print_exc()
                return E_FAIL
            return S_OK

        def IDispatch_Invoke(  # noqa: N802
            self,
            this: Any,  # noqa: ARG002
            dispid: int,
            riid: Any,  # noqa: ARG002
            locale: int,  # noqa: ARG002
            flags: int,
            parameters: Any,
            result: Any,
            exception: Any,
            wrong: Any,  # noqa: ARG002
        ) -> int:
            """Read, set or call a member."""
            try:
                given = _arguments(parameters[0])
                outcome = self.target.invoke(dispid, How(flags & 0xF), [_value(one) for one in given])
                _answer(dispid, outcome, given, result)
            except AutomationError as error:
                return _failed(error, exception)
            except Exception as error:  # noqa: BLE001 - COM must get an answer
                traceback.print_exc()
                return _failed(AutomationError(E_FAIL, f"{type(error).__name__}: {error}"), exception)
            return S_OK

    class Rows(COMObject):  # type: ignore[misc]
        """What a collection holds, one after the other."""

        _com_interfaces_ = (IEnumVARIANT,)

        def __init__(self, found: Sequence[Automation]) -> None:
            super().__init__()
            self._found = found
            self._at = 0

        def IEnumVARIANT_Next(self, this: Any, wanted: int, rows: Any, fetched: Any) -> int:  # noqa: ARG002, N802
            """The next ones, fewer at the end."""
            found = self._found[self._at : self._at + wanted]
            try:
                for index, one in enumerate(found):
                    _set(rows[index], one)
            except Exception:  # noqa: BLE001 - COM must get an answer
                traceback.print_exc()
                return E_FAIL
            self._at += len(found)
            if fetched:
                fetched[0] = len(found)
            return S_OK if len(found) == wanted else S_FALSE

        def IEnumVARIANT_Skip(self, this: Any, count: int) -> int:  # noqa: ARG002, N802
            """Leave some out."""
            left = len(self._found) - self._at
            self._at += min(count, left)
            return S_OK if count <= left else S_FALSE

        def IEnumVARIANT_Reset(self, this: Any) -> int:  # noqa: ARG002, N802
            """Begin again."""
            self._at = 0
            return S_OK

        def IEnumVARIANT_Clone(self, this: Any, copy: Any) -> int:  # noqa: ARG002, N802
            """It cannot be copied."""
            return E_NOTIMPL

    class _Factory(COMObject):  # type: ignore[misc]
        """Makes an object for every program that asks for the class."""

        _com_interfaces_ = (IClassFactory,)

        def __init__(self, make: Callable[[], Automation]) -> None:
            super().__init__()
            self._make = make

        def IClassFactory_CreateInstance(self, this: Any, outer: Any, riid: Any, made: Any) -> int:  # noqa: ARG002, N802
            """A new object."""
            if outer:
                return CLASS_E_NOAGGREGATION
            return int(Gateway(self._make()).IUnknown_QueryInterface(None, riid, made))

        def IClassFactory_LockServer(self, this: Any, locked: Any) -> int:  # noqa: ARG002, N802
            """It serves until its context ends, locked or not."""
            return S_OK

    @contextmanager
    def serving(class_id: str, make: Callable[[], Automation]) -> Iterator[None]:
        """Let other programs have objects of a class; calls come on COM's own threads."""
        cookie = ctypes.c_ulong()
        ctypes.oledll.ole32.CoRegisterClassObject(
            ctypes.byref(GUID(class_id)),
            _Factory(make).QueryInterface(IClassFactory),
            CLSCTX_LOCAL_SERVER,
            REGCLS_MULTIPLEUSE,
            ctypes.byref(cookie),
        )
        try:
            yield
        finally:
            ctypes.oledll.ole32.CoRevokeClassObject(cookie)

    def _answer(dispid: int, outcome: Outcome, given: Sequence[Any], result: Any) -> None:
        for index, value in outcome.outs.items():
            if index < len(given):
                _give_back(given[index], value)
        if not result:
            return
        if dispid == NEW_ENUM and isinstance(outcome.value, tuple):
            result[0].value = Rows(outcome.value).QueryInterface(IUnknown)
        else:
            _set(result[0], outcome.value)

    def _arguments(parameters: Any) -> list[Any]:
        """The arguments from the first to the last; COM has them the other way round."""
        return [parameters.rgvarg[index] for index in reversed(range(parameters.cArgs))]

    def _value(variant: Any) -> object:
        """What an argument holds; one that was left out is None."""
        kind = variant.vt
        if kind == VT_BYREF | VT_VARIANT:
            return _value(ctypes.cast(variant._.c_void_p, ctypes.POINTER(VARIANT))[0])
        if kind == VT_ERROR:
            return None
        if kind in (VT_DISPATCH, VT_UNKNOWN):
            return _object(variant._.c_void_p)
        if kind == VT_BYREF | VT_DISPATCH:
            return _object(ctypes.cast(variant._.c_void_p, ctypes.POINTER(ctypes.c_void_p))[0])
        value: object = variant[0] if kind & VT_BYREF else variant.value
        return value

    def _object(address: int | None) -> object:
        """The object at an address: one of ours, None for none, and nothing that is of use for any other."""
        if not address:
            return None
        found = _held.get(address)
        return object() if found is None else found.target

    def _set(variant: Any, value: object) -> None:
        """Put a value into a VARIANT."""
        if isinstance(value, Automation):
            variant.value = Gateway(value).pointer()
        elif isinstance(value, tuple):
            items = (VARIANT * len(value))()
            for item, one in zip(items, value, strict=True):
                _set(item, one)
            array = _midlSAFEARRAY(VARIANT).create(list(items))
            variant.value = None
            ctypes.memmove(ctypes.byref(variant._), ctypes.byref(array), ctypes.sizeof(array))
            variant.vt = VT_ARRAY | VT_VARIANT
        elif isinstance(value, str):
            # comtypes would count characters where Windows counts units of UTF-16.
            variant.value = None
            variant._.c_void_p = _allocate_text(value, utf16_length(value))
            variant.vt = VT_BSTR
        elif isinstance(value, Byte):
            variant.value = ctypes.c_ubyte(value)
        elif isinstance(value, Short):
            variant.value = ctypes.c_short(value)
        else:
            variant.value = value

    def _give_back(variant: Any, value: object) -> None:
        """Put a value where an argument refers to; one that refers nowhere gets nothing."""
        kind = variant.vt
        if kind == VT_BYREF | VT_VARIANT:
            _set(ctypes.cast(variant._.c_void_p, ctypes.POINTER(VARIANT))[0], value)
        elif kind & VT_BYREF:
            filled = VARIANT()
            _set(filled, value)
            converted = VARIANT()
            wanted = kind & ~VT_BYREF
            if ctypes.oledll.oleaut32.VariantChangeType(
                ctypes.byref(converted), ctypes.byref(filled), 0, wanted
            ):
                return
            # Move it: what was there is the caller's to have freed, what is there now is the caller's.
            pointer = ctypes.sizeof(ctypes.c_void_p)
            width = {2: 2, 3: 4, 11: 2, 16: 1, 17: 1, 18: 2, 19: 4, 22: 4, 23: 4}.get(wanted, pointer)
            ctypes.memmove(variant._.c_void_p, ctypes.byref(converted._), width)
            converted.vt = 0

    def _failed(error: AutomationError, exception: Any) -> int:
        if error.hresult in DISPATCH_FAILURES or not exception:
            return error.hresult
        said = exception[0]
        said.wCode = 0
        said.bstrSource = SOURCE
        said.bstrDescription = error.text
        said.scode = ctypes.c_long(error.hresult).value
        return DISP_E_EXCEPTION

    def _address(pointer: Any) -> int:
        return ctypes.cast(pointer, ctypes.c_void_p).value or 0
