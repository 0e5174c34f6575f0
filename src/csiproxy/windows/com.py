r"""The CIM half of the port over COM: WMI's scripting objects, late bound.

Each thread has a connection of its own to each namespace, which stays open.  One that turns out broken (WMI
was restarted) is made anew, and what cannot have been done is then asked again by itself.
https://learn.microsoft.com/windows/win32/wmisdk/scripting-api-for-wmi
"""

import threading
from collections.abc import Callable, Mapping
from typing import TypeVar

from csiproxy.errors import CimError, HostUnreachable
from csiproxy.host.catalogue import described
from csiproxy.host.cim import Instance, Result, Value, namespace_of
from csiproxy.host.schema import CimClass, CimType, Method, fits
from csiproxy.windows import wql
from csiproxy.windows.automation import (
    DISP_E_MEMBERNOTFOUND,
    DISP_E_UNKNOWNNAME,
    Automation,
    AutomationError,
    is_object,
)
from csiproxy.windows.cim_values import from_variant, to_variant

T = TypeVar("T")
Connect = Callable[[str], Automation]

LANGUAGE = "WQL"
# Rows as they come, each once: nobody counts them or goes back.
FORWARD_ONLY = 0x10 | 0x20  # wbemFlagReturnImmediately | wbemFlagForwardOnly

FAILED = 0x80041001
NOT_FOUND = 0x80041002
INVALID_CLASS = 0x80041010
INVALID_METHOD = 0x8004102E
INVALID_METHOD_PARAMETERS = 0x8004102F
METHOD_NOT_IMPLEMENTED = 0x80041055
NOT_IMPLEMENTED = 0x80004001

# The connection is of no use any more, and nothing was done on it.
_NOTHING_DONE = {
    0x80010012: "RPC_E_SERVER_DIED_DNE",
    0x80010108: "RPC_E_DISCONNECTED",
    0x800401FD: "CO_E_OBJNOTCONNECTED",
    0x80040154: "REGDB_E_CLASSNOTREG",
    0x80080005: "CO_E_SERVER_EXEC_FAILURE",
    0x800706BA: "RPC_S_SERVER_UNAVAILABLE",
    0x800706BF: "RPC_S_CALL_FAILED_DNE",
    0x800706D9: "EPT_S_NOT_REGISTERED",
    0x80041033: "WBEM_E_SHUTTING_DOWN",
}
# It is of no use any more, and whether the call was done is not known.
_MAYBE_DONE = {
    0x80010007: "RPC_E_SERVER_DIED",
    0x800706BE: "RPC_S_CALL_FAILED",
    0x80041015: "WBEM_E_TRANSPORT_FAILURE",
    0x8004100A: "WBEM_E_CRITICAL_ERROR",
}
# How often a call is begun that nothing can have come of; with a warm start of WMI the second is the last.
MOST_ATTEMPTS = 3


class _Connections(threading.local):
    """The connections of each thread, by namespace."""

    def __init__(self) -> None:
        self.connections: dict[str, _Wmi] = {}


class ComSession:
    """:class:`csiproxy.host.cim.Session` on a real Windows node.

    ``connect`` opens a namespace on the thread that calls it; it raises AutomationError.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._thread = _Connections()

    def instances(self, class_name: str, /, **where: bool | int | str) -> list[Instance]:
        """All instances of a class whose properties equal all of ``where``."""
        known = described(class_name)
        query = wql.select(known, where)
        return self._asked(
            "ExecQuery",
            known.name,
            lambda wmi: [read(found, known) for found in wmi.query(query)],
        )

    def associated(
        self, instance: Instance, association: str, result_class: str, result_role: str = ""
    ) -> list[Instance]:
        """Objects of ``result_class`` joined to ``instance``; empty when it has gone."""
        known = described(result_class)
        query = wql.associators(_path(instance), association, known.name, result_role)
        try:
            return self._asked(
                "AssociatorsOf",
                instance.class_name,
                lambda wmi: [read(found, known) for found in wmi.query(query)],
            )
        except CimError as error:
            if error.hresult == NOT_FOUND:
                return []
            raise

    def invoke(self, target: Instance | str, method: str, /, **parameters: Value) -> Result:
        """Call a method of an instance, or a static one of the class named."""
        class_name = target if isinstance(target, str) else target.class_name
        known = described(class_name)
        called = f"{known.name}.{method}"
        given = {name: value for name, value in parameters.items() if value is not None}
        method_known = _signature(known, method, isinstance(target, str))
        _check(called, method_known, given)
        path = known.name if isinstance(target, str) else _path(target)
        result = self._asked(
            called,
            known.name,
            lambda wmi: wmi.execute(known.name, path, method, given, method_known),
            repeatable=False,
        )
        try:
            return _result(called, result, method_known)
        except AutomationError as error:  # it was done, and its answer is lost
            raise _failure(called, error) from error

    def close(self) -> None:
        """Let go of the calling thread's connections."""
        self._connections().clear()

    # --- steps

    def _asked(
        self, operation: str, class_name: str, call: Callable[["_Wmi"], T], *, repeatable: bool = True
    ) -> T:
        """Make a call on this thread's connection; a broken one is replaced."""
        namespace = namespace_of(class_name)
        for attempt in range(1, MOST_ATTEMPTS + 1):
            try:
                return call(self._wmi(namespace))
            except AutomationError as error:
                failure = _failure(operation, error)
                if isinstance(failure, HostUnreachable):
                    self._connections().pop(namespace, None)
                    again = repeatable or error.hresult in _NOTHING_DONE
                    if again and attempt < MOST_ATTEMPTS:
                        continue
                raise failure from error
        raise HostUnreachable(f"WMI does not answer {operation}")

    def _connections(self) -> dict[str, "_Wmi"]:
        return self._thread.connections

    def _wmi(self, namespace: str) -> "_Wmi":
        connections = self._connections()
        if namespace not in connections:
            connections[namespace] = _Wmi(self._connect(namespace))
        return connections[namespace]


class _Wmi:
    """One connection to a namespace, with the parameters of the methods that were called on it."""

    def __init__(self, services: Automation) -> None:
        self._services = services
        self._signatures: dict[tuple[str, str], Automation] = {}

    def query(self, text: str) -> list[Automation]:
        return list(_object(self._services.call("ExecQuery", text, LANGUAGE, FORWARD_ONLY)).each())

    def execute(
        self, class_name: str, path: str, method: str, given: Mapping[str, Value], known: Method
    ) -> Automation:
        """Call a method with named parameters; what is not among them is not given."""
        arguments: list[object] = [path, method]
        if given:
            parameters = self._parameters(class_name, method)
            properties = _object(parameters.get("Properties_"))
            for name, value in given.items():
                item = _object(properties.call("Item", name))
                item.put("Value", to_variant(value, known.inputs[name]))
            arguments.append(parameters)
        return _object(self._services.call("ExecMethod", *arguments))

    def _parameters(self, class_name: str, method: str) -> Automation:
        signature = self._signatures.get((class_name, method))
        if signature is None:
            methods = _object(_object(self._services.call("Get", class_name)).get("Methods_"))
            signature = _object(_object(methods.call("Item", method)).get("InParameters"))
            self._signatures[class_name, method] = signature
        return _object(signature.call("SpawnInstance_"))


def read(found: Automation, known: CimClass) -> Instance:
    """All that the schema knows of an object; what this Windows has not is left out."""
    properties: dict[str, Value] = {}
    for name, kind in known.properties.items():
        try:
            value = found.get(name)
        except AutomationError as error:
            if error.hresult not in (DISP_E_UNKNOWNNAME, DISP_E_MEMBERNOTFOUND, NOT_FOUND):
                raise
        else:
            properties[name] = from_variant(value, kind, _embedded)
    return Instance(known.name, _key(found, known, properties.get(known.key)), properties)


def _key(found: Automation, known: CimClass, value: Value) -> str:
    """What names an object again: its key as WMI's own path of it says, else as the property says."""
    try:
        path = _object(found.get("Path_")).get("RelPath")
    except AutomationError as error:  # embedded objects have none, and Wine 10 tells none
        if error.hresult not in (DISP_E_UNKNOWNNAME, DISP_E_MEMBERNOTFOUND, NOT_FOUND, NOT_IMPLEMENTED):
            raise
        path = None
    if isinstance(path, str) and "=" in path:  # a class alone has no key
        key = wql.key_of(path, known)
        return wql.RelativePath(path) if key is None else key
    return value if isinstance(value, str) else ""


def _embedded(found: Automation, class_name: str) -> Instance:
    return read(found, described(class_name))


def _path(instance: Instance) -> str:
    """The path of an instance."""
    return wql.object_path(described(instance.class_name), instance.key)


def _signature(known: CimClass, method: str, of_class: bool) -> Method:
    """What the schema says of a method; one that it does not have cannot be called."""
    called = f"{known.name}.{method}"
    if not known.properties:
        raise CimError(INVALID_CLASS, called, "the schema has no such class")
    found = known.methods.get(method)
    if found is None:
        raise CimError(METHOD_NOT_IMPLEMENTED, called, "the schema has no such method")
    if of_class and not found.static:
        raise CimError(INVALID_METHOD, called, "it is a method of instances, not of the class")
    return found


def _check(called: str, known: Method, given: Mapping[str, Value]) -> None:
    """Refuse parameters that the schema does not know, or of another type."""
    for name, value in given.items():
        kind = known.inputs.get(name)
        if kind is None:
            raise CimError(INVALID_METHOD_PARAMETERS, called, f"it has no parameter {name}")
        if not fits(value, kind) or isinstance(value, Instance):
            raise CimError(INVALID_METHOD_PARAMETERS, called, f"{name} is a {kind}")
    missing = [name for name in known.required if name not in given]
    if missing:
        raise CimError(INVALID_METHOD_PARAMETERS, called, f"{missing[0]} is required")


def _failure(operation: str, error: AutomationError) -> CimError | HostUnreachable:
    """What a failure of COM means: WMI said no, or does not answer."""
    name = _NOTHING_DONE.get(error.hresult) or _MAYBE_DONE.get(error.hresult)
    if name is None:
        return CimError(error.hresult, operation, error.text)
    return HostUnreachable(f"WMI does not answer {operation}: {name} (0x{error.hresult:08x})")


def _result(called: str, found: Automation, known: Method) -> Result:
    value = _out(found, "ReturnValue", "uint32")
    if not isinstance(value, int):
        raise CimError(FAILED, called, "it gave no return value")
    return Result(value, {name: _out(found, name, kind) for name, kind in known.outputs.items()})


def _out(found: Automation, name: str, kind: CimType) -> Value:
    try:
        value = found.get(name)
    except AutomationError as error:
        if error.hresult in (DISP_E_UNKNOWNNAME, DISP_E_MEMBERNOTFOUND, NOT_FOUND):
            return None
        raise
    return from_variant(value, kind, _embedded)


def _object(value: object) -> Automation:
    """What must be an object: WMI's own answers are."""
    if not is_object(value):
        raise AutomationError(NOT_FOUND, "WMI gave nothing where an object belongs")
    return value
