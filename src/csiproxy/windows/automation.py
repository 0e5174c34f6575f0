"""What this program asks of a COM object: its members by name, late bound."""

from collections.abc import Iterator
from typing import Protocol, TypeGuard

DISP_E_UNKNOWNNAME = 0x80020006
DISP_E_MEMBERNOTFOUND = 0x80020003


class AutomationError(Exception):
    """A use of a COM object failed.  ``hresult`` is the object's own code where it gave one (EXCEPINFO)."""

    def __init__(self, hresult: int, text: str = "") -> None:
        super().__init__(f"HRESULT 0x{hresult & 0xFFFFFFFF:08x} {text}".rstrip())
        self.hresult = hresult & 0xFFFFFFFF
        self.text = text


class Automation(Protocol):
    """A COM object.  Values are None, bool, int, str, tuples of these, and further objects.

    Every method raises :class:`AutomationError`.
    """

    def get(self, name: str) -> object:
        """Read a property."""
        ...

    def put(self, name: str, value: object) -> None:
        """Set a property."""
        ...

    def call(self, name: str, *arguments: object) -> object:
        """Call a method; an argument None is NULL."""
        ...

    def each(self) -> Iterator["Automation"]:
        """What a collection holds, one after the other."""
        ...


def is_object(value: object) -> TypeGuard[Automation]:
    """Whether a value is an object, and no plain value."""
    return value is not None and not isinstance(
        value, (bool, int, float, str, bytes, memoryview, tuple, list)
    )
