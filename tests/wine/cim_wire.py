"""A CIM session of this process for another one, on either side of Wine: the node's wire, and CIM alone."""

import contextlib
import os
import socket
import sys
import threading

from csiproxy.emulator import frames, wire
from csiproxy.emulator.calls import Arguments, perform, session_calls
from csiproxy.emulator.places import Places
from csiproxy.emulator.tcp import Entrance, EntrancePlace
from csiproxy.emulator.wire import Failure, Greeting, Reply, WireError
from csiproxy.errors import HostError
from csiproxy.host.cim import Session


class CimServer:
    """Serves a session to whoever has the token file, until it is closed.  Each connection has a thread."""

    def __init__(self, session: Session, token_file: str) -> None:
        self._calls = session_calls(session)
        self._entrance = Entrance(EntrancePlace("127.0.0.1:0", token_file))
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more connections; those that are there end with their peers."""
        with contextlib.suppress(OSError):
            self._entrance.socket.shutdown(socket.SHUT_RDWR)
        self._entrance.close()

    def join(self) -> None:
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._entrance.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._attend, args=(connection,), daemon=True).start()

    def _attend(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, WireError):
            if self._entrance.admits(connection):
                frames.send(connection, wire.encode(Greeting(wire.VERSION, os.getpid(), Places({}, ""))))
                while frame := frames.receive(connection):
                    frames.send(connection, wire.encode(self._answer(frame.message)))

    def _answer(self, message: bytes) -> Reply | Failure:
        request = wire.decode(message)
        try:
            return Reply(perform(self._calls[request.call], Arguments(request.arguments, None)))
        except HostError as error:
            return Failure(error)


def main(token_file: str) -> None:
    """In a Windows Python: let tests outside reach WMI through this program's COM session."""
    from csiproxy.windows.com import ComSession
    from csiproxy.windows.late_binding import open_namespace

    server = CimServer(ComSession(open_namespace), token_file)
    print("ready", flush=True)
    server.join()


if __name__ == "__main__":
    main(sys.argv[1])
