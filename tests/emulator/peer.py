"""A node's end of a socket that says what the test wants it to say."""

import socket
import threading
from collections.abc import Callable

from csiproxy.emulator import frames, wire
from csiproxy.emulator.places import Places
from csiproxy.emulator.wire import Greeting, Reply, Request

GREETING = Greeting(wire.VERSION, 1234, Places({"C": "/c"}, "/locks"))


class Peer:
    """Greets and answers with values, or with bytes that need not be the wire's; None hangs up."""

    def __init__(
        self,
        greeting: object = GREETING,
        answer: Callable[[Request], object] = lambda request: Reply(request.arguments),
    ) -> None:
        self.greeting, self.answer = greeting, answer
        self.connections: list[socket.socket] = []
        self.requests: list[Request] = []
        self._threads: list[threading.Thread] = []

    def dial(self) -> socket.socket:
        """The caller's end of a new connection."""
        ours, theirs = socket.socketpair()
        self.connections.append(theirs)
        thread = threading.Thread(target=self.serve, args=(theirs,), daemon=True)
        self._threads.append(thread)
        thread.start()
        return ours

    def serve(self, connection: socket.socket) -> None:
        """One connection, from greeting to end."""
        with connection:
            frames.send(connection, _message(self.greeting))
            while frame := frames.receive(connection):
                frame.close()
                request = wire.decode(frame.message)
                assert isinstance(request, Request)
                self.requests.append(request)
                answer = self.answer(request)
                if answer is None:
                    return
                frames.send(connection, _message(answer))

    def wait_until_left(self) -> None:
        """Return when every connection is closed; fails when one stays open."""
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()


def _message(value: object) -> bytes:
    return value if isinstance(value, bytes) else wire.encode(value)
