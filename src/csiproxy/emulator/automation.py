"""Objects that programs use by the names of their members (IDispatch), said without COM.

``com_server`` shows them to Windows programs; they can be used without it.
https://learn.microsoft.com/windows/win32/api/oaidl/nn-oaidl-idispatch
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from functools import cached_property
from typing import ClassVar

VALUE = 0  # DISPID_VALUE: the member that is meant when none is named
NEW_ENUM = -4  # DISPID_NEWENUM: what the object consists of
FIRST_DYNAMIC = 1000  # members that an object has and its kind has not


class How(IntFlag):
    """What is done to a member: the flags of IDispatch::Invoke."""

    CALL = 1
    GET = 2
    PUT = 4
    PUT_REFERENCE = 8


class Hresult(IntEnum):
    """Failures of the use of a member itself."""

    MEMBER_NOT_FOUND = 0x80020003
    TYPE_MISMATCH = 0x80020005
    UNKNOWN_NAME = 0x80020006
    BAD_PARAMETER_COUNT = 0x8002000E


class AutomationError(Exception):
    """A use that failed: an HRESULT, and for those of the object's own a text (EXCEPINFO)."""

    def __init__(self, hresult: int, text: str = "") -> None:
        super().__init__(text or f"HRESULT 0x{hresult:08x}")
        self.hresult = hresult
        self.text = text


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call gave, and what it puts into the places that the caller passed by reference.

    ``outs`` is by the position of the argument.
    """

    value: object
    outs: Mapping[int, object]


class Byte(int):
    """A number that travels in one unsigned byte (VT_UI1)."""


class Short(int):
    """A number that travels in two signed bytes (VT_I2)."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member: what reads or calls it, and what sets it if it can be set; both are given the object.

    ``arguments`` bounds how many a call may have.
    """

    name: str
    dispid: int
    is_method: bool
    use: Callable[..., object]
    put: Callable[..., None] | None = None
    arguments: int = 0


class Automation:
    """The root of all such objects: :func:`method` and :func:`prop` make members of a class' functions."""

    _members: ClassVar[Mapping[str, Member]] = {}
    _by_id: ClassVar[Mapping[int, Member]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        marks = (getattr(value, "member", None) for value in vars(cls).values())
        found = [mark for mark in marks if isinstance(mark, Mark)]
        free = iter(range(1 + max(cls._by_id, default=0), FIRST_DYNAMIC))
        made = [mark.made(next(free) if mark.dispid is None else mark.dispid) for mark in found]
        cls._members = {**cls._members, **{member.name.lower(): member for member in made}}
        cls._by_id = {**cls._by_id, **{member.dispid: member for member in made}}

    def each(self) -> Sequence["Automation"]:
        """What the object consists of; most consist of nothing."""
        raise AutomationError(Hresult.MEMBER_NOT_FOUND)

    def dynamic(self) -> Sequence[Member]:
        """The members that this object has besides its kind's.  They stay the same; this is asked once."""
        return ()

    def dispid(self, name: str) -> int:
        """The number of a member, its name in any case."""
        own = self._members.get(name.lower())
        if own is not None:
            return own.dispid
        member = self._dynamic_by_name.get(name.lower())
        if member is None:
            raise AutomationError(Hresult.UNKNOWN_NAME)
        return member.dispid

    def invoke(self, dispid: int, how: How, arguments: Sequence[object]) -> Outcome:
        """Read, set or call a member.  An argument that was left out is None, as NULL is."""
        if dispid == NEW_ENUM and how & (How.CALL | How.GET):
            return Outcome(tuple(self.each()), {})
        member = self._by_id.get(dispid) or self._dynamic(dispid)
        if how & (How.PUT | How.PUT_REFERENCE):
            return self._put(member, arguments)
        if member.is_method:
            return self._call(member, how, arguments)
        return self._get(member, how, arguments)

    def _dynamic(self, dispid: int) -> Member:
        member = self._dynamic_by_id.get(dispid)
        if member is None:
            raise AutomationError(Hresult.MEMBER_NOT_FOUND)
        return member

    # Programs read object by object, property by property.
    @cached_property
    def _dynamic_by_id(self) -> dict[int, Member]:
        return {member.dispid: member for member in self.dynamic()}

    @cached_property
    def _dynamic_by_name(self) -> dict[str, Member]:
        return {member.name.lower(): member for member in reversed(self._dynamic_by_id.values())}

    def _put(self, member: Member, arguments: Sequence[object]) -> Outcome:
        if member.put is None:
            raise AutomationError(Hresult.MEMBER_NOT_FOUND)
        if len(arguments) != 1:
            raise AutomationError(Hresult.BAD_PARAMETER_COUNT)
        member.put(self, arguments[0])
        return Outcome(None, {})

    def _call(self, member: Member, how: How, arguments: Sequence[object]) -> Outcome:
        # Some programs first try whether a name is a property; they must not have called a method then.
        if not how & How.CALL:
            raise AutomationError(Hresult.MEMBER_NOT_FOUND)
        if len(arguments) > member.arguments:
            raise AutomationError(Hresult.BAD_PARAMETER_COUNT)
        given = member.use(self, *arguments)
        return given if isinstance(given, Outcome) else Outcome(given, {})

    def _get(self, member: Member, how: How, arguments: Sequence[object]) -> Outcome:
        if not how & (How.CALL | How.GET):
            raise AutomationError(Hresult.MEMBER_NOT_FOUND)
        value = member.use(self)
        if not arguments:
            return Outcome(value, {})
        if not isinstance(value, Automation):
            raise AutomationError(Hresult.BAD_PARAMETER_COUNT)
        # Properties_("Size") is Properties_.Item("Size")
        return value.invoke(VALUE, How.CALL | How.GET, arguments)


@dataclass(frozen=True, slots=True)
class Mark:
    """What the decorators leave on a function for its class."""

    name: str
    dispid: int | None
    is_method: bool
    use: Callable[..., object]
    put: Callable[..., None] | None = None
    unused: int = 0

    def made(self, dispid: int) -> Member:
        """The member, now that its number is known."""
        if not self.is_method:
            return Member(self.name, dispid, False, self.use, self.put)
        own = self.use.__code__.co_argcount  # the object among them

        def use(*given: object) -> object:
            return self.use(*given[:own])

        return Member(self.name, dispid, True, use, arguments=own - 1 + self.unused)


def method(
    name: str, dispid: int | None = None, unused: int = 0
) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Make a function a method; the arguments behind ``self`` are its own, each with a default.

    A caller may give ``unused`` more behind them, which mean nothing here.
    """

    def marked(function: Callable[..., object]) -> Callable[..., object]:
        function.member = Mark(name, dispid, True, function, unused=unused)  # type: ignore[attr-defined]
        return function

    return marked


def prop(
    name: str, dispid: int | None = None, put: Callable[..., None] | None = None
) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Make a function of ``self`` alone a property, which ``put`` sets."""

    def marked(function: Callable[..., object]) -> Callable[..., object]:
        function.member = Mark(name, dispid, False, function, put)  # type: ignore[attr-defined]
        return function

    return marked
