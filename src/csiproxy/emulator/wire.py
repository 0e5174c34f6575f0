"""The wire form of the ports' values: a JSON text that says of every value what it is.

Texts, numbers, truth values and None are JSON's own.  Everything else is an array whose first element names
its type: ``["tuple", 1, 2]``, ``["Entry", "name", ["EntryKind", "file"], ""]``.  The types and what each may
hold stand in one table; any other text is a :class:`WireError`.
"""

import base64
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Protocol

from csiproxy.emulator.faults import Action, Fault, When
from csiproxy.emulator.inventory import DiskReport, LetterReport, ServiceReport, SmbServerReport, VolumeReport
from csiproxy.emulator.namespace import MountedDirectory
from csiproxy.emulator.places import Places
from csiproxy.errors import CimError, HostError, HostUnreachable, Win32Error
from csiproxy.host.cim import Instance, Result
from csiproxy.host.win32 import (
    Association,
    CodeSet,
    Entry,
    EntryKind,
    IdentifierType,
    StorageDevice,
    StorageIdentifier,
)
from csiproxy.wiping import wipe

# Both ends are of one release, except while a node outlives an upgrade; then this number tells them.
VERSION = 1

DEEPEST = 24  # arrays within arrays
LEAST_NUMBER, GREATEST_NUMBER = -(1 << 63), (1 << 64) - 1  # sint64 and uint64


class WireError(HostError):
    """A text is no message of ours, or a value has no wire form."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a node says to a new connection: the wire's version, its process, and its places."""

    version: int
    process: int
    places: Places


@dataclass(frozen=True, slots=True)
class Request:
    """A call, by its name in the node's table of calls."""

    call: str
    arguments: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a call gave."""

    value: object


@dataclass(frozen=True, slots=True)
class Failure:
    """What a call failed with; a HostError of a class without a form of its own arrives as a HostError."""

    error: HostError


Check = Callable[[object], bool]


class _Form(Protocol):
    """How the values of one type are taken apart and put together again."""

    def apart(self, value: object) -> Sequence[object]:
        """The values that a value is made of."""
        ...

    def together(self, parts: Sequence[object]) -> object:
        """The value; WireError when the parts are not such that :meth:`apart` could have given them."""
        ...


@dataclass(frozen=True, slots=True)
class _Record:
    """An object that is made of some of its attributes, each of which is checked."""

    make: Callable[..., object]
    attributes: Sequence[str]
    checks: Sequence[Check]

    def apart(self, value: object) -> Sequence[object]:
        return [getattr(value, name) for name in self.attributes]

    def together(self, parts: Sequence[object]) -> object:
        if len(parts) != len(self.checks) or not all(
            check(part) for check, part in zip(self.checks, parts, strict=True)
        ):
            raise WireError("a message holds a value of the wrong form")
        return self.make(*parts)


@dataclass(frozen=True, slots=True)
class _Text:
    """An error that is nothing but its text."""

    make: Callable[[str], object]

    def apart(self, value: object) -> Sequence[object]:
        return [str(value)]

    def together(self, parts: Sequence[object]) -> object:
        match parts:
            case [str(text)]:
                return self.make(text)
        raise WireError("a message holds an error of the wrong form")


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of an enumeration, by its value."""

    members: type[Enum]

    def apart(self, value: object) -> Sequence[object]:
        return [value.value] if isinstance(value, Enum) else []

    def together(self, parts: Sequence[object]) -> object:
        for member in self.members:
            if [member.value] == list(parts) and type(member.value) is type(parts[0]):
                return member
        raise WireError(f"a message holds an unknown {self.members.__name__}")


class _Bytes:
    """Bytes, in base 64."""

    def apart(self, value: object) -> Sequence[object]:
        return [base64.b64encode(value).decode("ascii")] if isinstance(value, bytes) else []

    def together(self, parts: Sequence[object]) -> object:
        match parts:
            case [str(text)]:
                try:
                    return base64.b64decode(text, validate=True)
                except ValueError as error:
                    raise WireError("a message holds bytes that are not base 64") from error
        raise WireError("a message holds bytes of the wrong form")


@dataclass(frozen=True, slots=True)
class _Sequence:
    """A tuple or a list."""

    make: Callable[[Sequence[object]], object]

    def apart(self, value: object) -> Sequence[object]:
        return list(value) if isinstance(value, (tuple, list)) else []

    def together(self, parts: Sequence[object]) -> object:
        return self.make(parts)


class _Mapping:
    """Texts and their values, by turns; no text twice."""

    def apart(self, value: object) -> Sequence[object]:
        return [part for pair in value.items() for part in pair] if isinstance(value, Mapping) else []

    def together(self, parts: Sequence[object]) -> object:
        keys = [key for key in parts[::2] if isinstance(key, str)]
        if 2 * len(set(keys)) != len(parts):
            raise WireError("a message holds a mapping of the wrong form")
        return dict(zip(keys, parts[1::2], strict=True))


def of(kind: type) -> Check:
    """A value is of this type; a truth value is no number."""
    return lambda value: isinstance(value, kind) and (kind is not int or not isinstance(value, bool))


def tuple_of(check: Check) -> Check:
    """A value is a tuple, and each of its elements passes."""
    return lambda value: isinstance(value, tuple) and all(map(check, value))


def mapping_of(check: Check) -> Check:
    """A value is a mapping (its keys are texts), and each of its values passes."""
    return lambda value: isinstance(value, dict) and all(map(check, value.values()))


def is_value(value: object) -> bool:
    """A value of the CIM port (:data:`csiproxy.host.cim.Value`)."""
    if isinstance(value, tuple):
        return all(map(is_value, value))
    return value is None or isinstance(value, (bool, int, str, Instance))


def is_anything(value: object) -> bool:  # noqa: ARG001
    """Whatever has a wire form."""
    return True


def _record(kind: type, *checks: Check) -> _Record:
    """A dataclass, by its fields."""
    return _Record(kind, [field.name for field in fields(kind) if field.init], checks)


_FORMS: Mapping[type, _Form] = {
    tuple: _Sequence(tuple),
    list: _Sequence(list),
    dict: _Mapping(),
    bytes: _Bytes(),
    EntryKind: _Member(EntryKind),
    CodeSet: _Member(CodeSet),
    IdentifierType: _Member(IdentifierType),
    Association: _Member(Association),
    Greeting: _record(Greeting, of(int), of(int), of(Places)),
    Request: _record(Request, of(str), of(tuple)),
    Reply: _record(Reply, is_anything),
    Failure: _record(Failure, of(HostError)),
    Instance: _record(Instance, of(str), of(str), mapping_of(is_value)),
    Result: _record(Result, of(int), mapping_of(is_value)),
    Entry: _record(Entry, of(str), of(EntryKind), of(str)),
    StorageDevice: _record(StorageDevice, of(int), tuple_of(of(StorageIdentifier))),
    StorageIdentifier: _record(
        StorageIdentifier, of(CodeSet), of(IdentifierType), of(Association), of(bytes)
    ),
    Places: _record(Places, mapping_of(of(str)), of(str)),
    MountedDirectory: _record(MountedDirectory, of(str), of(int), of(int)),
    Action: _Member(Action),
    When: _Member(When),
    Fault: _record(
        Fault, of(str), of(Action), of(int), of(When), of(int), of(float), of(int)
    ),
    LetterReport: _record(LetterReport, of(str), of(str)),
    SmbServerReport: _record(SmbServerReport, of(str), of(str), of(int)),
    ServiceReport: _record(ServiceReport, of(str), of(str), of(str), of(str)),
    VolumeReport: _record(VolumeReport, of(str), tuple_of(of(str)), of(str), of(str)),
    DiskReport: _record(
        DiskReport, of(int), of(str), of(int), of(bool), of(str), of(str), of(str), of(str), of(bool),
        of(bool), tuple_of(of(VolumeReport)),
    ),
    Win32Error: _Record(Win32Error, ("windows_code", "call", "detail"), (of(int), of(str), of(str))),
    CimError: _Record(CimError, ("hresult", "operation", "detail"), (of(int), of(str), of(str))),
    HostUnreachable: _Text(HostUnreachable),
    WireError: _Text(WireError),
    HostError: _Text(HostError),
}  # fmt: skip

_NAMED: Mapping[str, _Form] = {kind.__name__: form for kind, form in _FORMS.items()}


def encode(value: object) -> bytes:
    """The wire form of a value, ASCII; WireError for a value that has none."""
    return json.dumps(_apart(value, DEEPEST), separators=(",", ":"), allow_nan=False).encode("ascii")


def encode_with(request: "Request", secrets: Mapping[str, str]) -> bytearray:
    """The wire form of a request whose last argument gets more texts; it can be overwritten."""
    *before, parameters = request.arguments
    if not isinstance(parameters, dict):
        raise WireError("a request with secrets ends with its parameters")
    marks = {name: f"\1{name}\1" for name in secrets}
    made = bytearray(encode(Request(request.call, (*before, {**parameters, **marks}))))
    for name, text in secrets.items():
        mark = encode(marks[name])
        at = made.index(mark)
        escaped = bytearray(b'"')
        for character in text:  # none of these pieces is the secret
            escaped += encode(character)[1:-1]
        escaped += b'"'
        made[at : at + len(mark)] = escaped
        wipe(escaped)
    return made


def decode(text: bytes) -> object:
    """The value of a wire form; WireError for everything that :func:`encode` cannot give."""
    try:
        plain = json.loads(text.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise WireError("a message is not JSON") from error
    return _together(plain, DEEPEST)


def _apart(value: object, depth: int) -> object:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        return _number(value)
    if not depth:
        raise WireError("a value is nested too deeply for a message")
    kind = _kind(value)
    return [kind.__name__, *(_apart(part, depth - 1) for part in _FORMS[kind].apart(value))]


def _together(plain: object, depth: int) -> object:
    if plain is None or isinstance(plain, (bool, str)):
        return plain
    if isinstance(plain, (int, float)):
        return _number(plain)
    if not isinstance(plain, list) or not depth:
        raise WireError("a message holds an object, or arrays nested too deeply")
    name, parts = (plain[0], plain[1:]) if plain else (None, [])
    form = _NAMED.get(name) if isinstance(name, str) else None
    if form is None:
        raise WireError("a message holds a value of an unknown type")
    return form.together([_together(part, depth - 1) for part in parts])


def _number(value: float) -> float:
    """A number as JSON and both ports have it: no infinity, no NaN, nothing beyond 64 bits."""
    if isinstance(value, int):
        if LEAST_NUMBER <= value <= GREATEST_NUMBER:
            return int(value)
    elif math.isfinite(value):
        return float(value)
    raise WireError(f"{value} is not a number that a message can hold")


def _kind(value: object) -> type:
    """The type in the table that a value is of: its own, or the nearest that it is derived from."""
    if isinstance(value, Mapping):
        return dict
    for kind in type(value).__mro__:
        if kind in _FORMS:
            return kind
    raise WireError(f"a {type(value).__name__} has no wire form")
