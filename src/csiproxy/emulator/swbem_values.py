"""CIM values as WMI's scripting layer has them, both ways.

64-bit numbers are text, smaller ones signed: a uint32 from 2^31 on comes as a negative number.
https://learn.microsoft.com/windows/win32/wmisdk/numbers
"""

import re
from collections.abc import Callable, Mapping
from enum import IntEnum

from csiproxy.emulator.automation import AutomationError, Byte, Short
from csiproxy.host.cim import Instance, Value
from csiproxy.host.schema import INTEGERS, CimType


class Wbem(IntEnum):
    """HRESULTs of WMI: https://learn.microsoft.com/windows/win32/wmisdk/wmi-error-constants."""

    FAILED = 0x80041001
    NOT_FOUND = 0x80041002
    TYPE_MISMATCH = 0x80041005
    NOT_SUPPORTED = 0x8004100C
    INVALID_NAMESPACE = 0x8004100E
    INVALID_CLASS = 0x80041010
    INVALID_QUERY = 0x80041017
    INVALID_QUERY_TYPE = 0x80041018
    INVALID_METHOD_PARAMETERS = 0x8004102F
    INVALID_OBJECT_PATH = 0x8004103A
    METHOD_NOT_IMPLEMENTED = 0x80041055
    LOCAL_CREDENTIALS = 0x80041064
    # Of the transport below WMI: nothing was done, or it is not known whether anything was.
    SERVER_UNAVAILABLE = 0x800706BA
    CALL_FAILED = 0x800706BE


# WbemCimtypeEnum; what is not here is an object.
CIM_TYPES: Mapping[CimType, int] = {
    "sint16": 2,
    "sint32": 3,
    "real32": 4,
    "real64": 5,
    "string": 8,
    "boolean": 11,
    "sint8": 16,
    "uint8": 17,
    "uint16": 18,
    "uint32": 19,
    "sint64": 20,
    "uint64": 21,
    "datetime": 101,
    "char16": 103,
}
OBJECT_TYPE = 13
LONGEST_ARRAY = 1 << 12
_SIGNED_FROM = 1 << 31
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}|0[xX][0-9A-Fa-f]{1,16}")


def to_scripting(value: Value, kind: CimType, embedded: Callable[[Instance], object]) -> object:
    """A value of a type, as a program gets it; ``embedded`` makes an object of an instance."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, tuple):
        element = kind.removesuffix("[]")
        return tuple(to_scripting(item, element, embedded) for item in value)
    if isinstance(value, Instance):
        return embedded(value)
    if kind in ("uint64", "sint64"):
        return str(value)
    if kind == "uint8":
        return Byte(value)
    if kind == "char16":
        return Short(value if value < 1 << 15 else value - (1 << 16))
    return value if value < _SIGNED_FROM else value - (1 << 32)


def from_scripting(value: object, kind: CimType, instance: Callable[[object], Instance | None]) -> Value:
    """What a program gave for a type; AutomationError when it cannot be that.

    ``instance`` says which instance an object is.
    """
    if value is None:
        return None
    if kind.endswith("[]"):
        if isinstance(value, (tuple, list)) and len(value) <= LONGEST_ARRAY:
            return tuple(from_scripting(item, kind[:-2], instance) for item in value)
    elif kind == "boolean":
        if isinstance(value, int):  # VBScript's True is -1
            return bool(value)
    elif kind in ("string", "datetime"):
        if isinstance(value, str):
            return str(value)
    elif kind in INTEGERS:
        return _integer(value, kind)
    else:
        found = instance(value)
        if found is not None:
            return found
    raise AutomationError(Wbem.TYPE_MISMATCH, f"a {type(value).__name__} is no {kind}")


def _integer(value: object, kind: CimType) -> int:
    least, most = INTEGERS[kind]
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        number = int(value, 16) if value[:2].lower() == "0x" else int(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and value == value // 1:
        number = int(value)
    else:
        raise AutomationError(Wbem.TYPE_MISMATCH, f"a {type(value).__name__} is no {kind}")
    if number < 0 <= least and number >= -((most + 1) // 2):
        number += most + 1  # the same bits without a sign
    if not least <= number <= most:
        raise AutomationError(Wbem.TYPE_MISMATCH, f"{number} is no {kind}")
    return number
