"""Endpoints served by a handler of the test's own, over real sockets."""

import os
from collections.abc import Callable
from pathlib import Path

from csiproxy.api.endpoints import socket_path
from csiproxy.api.versions import contract
from csiproxy.client import Client, Retry, connect
from csiproxy.rpc.call import Call
from csiproxy.rpc.server import Server
from csiproxy.rpc.unix import UnixListener

PATIENCE = 20.0


class Served:
    """Versions whose every call ``handle`` answers; the calls that arrived are kept."""

    def __init__(self, directory: Path, handle: Callable[[Call], bytes], *names: str) -> None:
        self.directory = directory
        self.calls: list[Call] = []
        self.messages: list[bytes] = []  # a call gives its own up once it is answered
        self._handle = handle
        self._server = Server(self._serve, quick=lambda _, __: False)
        os.makedirs(directory, exist_ok=True)
        for name in names:
            endpoint = contract(name).endpoint
            self._server.add(UnixListener(socket_path(str(directory), endpoint), endpoint))
        self._server.start()

    def _serve(self, call: Call) -> bytes:
        self.calls.append(call)
        self.messages.append(call.message)
        return self._handle(call)

    def client(self, *, attempts: int = 1, timeout: float = PATIENCE) -> Client:
        return connect(self.directory, timeout=timeout, retry=Retry(attempts, first=0.001, longest=0.002))

    def close(self) -> None:
        assert self._server.stop(PATIENCE)
