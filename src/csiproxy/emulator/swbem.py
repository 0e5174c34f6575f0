r"""WMI's scripting objects on a node: a locator, its connections, and what they find.

What is not said here is not there: no events, no changes but by methods, no classes to make.
https://learn.microsoft.com/windows/win32/wmisdk/swbemservices
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from csiproxy.emulator import wql
from csiproxy.emulator.automation import Automation, AutomationError, method
from csiproxy.emulator.swbem_object import ObjectSet, Secured, WbemObject, execute, text
from csiproxy.emulator.swbem_values import Wbem, from_scripting
from csiproxy.emulator.wql import Associators, Comparison, ObjectPath, QueryError, Select
from csiproxy.errors import CimError, HostError, HostUnreachable
from csiproxy.host import cim
from csiproxy.host.catalogue import described
from csiproxy.host.cim import Instance, Result, Session, Value, namespace_of
from csiproxy.host.schema import CimClass

T = TypeVar("T")

THIS_COMPUTER = ("", ".", "localhost", "127.0.0.1", "::1")
NAMESPACES = {name.lower(): name for name in (cim.STORAGE, cim.SMB, cim.CIMV2)}
_DEFAULT_NAMESPACE = r"root\cimv2"


class Locator(Secured):
    """SWbemLocator: the way in."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    @method("ConnectServer", unused=4)
    def connect(
        self,
        server: object = None,
        namespace: object = None,
        user: object = None,
        password: object = None,
    ) -> Automation:
        """Connect to a namespace of this computer."""
        if text(server).lower() not in THIS_COMPUTER:
            raise AutomationError(Wbem.SERVER_UNAVAILABLE, "the RPC server is unavailable")
        if text(user) or text(password):
            raise AutomationError(
                Wbem.LOCAL_CREDENTIALS, "user credentials cannot be used for local connections"
            )
        wanted = (text(namespace) or _DEFAULT_NAMESPACE).replace("/", "\\").strip("\\").lower()
        if wanted not in NAMESPACES:
            raise AutomationError(Wbem.INVALID_NAMESPACE, "invalid namespace")
        return Services(self._session, NAMESPACES[wanted])


class Services(Secured):
    """SWbemServices: one connection to a namespace."""

    def __init__(self, session: Session, namespace: str) -> None:
        super().__init__()
        self._session = session
        self.namespace = namespace

    @method("ExecQuery", unused=2)
    def exec_query(self, query: object = None, language: object = None) -> Automation:
        """Run a query."""
        if text(language).upper() not in ("", "WQL"):
            raise AutomationError(Wbem.INVALID_QUERY_TYPE, "the query language is WQL")
        parsed = _read(wql.parse, text(query), Wbem.INVALID_QUERY)
        return self._select(parsed) if isinstance(parsed, Select) else self._join(parsed)

    @method("Get", unused=2)
    def get(self, path: object = None) -> Automation:
        """The object or class of a path."""
        found = self._resolve(text(path))
        if isinstance(found, CimClass):
            return WbemObject(self, found, {})
        where = {described(found.class_name).key: found.key}
        read = _asked(lambda: self._session.instances(found.class_name, **where))
        if not read:
            raise AutomationError(Wbem.NOT_FOUND, "not found")
        return WbemObject.of(self, read[0])

    @method("ExecMethod", unused=2)
    def exec_method(self, path: object = None, name: object = None, parameters: object = None) -> Automation:
        """Call a method of what a path names."""
        found = self._resolve(text(path))
        if isinstance(found, CimClass):
            return execute(self, found, None, name, parameters)
        return execute(self, described(found.class_name), found, name, parameters)

    @method("AssociatorsOf", unused=6)
    def associators_of(
        self,
        path: object = None,
        association: object = None,
        result_class: object = None,
        result_role: object = None,
        role: object = None,
    ) -> Automation:
        """What an association joins to the instance that a path names."""
        words = [text(word) for word in (association, result_class, result_role, role)]
        return self.associated(self._instance(self._resolve(text(path))), *words)

    @method("InstancesOf", unused=2)
    def instances_of(self, name: object = None) -> Automation:
        """All instances of a class."""
        return self._select(Select(text(name), (), ()))

    # --- for its objects

    def associated(
        self, instance: Instance, association: str, result_class: str, result_role: str, role: str
    ) -> ObjectSet:
        """What is joined to an instance; the association and the class of the results must be named."""
        if not association or not result_class:
            raise AutomationError(Wbem.NOT_SUPPORTED, "name the association and the class of the results")
        if role and role.lower() == result_role.lower():
            return ObjectSet([])
        self._class(result_class)
        found = _asked(lambda: self._session.associated(instance, association, result_class, result_role))
        return ObjectSet([WbemObject.of(self, one) for one in found])

    def run_method(self, target: Instance | str, method: str, parameters: Mapping[str, Value]) -> Result:
        """Call a method; when its answer got lost nobody knows whether it was done."""
        return _asked(lambda: self._session.invoke(target, method, **parameters), Wbem.CALL_FAILED)

    # --- steps

    def _select(self, query: Select) -> ObjectSet:
        known = self._class(query.class_name)
        properties = {name.lower(): name for name in known.properties}
        wanted = frozenset(map(str.lower, query.properties))
        if not wanted <= set(properties):
            raise AutomationError(Wbem.INVALID_QUERY, "the query names a property that the class has not")
        where: dict[str, bool | int | str] = {}
        rest: list[Comparison] = []
        for given in query.conditions:
            comparison = _typed(known, properties, given)
            if comparison.equal and comparison.name not in where:
                where[comparison.name] = comparison.value
            else:
                rest.append(comparison)
        found = _asked(lambda: self._session.instances(known.name, **where))
        shown = wanted | {known.key.lower()} if wanted else None
        return ObjectSet([WbemObject.of(self, one, shown) for one in found if _holds(one, rest)])

    def _join(self, query: Associators) -> ObjectSet:
        instance = self._instance(self._place(query.path))
        return self.associated(instance, query.association, query.result_class, query.result_role, query.role)

    def _class(self, name: str) -> CimClass:
        known = described(name)
        if not known.properties or namespace_of(known.name) != self.namespace:
            raise AutomationError(Wbem.INVALID_CLASS, "invalid class")
        return known

    def _resolve(self, path: str) -> Instance | CimClass:
        return self._place(_read(wql.parse_path, path, Wbem.INVALID_OBJECT_PATH))

    def _place(self, path: ObjectPath) -> Instance | CimClass:
        """What a path names, whether it is there or not."""
        place = path.place.replace("/", "\\").lower()
        if place and place.lstrip("\\").partition("\\")[2] != self.namespace.lower():
            raise AutomationError(Wbem.INVALID_NAMESPACE, "the path is of another namespace")
        known = self._class(path.class_name)
        if not path.keys:
            return known
        [(name, value), *more] = path.keys.items()
        if more or name.lower() not in ("", known.key.lower()) or not isinstance(value, str):
            raise AutomationError(Wbem.INVALID_OBJECT_PATH, f"the key of {known.name} is {known.key}, a text")
        return Instance(known.name, value, {known.key: value})

    @staticmethod
    def _instance(found: Instance | CimClass) -> Instance:
        if isinstance(found, CimClass):
            raise AutomationError(Wbem.INVALID_OBJECT_PATH, "associations join instances, not classes")
        return found


def _read(parse: Callable[[str], T], said: str, failure: Wbem) -> T:
    try:
        return parse(said)
    except QueryError as error:
        raise AutomationError(failure, str(error)) from error


def _asked(call: Callable[[], T], unknown: Wbem = Wbem.SERVER_UNAVAILABLE) -> T:
    """Ask the node; its failures are WMI's."""
    try:
        return call()
    except CimError as error:
        raise AutomationError(error.hresult, error.detail or str(error)) from error
    except HostUnreachable as error:
        raise AutomationError(unknown, str(error)) from error
    except HostError as error:
        raise AutomationError(Wbem.FAILED, str(error)) from error


def _typed(known: CimClass, properties: Mapping[str, str], given: Comparison) -> Comparison:
    """A condition with its property's own name, and a value of its type."""
    name = properties.get(given.name.lower())
    if name is None:
        raise AutomationError(Wbem.INVALID_QUERY, "the query compares a property that the class has not")
    kind = known.properties[name]
    value = given.value
    if kind == "char16" and isinstance(value, str) and len(value) == 1:
        return Comparison(name, given.equal, value)
    if kind == "boolean" and isinstance(value, str) and value.lower() in ("true", "false"):
        value = value.lower() == "true"
    typed: Value = None
    if kind != "string" or isinstance(value, str):
        try:
            typed = from_scripting(value, kind, lambda _: None)
        except AutomationError:
            typed = None
    if not isinstance(typed, (bool, int, str)):
        raise AutomationError(Wbem.INVALID_QUERY, f"{name} is a {kind}, which does not compare with that")
    return Comparison(name, given.equal, typed)


def _holds(instance: Instance, conditions: list[Comparison]) -> bool:
    """Whether an instance meets conditions; NULL meets none, not even a ``<>``."""
    for condition in conditions:
        value = instance.properties.get(condition.name)
        wanted = condition.value
        if value is None:
            return False
        if isinstance(wanted, str) and isinstance(value, int):
            wanted = ord(wanted)
        same = value == wanted
        if isinstance(value, str) and isinstance(wanted, str):
            same = value.lower() == wanted.lower()
        if same is not condition.equal:
            return False
    return True
