"""The node's process: a machine behind a local socket.

Each connection has a thread of its own and one call at a time.  What is no call closes its connection and
nothing else.
"""

import argparse
import os
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from csiproxy.emulator import frames, sockets, wire
from csiproxy.emulator.calls import Arguments, Call, namespace_calls, perform, session_calls
from csiproxy.emulator.control import control_calls
from csiproxy.emulator.faults import ReplyLost
from csiproxy.emulator.frames import Frame
from csiproxy.emulator.handles import Handles, win32_calls
from csiproxy.emulator.inventory import SmbServerReport
from csiproxy.emulator.machine import Machine
from csiproxy.emulator.places import Places
from csiproxy.emulator.smb_shares import Show
from csiproxy.emulator.tcp import Entrance, EntrancePlace
from csiproxy.emulator.volume import StoreKind
from csiproxy.emulator.wire import Failure, Greeting, Reply, Request, WireError
from csiproxy.errors import HostError

MOST_CONNECTIONS = 512
# Of these through the entrance, where whoever is on this host can knock.
MOST_THROUGH_ENTRANCE = 128

# How long calls that run may take to end once the node is told to stop (seconds).  The state is whole at any
# instant, so nothing is lost when they do not.
GRACE = 10.0

# How long to leave a caller waiting whom the host has no room for (seconds).
PAUSE = 0.05


# Where drives and locks are is nothing to programs that cannot open a directory of the host.
NOWHERE = Places({}, "")


class Node:
    """Serves one machine on its socket, from :meth:`serve` until :meth:`stop`.

    Through an ``entrance``, which is shut then, Windows programs reach both halves of the port, no more.
    """

    def __init__(self, machine: Machine, entrance: Entrance | None = None) -> None:
        self._machine = machine
        self._entrance = entrance
        self._session_calls = session_calls(machine.session)
        self._calls: Mapping[str, Call] = {
            **self._session_calls,
            **namespace_calls(machine.links),
            **control_calls(machine, self.stop),
        }
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._through_entrance: set[socket.socket] = set()
        self._draining = False
        self._wake, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._server = sockets.listen(machine.directory)
        self._servers = [self._server, entrance.socket] if entrance else [self._server]
        for server in self._servers:
            server.setblocking(False)

    def stop(self) -> None:
        """Make :meth:`serve` return.  From any thread, and from a signal handler; twice is once."""
        try:
            self._waker.send(b"\0")
        except OSError:
            return  # full or closed: it is stopping already

    def serve(self) -> None:
        """Accept connections until told to stop, then let running calls end."""
        try:
            with selectors.DefaultSelector() as selector:
                for server in (*self._servers, self._wake):
                    selector.register(server, selectors.EVENT_READ)
                while self._wake not in (ready := [key.fileobj for key, _ in selector.select()]):
                    for server in self._servers:
                        if server in ready:
                            self._accept(server)
        finally:
            sockets.remove(self._machine.directory)
            self._server.close()
            if self._entrance:
                self._entrance.close()
            self._drain()
            self._wake.close()
            self._waker.close()

    def _accept(self, server: socket.socket) -> None:
        try:
            connection, _ = server.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return  # the caller has gone again
        except OSError:
            time.sleep(PAUSE)  # descriptors or memory are short, and the caller is still waiting
            return
        connection.setblocking(True)
        attend = self._attend if server is self._server else self._attend_entrance
        thread = threading.Thread(target=attend, args=(connection,), name="connection", daemon=True)
        with self._lock:
            refusal = self._refusal(connection, by_socket=server is self._server)
            if not refusal:
                self._connections[connection] = thread
                if server is not self._server:
                    self._through_entrance.add(connection)
        try:
            if refusal:
                _send_if_possible(connection, Failure(HostError(refusal)))
                connection.close()
            else:
                thread.start()
        except RuntimeError:  # no room for a thread
            self._forget(connection)
            connection.close()

    def _refusal(self, connection: socket.socket, *, by_socket: bool) -> str:
        """Why a connection is not taken; empty when it is."""
        if by_socket and not sockets.is_of_own_user_or_root(connection):
            return "only the node's own user and root may use it"
        if not by_socket and len(self._through_entrance) >= MOST_THROUGH_ENTRANCE:
            return f"it has {MOST_THROUGH_ENTRANCE} connections through its entrance already"
        if len(self._connections) >= MOST_CONNECTIONS:
            return f"it has {MOST_CONNECTIONS} connections already"
        return ""

    def _attend(self, connection: socket.socket) -> None:
        """One connection to the socket, from greeting to end."""
        with self._ending(connection):
            places = self._machine.namespace.places()
            self._converse(connection, places, self._calls, sockets.peer_process(connection))

    def _attend_entrance(self, connection: socket.socket) -> None:
        """One connection through the entrance: without the token it ends unanswered."""
        handles = Handles()
        with self._ending(connection):
            if self._entrance and self._entrance.admits(connection):
                calls = {**self._session_calls, **win32_calls(self._machine.win32, handles)}
                try:
                    self._converse(connection, NOWHERE, calls, None)
                finally:
                    handles.close_all()

    @contextmanager
    def _ending(self, connection: socket.socket) -> Iterator[None]:
        try:
            yield
        except (OSError, WireError, ReplyLost):
            pass  # the peer is gone, or is none of ours, or is to learn nothing
        finally:
            self._forget(connection)
            connection.close()

    def _forget(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.pop(connection, None)
            self._through_entrance.discard(connection)

    def _converse(
        self, connection: socket.socket, places: Places, calls: Mapping[str, Call], process: int | None
    ) -> None:
        """Greet, and answer calls until the peer has closed."""
        greeting = Greeting(wire.VERSION, os.getpid(), places)
        with self._machine.faults.calling(process, lambda: self._has_hung_up(connection)):
            if _send_if_possible(connection, greeting):
                while self._serve_one(connection, calls):
                    pass

    def _has_hung_up(self, connection: socket.socket) -> bool:
        """Whether the peer has closed while its call is made; one that waits for the answer sends nothing."""
        return not self._draining and sockets.has_hung_up(connection)

    def _serve_one(self, connection: socket.socket, calls: Mapping[str, Call]) -> bool:
        """Receive a call, make it, answer; False when the peer has closed."""
        frame = frames.receive(connection)
        if frame is None:
            return False
        try:
            answer = self._answer(frame, calls)
        finally:
            frame.close()
        frames.send(connection, _encoded(answer))
        return True

    @staticmethod
    def _answer(frame: Frame, calls: Mapping[str, Call]) -> Reply | Failure:
        """Make a call; WireError when it is none, ReplyLost when its reply is ordered to get lost."""
        request = wire.decode(frame.message)
        if not isinstance(request, Request) or request.call not in calls:
            raise WireError("a message is no call")
        arguments = Arguments(request.arguments, frame.descriptors[0] if frame.descriptors else None)
        try:
            return Reply(perform(calls[request.call], arguments))
        except (WireError, ReplyLost):
            raise
        except HostError as error:
            return Failure(error)
        except Exception as error:  # noqa: BLE001 - a fault of this program must reach the caller as an answer
            traceback.print_exc()
            return Failure(HostError(f"the node failed in {request.call}: {type(error).__name__}: {error}"))

    def _drain(self) -> None:
        """End all connections: idle ones at once, busy ones after their answer."""
        with self._lock:
            connections = dict(self._connections)
            self._draining = True  # what shuts them now looks like an end of theirs
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RD)
            except OSError:
                continue
        deadline = time.monotonic() + GRACE
        for thread in connections.values():
            thread.join(max(0.0, deadline - time.monotonic()))


def run(
    directory: str,
    *,
    drive_c: str | None = None,
    smb_files: Show | None = None,
    smb_servers: Sequence[SmbServerReport] = (),
    volumes: StoreKind | None = None,
    entrance: EntrancePlace | None = None,
    ready: Callable[[Machine], object] | None = None,
) -> None:
    """Run the node of a directory until SIGTERM, SIGINT or the operator's stop.

    ``ready`` is called once it answers on its socket.  Raises what
    :class:`~csiproxy.emulator.machine.Machine` and :class:`~csiproxy.emulator.tcp.Entrance` raise.
    """
    with Machine(directory, drive_c=drive_c, smb_files=smb_files, volumes=volumes) as machine:
        for server in smb_servers:
            machine.smb_servers.set(server.name, server.host, server.port)
        node = Node(machine, Entrance(entrance) if entrance else None)
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: node.stop())
        if ready:
            ready(machine)
        node.serve()


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m csiproxy.emulator.node --state DIR [--drive-c DIR] [--volumes directory|image]``."""
    parser = argparse.ArgumentParser(
        prog="csiproxy.emulator.node", description="Run an emulated Windows node."
    )
    parser.add_argument("--state", required=True, metavar="DIR", help="the node's directory")
    parser.add_argument("--drive-c", metavar="DIR", help="the directory of the host that holds drive C:")
    parser.add_argument("--volumes", type=StoreKind, metavar="STORE", help="directory or image")
    given = parser.parse_args(arguments)
    try:
        run(given.state, drive_c=given.drive_c, volumes=given.volumes)
    except (HostError, OSError) as error:
        sys.stderr.write(f"the emulated node did not start: {error}\n")
        return 1
    return 0


def _encoded(answer: Reply | Failure) -> bytes:
    """An answer's wire form; one that has none or is too large becomes a failure."""
    try:
        message = wire.encode(answer)
    except WireError as error:
        return wire.encode(Failure(HostError(f"the node has no answer that its socket can carry: {error}")))
    if len(message) > frames.LARGEST:
        return wire.encode(
            Failure(HostError(f"the answer has {len(message)} bytes, too many for the socket"))
        )
    return message


def _send_if_possible(connection: socket.socket, message: object) -> bool:
    try:
        frames.send(connection, wire.encode(message))
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
