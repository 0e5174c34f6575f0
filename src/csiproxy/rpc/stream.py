"""Byte streams under the gRPC core, and who is at their other end."""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Peer:
    r"""Who is at the other end, as far as the system says.

    Of Windows: ``account`` is the account's name (``NT AUTHORITY\SYSTEM``) or, where this machine does not
    know it, its SID (``S-1-5-21-…``); ``image`` the program's path; ``session`` the logon session's number.
    """

    pid: int | None
    uid: int | None
    account: str = ""
    image: str = ""
    session: int | None = None


class Source(Protocol):
    """Something that a poller watches.

    ``fileno`` is what the system polls (a descriptor, a Windows handle).  A source without one gives -1 and
    has :meth:`Notifying.subscribe`.
    """

    def fileno(self) -> int:
        """The descriptor or handle, -1 without one."""
        ...


class Notifying(Source, Protocol):
    """A source that says itself when it may have become readable or writable."""

    def subscribe(self, ready: Callable[[], None]) -> None:
        """Have ``ready`` called, from any thread, whenever there may be something to do; once at once."""
        ...


class Stream(Source, Protocol):
    """A connected byte stream that never blocks."""

    @property
    def peer(self) -> Peer:
        """Who is at the other end."""
        ...

    def receive(self, size: int) -> bytes:
        """Read up to ``size`` bytes, b"" at the end.  Raise BlockingIOError when there is nothing yet."""
        ...

    def send(self, data: bytes) -> int:
        """Write what goes out now and give its count.  Raise BlockingIOError when nothing does."""
        ...

    def close(self) -> None:
        """Hang up.  Harmless when repeated."""
        ...


class ClientStream(Stream, Protocol):
    """The calling end of a stream, which needs no poller."""

    def wait(self, *, write: bool, timeout: float | None) -> bool:
        """Block until it can be read (or, with ``write``, written); False when ``timeout`` seconds passed."""
        ...


class Listener(Source, Protocol):
    """An endpoint that clients connect to; ``name`` is the endpoint's name (``csi-proxy-disk-v1``)."""

    @property
    def name(self) -> str:
        """The endpoint's name."""
        ...

    def accept(self) -> Stream:
        """Take the next connection.  Raise BlockingIOError when there is none."""
        ...

    def close(self) -> None:
        """Stop listening.  Harmless when repeated."""
        ...


class EndpointInUse(OSError):
    """A live server listens at an endpoint already."""

    def __init__(self, path: str) -> None:
        super().__init__(errno.EADDRINUSE, "a live server listens there already; stop it first", path)


class EndpointUntrusted(EndpointInUse):
    """Somebody serves at an endpoint who may not: a program that waits for other people's secrets, perhaps.

    ``server`` is who it is.
    """

    def __init__(self, path: str, server: Peer) -> None:
        super().__init__(path)
        program, account = server.image or "unknown program", server.account or "an unknown account"
        self.strerror = (
            f"process {server.pid} ({program}) of {account} serves there, which is neither the system nor an "
            "administrator; find out why, and end it"
        )
        self.server = server
