"""Waiting for whatever happens next: what the server asks of a poller.

A poller is level-triggered and gives one event at a time, so whoever waits takes one and leaves the rest to
the next.  One thread waits at a time; every other method may be called from any thread.  Completion ports
fit the same shape: a stream reads ahead, and its completions are the events.
"""

import sys
from typing import Final, Protocol, TypeVar

from csiproxy.rpc.stream import Source

READ: Final = 1
WRITE: Final = 2
HANGUP: Final = 4
"""The other end is gone for both directions; reported even for what is not watched."""

Token = TypeVar("Token")


class Poller(Protocol[Token]):
    """What the server needs.  A token is what :meth:`wait` gives back for a source."""

    def add(self, source: Source, token: Token) -> None:
        """Watch a source for reading."""
        ...

    def watch(self, source: Source, *, read: bool, write: bool) -> None:
        """Change what a source is watched for."""
        ...

    def remove(self, source: Source) -> None:
        """Forget a source; before it is closed.  Harmless when repeated."""
        ...

    def wait(self, timeout: float | None) -> tuple[Token, int] | None:
        """Wait up to ``timeout`` seconds for one event (token and bits); None when woken or too late."""
        ...

    def post(self, token: Token) -> None:
        """Have :meth:`wait` give ``token`` with READ and WRITE."""
        ...

    def wake(self) -> None:
        """Have :meth:`wait` return now."""
        ...

    def close(self) -> None:
        """Give the system's objects back."""
        ...


def native_poller() -> Poller[Token]:
    """Make this system's poller: of descriptors, or of named pipes on Windows."""
    if sys.platform == "win32":
        from csiproxy.rpc.pipe_poller import PipePoller

        return PipePoller()
    else:  # noqa: RET505  mypy tells platforms apart by branches only
        from csiproxy.rpc.descriptor_poller import DescriptorPoller

        return DescriptorPoller()
