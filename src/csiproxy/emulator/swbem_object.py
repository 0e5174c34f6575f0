"""SWbemObject and what belongs to it: its properties, its methods, its path.

https://learn.microsoft.com/windows/win32/wmisdk/swbemobject
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from csiproxy.emulator.automation import (
    FIRST_DYNAMIC,
    VALUE,
    Automation,
    AutomationError,
    Member,
    Outcome,
    method,
    prop,
)
from csiproxy.emulator.swbem_values import CIM_TYPES, OBJECT_TYPE, Wbem, from_scripting, to_scripting
from csiproxy.host.catalogue import described
from csiproxy.host.cim import Instance, Result, Value
from csiproxy.host.schema import CimClass, CimType, Method

PARAMETERS = "__PARAMETERS"
SERVER = "EMULATED"
RETURN_VALUE = {"ReturnValue": "uint32"}


class Origin(Protocol):
    """The connection that objects come from."""

    namespace: str

    def associated(
        self, instance: Instance, association: str, result_class: str, result_role: str, role: str
    ) -> "ObjectSet":
        """What is joined to an instance."""
        ...

    def run_method(self, target: Instance | str, method: str, parameters: Mapping[str, Value]) -> Result:
        """Call a method."""
        ...


class Security(Automation):
    """SWbemSecurity: levels are remembered, and mean nothing to an emulated node."""

    def __init__(self) -> None:
        self._levels = {"ImpersonationLevel": 3, "AuthenticationLevel": 6}

    def _set_impersonation(self, value: object) -> None:
        self._set("ImpersonationLevel", value)

    def _set_authentication(self, value: object) -> None:
        self._set("AuthenticationLevel", value)

    @prop("ImpersonationLevel", put=_set_impersonation)
    def impersonation(self) -> object:
        """3 (impersonate) unless set."""
        return self._levels["ImpersonationLevel"]

    @prop("AuthenticationLevel", put=_set_authentication)
    def authentication(self) -> object:
        """6 (packet privacy) unless set."""
        return self._levels["AuthenticationLevel"]

    def _set(self, name: str, value: object) -> None:
        if not isinstance(value, int):
            raise AutomationError(Wbem.TYPE_MISMATCH, f"{name} is a number")
        self._levels[name] = value


class Secured(Automation):
    """Everything with a ``Security_`` of its own."""

    def __init__(self) -> None:
        self._security = Security()

    @prop("Security_")
    def security(self) -> Security:
        """Its levels."""
        return self._security


class ObjectSet(Secured):
    """SWbemObjectSet: what a query found."""

    def __init__(self, found: Sequence["WbemObject"]) -> None:
        super().__init__()
        self._found = found

    def each(self) -> Sequence[Automation]:
        """The objects."""
        return self._found

    @prop("Count")
    def count(self) -> int:
        """How many."""
        return len(self._found)

    @method("Item", VALUE, unused=1)
    def item(self, path: object = None) -> Automation:
        """The object with that relative path."""
        for one in self._found:
            if isinstance(path, str) and one.relative_path.lower() == path.lower():
                return one
        raise AutomationError(Wbem.NOT_FOUND, "the set has no such object")

    @method("ItemIndex")
    def item_index(self, index: object = None) -> Automation:
        """The object at a place, from 0."""
        if isinstance(index, int) and 0 <= index < len(self._found):
            return self._found[index]
        raise AutomationError(Wbem.NOT_FOUND, "the set has no such object")


class WbemObject(Secured):
    """SWbemObject: an instance, a class, or the parameters of a method.

    ``values`` is what it says of itself; a property of its class that is not there is NULL.  ``shown`` leaves
    properties out, as SELECT does.
    """

    def __init__(
        self,
        origin: Origin,
        cim: CimClass,
        values: Mapping[str, Value],
        instance: Instance | None = None,
        shown: frozenset[str] | None = None,
    ) -> None:
        super().__init__()
        self.origin = origin
        self.cim = cim
        self.instance = instance
        self._values = dict(values)
        self._types = {
            name: kind for name, kind in cim.properties.items() if shown is None or name.lower() in shown
        }

    @classmethod
    def of(cls, origin: Origin, instance: Instance, shown: frozenset[str] | None = None) -> "WbemObject":
        """The object of an instance."""
        return cls(origin, described(instance.class_name), instance.properties, instance, shown)

    @property
    def relative_path(self) -> str:
        """``Class.Key="value"``, or the class alone."""
        if self.instance is None or not self.cim.key:
            return self.cim.name
        key = self.instance.key.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.cim.name}.{self.cim.key}="{key}"'

    def dynamic(self) -> Sequence[Member]:
        """Its properties, and its methods behind them."""
        names = [*self._types, *self.cim.methods]
        return [self._member(name, FIRST_DYNAMIC + index) for index, name in enumerate(names)]

    def _member(self, name: str, dispid: int) -> Member:
        if name in self._types:
            return Member(
                name, dispid, False, lambda _: self.value(name), lambda _, value: self.set(name, value)
            )
        known = self.cim.methods[name]
        return Member(
            name,
            dispid,
            True,
            lambda _, *arguments: self._direct(name, known, arguments),
            arguments=len(known.inputs) + len(known.outputs),
        )

    # --- properties

    def named(self, name: object) -> str:
        """The property of that name as its class writes it."""
        known = spelled(self._types, name)
        if known is None:
            raise AutomationError(Wbem.NOT_FOUND, f"{self.cim.name} has no such property")
        return known

    def type_of(self, name: str) -> CimType:
        """The type of a property."""
        return self._types[name]

    def names(self) -> Sequence[str]:
        """All properties."""
        return list(self._types)

    def value(self, name: str) -> object:
        """A property as a program gets it."""
        return to_scripting(self._values.get(name), self._types[name], self._embedded)

    def set(self, name: str, value: object) -> None:
        """Set a property of this object; the node learns of it as a parameter of a method."""
        self._values[name] = from_scripting(value, self._types[name], instance_of)

    def given(self) -> Mapping[str, Value]:
        """The values that are not NULL."""
        return {name: value for name, value in self._values.items() if value is not None}

    def _embedded(self, instance: Instance) -> "WbemObject":
        return WbemObject.of(self.origin, instance)

    @prop("Properties_")
    def properties(self) -> Automation:
        """SWbemPropertySet."""
        return PropertySet(self)

    @prop("Path_")
    def path(self) -> Automation:
        """SWbemObjectPath."""
        return Path(self)

    @prop("Derivation_")
    def derivation(self) -> tuple[str, ...]:
        """The classes that its class is derived from: none that a program could ask for."""
        return ()

    # --- methods

    @prop("Methods_")
    def methods(self) -> Automation:
        """SWbemMethodSet."""
        return MethodSet(self)

    @method("ExecMethod_", unused=2)
    def exec_method(self, name: object = None, parameters: object = None) -> Automation:
        """Call a method with named parameters."""
        return execute(self.origin, self.cim, self.instance, name, parameters)

    def _direct(self, name: str, known: Method, arguments: Sequence[object]) -> Outcome:
        """A call by position: parameters in their order, then places for what comes back."""
        types = list(known.inputs.items())
        parameters = {
            parameter: from_scripting(value, kind, instance_of)
            for (parameter, kind), value in zip(types, arguments, strict=False)
        }
        given = {parameter: value for parameter, value in parameters.items() if value is not None}
        result = self.origin.run_method(_target(self.cim, self.instance, known), name, given)
        outs = {
            len(types) + index: to_scripting(result.out.get(out), kind, self._embedded)
            for index, (out, kind) in enumerate(known.outputs.items())
        }
        return Outcome(to_scripting(result.return_value, "uint32", self._embedded), outs)

    @method("Associators_", unused=6)
    def associators(
        self,
        association: object = None,
        result_class: object = None,
        result_role: object = None,
        role: object = None,
    ) -> Automation:
        """What an association joins to it."""
        if self.instance is None:
            raise AutomationError(Wbem.NOT_SUPPORTED, "associations join instances, not classes")
        words = [text(word) for word in (association, result_class, result_role, role)]
        return self.origin.associated(self.instance, *words)

    @method("SpawnInstance_", unused=1)
    def spawn(self) -> Automation:
        """An instance of this class, with all properties NULL."""
        return WbemObject(self.origin, self.cim, {})

    @method("Clone_")
    def clone(self) -> Automation:
        """A copy."""
        return WbemObject(
            self.origin, self.cim, self._values, self.instance, frozenset(map(str.lower, self._types))
        )


class Property(Automation):
    """SWbemProperty."""

    def __init__(self, owner: WbemObject, name: str) -> None:
        self._owner = owner
        self._name = name

    def _set(self, value: object) -> None:
        self._owner.set(self._name, value)

    @prop("Value", VALUE, put=_set)
    def value(self) -> object:
        """Its value."""
        return self._owner.value(self._name)

    @prop("Name")
    def name(self) -> str:
        """Its name."""
        return self._name

    @prop("CIMType")
    def cim_type(self) -> int:
        """WbemCimtypeEnum."""
        return CIM_TYPES.get(self._owner.type_of(self._name).removesuffix("[]"), OBJECT_TYPE)

    @prop("IsArray")
    def is_array(self) -> bool:
        """Whether it holds several."""
        return self._owner.type_of(self._name).endswith("[]")

    @prop("IsLocal")
    def is_local(self) -> bool:
        """Whether no class above its own has it."""
        return True

    @prop("Origin")
    def origin(self) -> str:
        """The class that has it."""
        return self._owner.cim.name


class PropertySet(Automation):
    """SWbemPropertySet."""

    def __init__(self, owner: WbemObject) -> None:
        self._owner = owner

    def each(self) -> Sequence[Automation]:
        """All of them."""
        return [Property(self._owner, name) for name in self._owner.names()]

    @method("Item", VALUE, unused=1)
    def item(self, name: object = None) -> Automation:
        """The property of that name."""
        return Property(self._owner, self._owner.named(name))

    @prop("Count")
    def count(self) -> int:
        """How many."""
        return len(self._owner.names())


class Path(Secured):
    """SWbemObjectPath."""

    def __init__(self, owner: WbemObject) -> None:
        super().__init__()
        self._owner = owner

    @prop("Path", VALUE)
    def path(self) -> str:
        """Server, namespace and object."""
        return rf"\\{SERVER}\{self._owner.origin.namespace}:{self._owner.relative_path}"

    @prop("RelPath")
    def relative(self) -> str:
        """The object in its namespace."""
        return self._owner.relative_path

    @prop("Class")
    def class_name(self) -> str:
        """Its class."""
        return self._owner.cim.name

    @prop("Namespace")
    def namespace(self) -> str:
        """Its namespace."""
        return self._owner.origin.namespace

    @prop("Server")
    def server(self) -> str:
        """Its server."""
        return SERVER

    @prop("IsClass")
    def is_class(self) -> bool:
        """Whether it is of a class."""
        return self._owner.instance is None

    @prop("IsSingleton")
    def is_singleton(self) -> bool:
        """Whether its class has one instance and no key; none here has."""
        return False


class WbemMethod(Automation):
    """SWbemMethod."""

    def __init__(self, owner: WbemObject, name: str) -> None:
        self._owner = owner
        self._name = name
        self._known = owner.cim.methods[name]

    @prop("Name")
    def name(self) -> str:
        """Its name."""
        return self._name

    @prop("Origin")
    def origin(self) -> str:
        """The class that has it."""
        return self._owner.cim.name

    @prop("InParameters")
    def inputs(self) -> Automation | None:
        """What it takes, each NULL; nothing when it takes nothing."""
        return self._parameters(self._known.inputs)

    @prop("OutParameters")
    def outputs(self) -> Automation | None:
        """What it gives, each NULL."""
        return self._parameters({**self._known.outputs, **RETURN_VALUE})

    def _parameters(self, types: Mapping[str, CimType]) -> Automation | None:
        return WbemObject(self._owner.origin, CimClass(PARAMETERS, "", types, {}), {}) if types else None


class MethodSet(Automation):
    """SWbemMethodSet."""

    def __init__(self, owner: WbemObject) -> None:
        self._owner = owner

    def each(self) -> Sequence[Automation]:
        """All of them."""
        return [WbemMethod(self._owner, name) for name in self._owner.cim.methods]

    @method("Item", VALUE, unused=1)
    def item(self, name: object = None) -> Automation:
        """The method of that name."""
        known = spelled(self._owner.cim.methods, name)
        if known is None:
            raise AutomationError(Wbem.NOT_FOUND, f"{self._owner.cim.name} has no such method")
        return WbemMethod(self._owner, known)

    @prop("Count")
    def count(self) -> int:
        """How many."""
        return len(self._owner.cim.methods)


def execute(
    origin: Origin, cim: CimClass, instance: Instance | None, name: object, parameters: object
) -> WbemObject:
    """Call a method with named parameters; what it gives is an object with ReturnValue."""
    called = spelled(cim.methods, text(name)) or text(name)
    known = cim.methods.get(called, Method())
    if parameters is not None and not isinstance(parameters, WbemObject):
        raise AutomationError(Wbem.INVALID_METHOD_PARAMETERS, "the parameters are no object of WMI")
    given = parameters.given() if parameters else {}
    result = origin.run_method(_target(cim, instance, known), called, given)
    values = {**result.out, "ReturnValue": result.return_value}
    return WbemObject(origin, CimClass(PARAMETERS, "", {**known.outputs, **RETURN_VALUE}, {}), values)


def text(value: object) -> str:
    """A name that a program gave; left out it is ""."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise AutomationError(Wbem.TYPE_MISMATCH, "a name is a text")
    return value


def spelled(names: Iterable[str], name: object) -> str | None:
    """The one of ``names`` that a program means, as it is written there; case does not count."""
    if not isinstance(name, str):
        return None
    return next((known for known in names if known.lower() == name.lower()), None)


def instance_of(value: object) -> Instance | None:
    """The instance that an object is; None when it is none."""
    return value.instance if isinstance(value, WbemObject) else None


def _target(cim: CimClass, instance: Instance | None, known: Method) -> Instance | str:
    return cim.name if instance is None or known.static else instance
