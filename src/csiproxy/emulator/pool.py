"""Connections to a node's socket: one call at a time on each, as many as there are callers (bounded)."""

import socket
import threading
import weakref
from collections.abc import Callable, Mapping

from csiproxy.emulator import frames, wire
from csiproxy.emulator.frames import NothingSent
from csiproxy.emulator.wire import Failure, Greeting, Reply, Request, WireError
from csiproxy.errors import HostError, HostUnreachable
from csiproxy.wiping import wipe

MOST_CONNECTIONS = 64
MOST_IDLE = 8
# How often a call is begun that the node cannot have seen.
MOST_ATTEMPTS = 3


class Connection:
    """One connection to a node, after its greeting; HostUnreachable when it gives none that we understand.

    ``close()`` closes it; once more does nothing.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        # A port has no end of its own: its sockets are closed when nobody has it any more.
        self.close = weakref.finalize(self, connected.close)
        try:
            self.greeting = self._greeted()
        except (OSError, WireError) as error:
            self.close()
            raise HostUnreachable(f"the node does not greet: {error}") from error
        except BaseException:
            self.close()
            raise

    def _greeted(self) -> Greeting:
        match self._receive():
            case Greeting(wire.VERSION) as greeting:
                return greeting
            case Greeting(version):
                raise HostUnreachable(
                    f"the node is of another release (its socket speaks version {version}, this program "
                    f"{wire.VERSION}): stop the node and start it again"
                )
            case Failure(error):
                raise HostUnreachable(f"the node refuses this program: {error}")
        raise HostUnreachable("the node's socket is served by something else")

    def exchange(self, request: bytes | bytearray, descriptor: int | None) -> Reply | Failure:
        """Send a request and wait for its answer.

        NothingSent: the node cannot have seen the request.  OSError, WireError: it may have.
        """
        frames.send(self._socket, request, () if descriptor is None else (descriptor,))
        answer = self._receive()
        if not isinstance(answer, (Reply, Failure)):
            raise WireError("the node answered with something that is no answer")
        return answer

    @property
    def is_usable(self) -> bool:
        """Whether the node still is at the other end, as far as can be seen without asking it."""
        return not frames.is_closed(self._socket)

    def _receive(self) -> object:
        frame = frames.receive(self._socket)
        if frame is None:
            raise WireError("it closed the connection")
        frame.close()
        return wire.decode(frame.message)


class Pool:
    """Calls to a node from any number of threads.

    A broken connection fails the call that was on it with HostUnreachable, and the next call makes a new
    one.  A call is made again by itself only if the node cannot have seen it.
    """

    def __init__(self, dial: Callable[[], socket.socket]) -> None:
        self._dial = dial
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._idle: list[Connection] = []
        self._greeting: Greeting | None = None

    def greeting(self) -> Greeting:
        """What the node said on the newest connection."""
        greeting = self._greeting
        if greeting is None:
            with self._turns:
                connection = self._take()
                greeting = connection.greeting
                self._give_back(connection)
        return greeting

    def call(self, name: str, *arguments: object, descriptor: int | None = None) -> object:
        """Make a call, passing a descriptor along; raises what the call failed with, or HostUnreachable.

        A call that is too large for a message is a HostError, and nothing is sent.
        """
        return self._call(name, wire.encode(Request(name, arguments)), descriptor)

    def call_with_secrets(self, name: str, *arguments: object, secrets: Mapping[str, str]) -> object:
        """The same with parameters more, by name in the last argument, of which no copy is left."""
        request = wire.encode_with(Request(name, arguments), secrets)
        try:
            return self._call(name, request, None)
        finally:
            wipe(request)

    def _call(self, name: str, request: bytes | bytearray, descriptor: int | None) -> object:
        if len(request) > frames.LARGEST:
            raise HostError(f"the call {name} has {len(request)} bytes, too many for the socket")
        with self._turns:
            answer = self._exchange(name, request, descriptor)
        if isinstance(answer, Failure):
            raise answer.error
        return answer.value

    def close(self) -> None:
        """Close the connections that are not in use; a later call makes new ones."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _exchange(self, name: str, request: bytes | bytearray, descriptor: int | None) -> Reply | Failure:
        for _ in range(MOST_ATTEMPTS):
            connection = self._take()
            try:
                answer = connection.exchange(request, descriptor)
            except NothingSent:
                connection.close()
            except (OSError, WireError) as error:
                connection.close()
                raise HostUnreachable(
                    f"the node went away during {name}, and whether it was done is not known: {error}"
                ) from error
            except BaseException:
                connection.close()
                raise
            else:
                self._give_back(connection)
                return answer
        raise HostUnreachable(f"the node closes every connection before {name} can be asked")

    def _take(self) -> Connection:
        """An idle connection whose node is still there, or a new one."""
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                break
            if connection.is_usable:
                return connection
            connection.close()
        connection = self.another()
        self._greeting = connection.greeting
        return connection

    def another(self) -> Connection:
        """A connection of its own, which the pool does not count; HostUnreachable when no node answers."""
        try:
            connected = self._dial()
        except OSError as error:
            raise HostUnreachable(f"no emulated node answers: {error.strerror or error}") from error
        return Connection(connected)

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            if len(self._idle) < MOST_IDLE:
                self._idle.append(connection)
                return
        connection.close()
