"""Plays steps: does each, times it, shows how it went, and stops at the first that fails."""

import time
from collections.abc import Callable
from typing import TypeVar

from csiproxy.cli.demo.client import Client, Refused, Reply
from csiproxy.cli.demo.screen import Screen
from csiproxy.cli.failure import Failure
from csiproxy.errors import CsiProxyError, HostError
from csiproxy.rpc.status import RpcError
from csiproxy.testing.processes import ProcessFailed

T = TypeVar("T")


class CheckFailed(Exception):
    """Something was done, and is not as it should be."""


class StepFailed(Exception):
    """A step failed; the demo is over."""


_FAILURES = (CheckFailed, CsiProxyError, Failure, HostError, OSError, ProcessFailed, Refused, RpcError)


def require(condition: bool, otherwise: str) -> None:
    """Raise :class:`CheckFailed` unless the condition holds."""
    if not condition:
        raise CheckFailed(otherwise)


class Player:
    """Plays a script on a screen.  ``steps`` and ``calls`` count what went well."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.steps = 0
        self.calls = 0

    def act(self, text: str) -> None:
        """Begin a part of the script."""
        self.screen.act(text)

    def step(self, name: str, action: Callable[[], T], says: Callable[[T], str]) -> T:
        """Do something and time it.

        ``says`` judges the result, raising CheckFailed, and puts it into words.
        """
        begin = time.perf_counter()
        taken = None
        try:
            with self.screen.running(name):
                result = action()
                taken = time.perf_counter() - begin
                outcome = says(result)
        except _FAILURES as error:
            text = str(error) or type(error).__name__
            self.screen.row(ok=False, name=name, outcome=text, seconds=taken or time.perf_counter() - begin)
            raise StepFailed(f"{name}: {text}") from error
        self.screen.row(ok=True, name=name, outcome=outcome, seconds=taken)
        self.steps += 1
        return result

    def call(
        self, client: Client, contract: str, rpc: str, says: Callable[[Reply], str], **fields: object
    ) -> Reply:
        """Make a call."""
        reply = self.step(f"{contract} {rpc}", lambda: client.call(contract, rpc, fields), says)
        self.calls += 1
        return reply
