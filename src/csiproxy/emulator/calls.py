"""The calls that a node takes from its socket: one table of names, and nothing that is not in it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from csiproxy.emulator.namespace import NodeNamespace
from csiproxy.emulator.wire import WireError, is_value
from csiproxy.host.cim import Instance, Session, Value
from csiproxy.host.win32 import EntryKind

T = TypeVar("T")


class Arguments:
    """The arguments of one call, taken one after the other; another type than the call's is a WireError."""

    def __init__(self, values: tuple[object, ...], descriptor: int | None) -> None:
        self._values = list(values)
        self._descriptor = descriptor

    def take(self, kind: type[T]) -> T:
        """The next argument, of this type exactly."""
        if not self._values:
            raise WireError("a call has too few arguments")
        value = self._values.pop(0)
        if type(value) is not kind:
            raise WireError(f"a call has a {type(value).__name__} where a {kind.__name__} belongs")
        return value

    def optional(self, kind: type[T]) -> T | None:
        """The next argument, or None."""
        if self._values and self._values[0] is None:
            self._values.pop(0)
            return None
        return self.take(kind)

    def texts(self) -> tuple[str, ...]:
        """The next argument, a tuple of texts."""
        values = self.take(tuple)
        if not all(isinstance(value, str) for value in values):
            raise WireError("a call has something else where texts belong")
        return values

    def conditions(self) -> dict[str, bool | int | str]:
        """The next argument, property names with what they must equal."""
        values = self.take(dict)
        if not all(isinstance(value, (bool, int, str)) for value in values.values()):
            raise WireError("a call has a condition that no property can equal")
        return values

    def parameters(self) -> dict[str, Value]:
        """The next argument, parameters of a CIM method by name."""
        values = self.take(dict)
        if not all(map(is_value, values.values())):
            raise WireError("a call has a parameter that is no CIM value")
        return values

    def target(self) -> Instance | str:
        """The next argument, an instance or a class name."""
        return (
            self.take(Instance) if self._values and isinstance(self._values[0], Instance) else self.take(str)
        )

    def directory(self) -> int:
        """The descriptor that came with the call; it is closed when the call is over."""
        if self._descriptor is None:
            raise WireError("a call came without its directory")
        descriptor, self._descriptor = self._descriptor, None
        return descriptor

    def end(self) -> None:
        """Refuse what nobody has taken."""
        if self._values or self._descriptor is not None:
            raise WireError("a call has too many arguments")


# Takes a call's arguments, and gives what is to be done with them: nothing is done before all are looked at.
Call = Callable[[Arguments], Callable[[], object]]


def perform(call: Call, arguments: Arguments) -> object:
    """Make a call of exactly these arguments; WireError, and nothing is done, when it takes others."""
    act = call(arguments)
    arguments.end()
    return act()


def session_calls(session: Session) -> Mapping[str, Call]:
    """The CIM half of the port."""
    return {
        "instances": lambda call: partial(session.instances, call.take(str), **call.conditions()),
        "associated": lambda call: partial(
            session.associated, call.take(Instance), call.take(str), call.take(str), call.take(str)
        ),
        "invoke": lambda call: partial(session.invoke, call.target(), call.take(str), **call.parameters()),
    }


def namespace_calls(namespace: NodeNamespace) -> Mapping[str, Call]:
    """The node's part of the Win32 half."""
    return {
        "describe": lambda call: partial(namespace.describe, call.directory(), call.texts()),
        "remove_link": lambda call: partial(
            namespace.remove_link, call.directory(), call.take(str), call.take(EntryKind)
        ),
        "set_link": lambda call: partial(
            namespace.set_link, call.directory(), call.take(str), call.take(str), call.take(bool)
        ),
        "set_mount_point": lambda call: partial(
            namespace.set_mount_point, call.directory(), call.take(str), call.take(str)
        ),
        "delete_mount_point": lambda call: partial(
            namespace.delete_mount_point, call.directory(), call.take(str), call.take(str)
        ),
        "mounted": lambda call: partial(namespace.mounted, call.directory(), call.take(str)),
        "mount_points": lambda call: partial(namespace.mount_points, call.take(str)),
        "final_path": lambda call: partial(namespace.final_path, call.directory()),
        "storage_device": lambda call: partial(namespace.storage_device, call.take(str)),
    }
