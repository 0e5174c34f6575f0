"""Performs calls: finds the version, converts, sends, and tries again what may be tried again."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from csiproxy.api.method import UnreadableMessage
from csiproxy.client.call import Call
from csiproxy.client.failure import from_status, from_text, from_windows_code
from csiproxy.client.retry import Retry, may_repeat
from csiproxy.client.routes import ERROR_CODE, Route, Routes
from csiproxy.client.transport import Transport
from csiproxy.errors import Code, CsiProxyError, DeadlineExceeded, Internal, InvalidArgument, Unavailable
from csiproxy.rpc.client_protocol import Unprocessed
from csiproxy.rpc.status import RpcError

if TYPE_CHECKING:
    from google.protobuf.message import Message

T = TypeVar("T")


class Caller:
    """Performs calls on one node; threads share it.

    ``timeout`` is what a call may take that comes without a deadline, in seconds; ``sleep`` passes the pauses
    before a call is made again.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        timeout: float,
        retry: Retry,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.transport = transport
        self._routes = Routes(transport)
        self.timeout = timeout
        self._retry = retry
        self._sleep = sleep

    def perform(self, call: Call[T], deadline: float | None = None) -> T:
        """Make a call and give its result; CsiProxyError when it failed.

        ``deadline`` is on the clock of :func:`time.monotonic`.
        """
        end = time.monotonic() + self.timeout if deadline is None else deadline
        try:
            return self._attempt(call, end)
        except _Again as again:
            return self._persist(call, end, again)

    def _persist(self, call: Call[T], end: float, again: "_Again") -> T:
        """Make a call that failed once again, until it fails in another way, or too often, or too late."""
        for pause in self._retry.pauses():
            if time.monotonic() + pause >= end:
                break
            self._sleep(pause)
            try:
                return self._attempt(call, end)
            except _Again as error:
                again = error
        raise again.error from again.__cause__

    def _attempt(self, call: Call[T], end: float) -> T:
        """Make a call once; _Again where it may be made again."""
        left = end - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded("the deadline passed before the call was made")
        try:
            route = self._routes.find(call.group, call.rpc)
        except Unavailable as error:
            raise _Again(error) from error.__cause__
        message = route.method.write_request(_request(route, call))
        try:
            data = self.transport.call(route.contract.endpoint, route.path, message, left)
        except RpcError as error:
            if isinstance(error, Unprocessed) or error.code is Code.UNIMPLEMENTED:
                self._routes.forget(call.group)
            failure = _noted(from_status(error), route)
            if may_repeat(error, repeatable=call.repeatable):
                raise _Again(failure) from error
            raise failure from error
        reply = _reply(route, data)
        try:
            return call.read(reply)
        except ValueError as error:  # a number that is none, an enum's number that is not known
            raise _noted(Internal(f"the server's reply makes no sense: {error}"), route) from error


class _Again(Exception):
    """A call failed in a way that passes."""

    def __init__(self, error: CsiProxyError) -> None:
        super().__init__(error)
        self.error = error


def _request(route: Route, call: Call[T]) -> "Message":
    try:
        return route.method.hub_request(**call.fields)
    except (TypeError, ValueError):
        # What protobuf says may quote the value, and the value may be a secret.
        names = ", ".join(call.fields)
        raise InvalidArgument(
            f"{call.rpc} does not take these values: one of {names} has a wrong type"
        ) from None


def _reply(route: Route, data: bytes) -> "Message":
    """The newest version's reply; a failure that is said in the reply is raised."""
    try:
        reply = route.method.read_reply(data)
        if route.has_error_text and (text := getattr(route.method.reply.FromString(data), "error", "")):
            raise _noted(from_text(text), route)
    except (UnreadableMessage, InvalidArgument) as error:
        raise _noted(Internal(f"the server's reply makes no sense: {error}"), route) from error
    if route.has_error_code and (code := cast("int", getattr(reply, ERROR_CODE))):
        raise _noted(from_windows_code(code), route)
    return reply


def _noted(error: CsiProxyError, route: Route) -> CsiProxyError:
    """Let a traceback say which call failed."""
    error.add_note(f"in {route.contract.name} {route.method.rpc}")
    return error
