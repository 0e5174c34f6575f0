"""Rows played to a real server over a unix socket, and to the protocol part alone."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event

from tests.rpc.conformance.row import PROBE, Row, Seen

from csiproxy.errors import Code
from csiproxy.rpc.allowance import Budget
from csiproxy.rpc.call import Call
from csiproxy.rpc.frames import Http2Error
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.protocol import ServerConnection
from csiproxy.rpc.server import Server
from csiproxy.rpc.server_stream import Request
from csiproxy.rpc.status import RpcError
from csiproxy.rpc.unix import UnixListener

PATIENCE = 20.0
FAILURE = RpcError(Code.NOT_FOUND, "größer als 100%", b"\x08\x05")


def handler(call: Call) -> bytes:
    """Echo; or fail; or wait until nobody waits."""
    if call.method.endswith("/Fail"):
        raise FAILURE
    if call.method.endswith("/Hang"):
        gone = Event()
        call.on_cancel(gone.set)
        assert gone.wait(PATIENCE)
    return call.message


class Servers:
    """A server for each set of limits that rows ask for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running: dict[Limits, tuple[Server, str]] = {}

    def path(self, limits: Limits) -> str:
        if limits not in self._running:
            path = str(self._directory / f"{len(self._running)}.sock")
            server = Server(handler, quick=lambda _, __: False, limits=limits)
            server.add(UnixListener(path, "conformance"))
            server.start()
            self._running[limits] = server, path
        return self._running[limits][1]

    def stop(self) -> None:
        for server, _ in self._running.values():
            assert server.stop(PATIENCE)

    def play(self, row: Row) -> Seen:
        """Send a row to a server, and read until all of it has come or the server hangs up."""
        seen = Seen()
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(self.path(row.limits))
            left = b""
            with suppress(BrokenPipeError, ConnectionResetError):
                client.sendall(row.opening + row.wire)
                while row.first is not None and not row.first.holds(seen):
                    left = seen.read(left + client.recv(1 << 16))
                client.sendall(row.then + PROBE)
            with suppress(ConnectionResetError):
                while (row.ends or not row.holds(seen)) and (part := client.recv(1 << 16)):
                    left = seen.read(left + part)
        assert left == b""
        return seen


def alone(row: Row, pieces: Iterator[bytes]) -> Seen:
    """Feed a row to the protocol part; its requests are answered at once."""
    budget = Budget(row.limits.buffered_bytes)
    end = ServerConnection(row.limits, budget, 0.0)
    seen = Seen()
    try:
        for piece in pieces:
            for event in end.receive(piece, 0.0):
                if isinstance(event, Request):
                    _answer(end, event)
                    budget.give(event.held)
            assert seen.read(end.take()) == b""
    except Http2Error:
        assert seen.read(end.take()) == b""
    end.close()
    assert budget.held == 0
    return seen


def _answer(end: ServerConnection, request: Request) -> None:
    if request.method.endswith("/Fail"):
        end.fail(request.stream_id, FAILURE.code, FAILURE.message, FAILURE.details)
    elif not request.method.endswith("/Hang"):
        end.reply(request.stream_id, request.message)
    elif request.deadline is not None:
        end.fail(request.stream_id, Code.DEADLINE_EXCEEDED, "too late")
