"""A call as data, and the two ways to make it: wait for it, or await it.

A group's calls are listed once, as methods that describe a call (:class:`Call`).  :class:`Rpc` makes of each
a method that performs it: on a :class:`Synchronous` group it gives the result, on an :class:`Asynchronous`
one a coroutine.
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call(Generic[R]):
    """One call of the newest version's RPC ``rpc``.

    ``fields`` are the request's, by their names on the wire; ``read`` makes the result of the newest
    version's reply.  ``repeatable``: a server that did it already does it again without harm, whoever wrote
    the server; only such a call is sent again when its reply was lost.
    """

    group: str
    rpc: str
    read: Callable[[Any], R]  # Any: the reply's class is known to the contract's module alone
    fields: Mapping[str, object] = field(default_factory=dict, repr=False)  # may hold a password
    repeatable: bool = True


def nothing(_: object) -> None:
    """Read a reply that says no more than that the call succeeded."""


class Synchronous:
    """Performs a group's calls, and returns when each is done."""

    def __init__(self, perform: Callable[[Call[Any]], Any]) -> None:
        self._perform_any = perform

    def perform(self, call: Call[T]) -> T:
        """Perform one call."""
        result: T = self._perform_any(call)
        return result


class Asynchronous:
    """Performs a group's calls in coroutines."""

    def __init__(self, perform: Callable[[Call[Any]], Coroutine[Any, Any, Any]]) -> None:
        self._perform_any = perform

    async def perform(self, call: Call[T]) -> T:
        """Perform one call."""
        result: T = await self._perform_any(call)
        return result


class Rpc(Generic[P, R]):
    """Decorates a method that describes a call, and makes it one that performs it."""

    def __init__(self, describe: Callable[Concatenate[Any, P], Call[R]]) -> None:
        self._describe = describe
        self.__doc__ = describe.__doc__
        self.__name__ = describe.__name__

    @overload
    def __get__(self, group: None, owner: type) -> Self: ...
    @overload
    def __get__(self, group: Synchronous, owner: type) -> Callable[P, R]: ...
    @overload
    def __get__(self, group: Asynchronous, owner: type) -> Callable[P, Coroutine[Any, Any, R]]: ...
    def __get__(
        self, group: Synchronous | Asynchronous | None, owner: type
    ) -> Self | Callable[P, R] | Callable[P, Coroutine[Any, Any, R]]:
        if group is None:
            return self
        describe, perform = self._describe, group.perform

        def performed(*args: P.args, **kwargs: P.kwargs) -> Any:  # what perform gives, now or awaited
            return perform(describe(group, *args, **kwargs))

        # An attribute of the group goes before this descriptor, so the next access costs nothing.
        bound = update_wrapper(performed, describe)
        group.__dict__[describe.__name__] = bound
        return bound
