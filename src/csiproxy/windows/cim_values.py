"""CIM values as WMI's scripting layer has them, both ways.

A VARIANT tells less than a CIM type: 64-bit numbers come as text and go as text, uint8 to uint32 come as
signed numbers of 32 bits at most, a character is a signed number of 16 bits.
https://learn.microsoft.com/windows/win32/wmisdk/numbers
"""

from collections.abc import Callable

from csiproxy.errors import CimError
from csiproxy.host.cim import Instance, Value
from csiproxy.host.schema import INTEGERS, CimType, fits
from csiproxy.windows.automation import Automation, is_object

TYPE_MISMATCH = 0x80041005
_SIXTY_FOUR = ("uint64", "sint64")
_SIGNED_FROM = 1 << 31


def from_variant(value: object, kind: CimType, read: Callable[[Automation, str], Instance]) -> Value:
    """What a property of a type holds; CimError (type mismatch) when that type cannot hold it.

    ``read`` reads an embedded object of the class named.
    """
    if value is None:
        return None
    if kind.endswith("[]"):
        if isinstance(value, (tuple, list, memoryview, bytes)):  # bytes: an array of uint8
            return tuple(from_variant(item, kind[:-2], read) for item in value)
    elif kind in INTEGERS:
        return _number(value, kind)
    elif kind in ("boolean", "string", "datetime"):
        wanted = bool if kind == "boolean" else str
        if isinstance(value, wanted):
            return wanted(value)
    elif is_object(value):
        return read(value, kind)
    elif isinstance(value, str):
        return None  # an embedded object as text, of which nothing can be read
    raise _mismatch(value, kind)


def to_variant(value: Value, kind: CimType) -> object:
    """What a parameter of a type is given; the caller has checked that it :func:`fits`, and it is no NULL."""
    if isinstance(value, tuple):
        return [to_variant(item, kind.removesuffix("[]")) for item in value]
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    if kind in _SIXTY_FOUR:
        return str(value)
    if kind == "char16":
        return value if value < 1 << 15 else value - (1 << 16)
    return value if value < _SIGNED_FROM else value - (1 << 32)


def _number(value: object, kind: CimType) -> int:
    least, most = INTEGERS[kind]
    if isinstance(value, str):
        try:
            value = int(value, 0 if value[:2].lower() == "0x" else 10)
        except ValueError:
            raise _mismatch(value, kind) from None
    if not isinstance(value, int) or isinstance(value, bool):
        raise _mismatch(value, kind)
    number = value + most + 1 if value < 0 <= least else value  # the same bits without a sign
    if not fits(number, kind):
        raise _mismatch(value, kind)
    return number


def _mismatch(value: object, kind: CimType) -> CimError:
    return CimError(TYPE_MISMATCH, "reading a value", f"a {type(value).__name__} where a {kind} belongs")
