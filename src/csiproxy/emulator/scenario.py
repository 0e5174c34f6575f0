"""Scenario files: faults in the order in which they are to be told to a node.

TOML, one table a fault, whose keys are the fields of :class:`~csiproxy.emulator.faults.Fault`::

    [[fault]]
    step = "MSFT_Disk.Initialize"
    action = "fail"
    code = 41002

    [[fault]]
    step = "set_mount_point"
    action = "lose"
    nth = 2
"""

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from typing import TypeVar

from csiproxy.emulator.faults import Action, Fault, When, problem
from csiproxy.errors import HostError

T = TypeVar("T")
E = TypeVar("E", bound=Enum)
_FIELDS = tuple(field.name for field in fields(Fault))


class ScenarioError(HostError):
    """A scenario says something that is no fault."""


def parse(text: str) -> tuple[Fault, ...]:
    """The faults of a scenario."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"the scenario is no TOML: {error}") from error
    faults = document.pop("fault", None)
    if document or not isinstance(faults, list) or not faults:
        raise ScenarioError("a scenario holds tables [[fault]] and nothing else")
    return tuple(make(fault) for fault in faults)


def make(given: object) -> Fault:
    """A fault of its fields, each checked."""
    if not isinstance(given, dict):
        raise ScenarioError("a fault is a table")
    if unknown := set(given) - set(_FIELDS):
        raise ScenarioError(f"a fault has no {', '.join(map(str, unknown))}; it has {', '.join(_FIELDS)}")
    fault = Fault(
        step=_value(given, "step", str, ""),
        action=_member(given, "action", Action, None),
        nth=_value(given, "nth", int, 1),
        when=_member(given, "when", When, When.BEFORE),
        code=_value(given, "code", int, 0),
        seconds=_seconds(given),
        disk=_value(given, "disk", int, 0),
    )
    if text := problem(fault):
        raise ScenarioError(text)
    return fault


def _value(given: Mapping[str, object], name: str, kind: type[T], default: T) -> T:
    value = given.get(name, default)
    if type(value) is not kind:
        raise ScenarioError(f"{name} of a fault is of kind {kind.__name__}, not {value!r}")
    return value


def _member(given: Mapping[str, object], name: str, kind: type[E], default: E | None) -> E:
    if name not in given and default is not None:
        return default
    for member in kind:
        if member.value == given.get(name):
            return member
    known = ", ".join(str(member.value) for member in kind)
    raise ScenarioError(f"{given.get(name)!r} is no {name} of a fault: give one of {known}")


def _seconds(given: Mapping[str, object]) -> float:
    whole = given.get("seconds")
    return float(whole) if type(whole) is int else _value(given, "seconds", float, 0.0)
