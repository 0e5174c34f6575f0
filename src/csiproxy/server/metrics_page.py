"""The page of metrics over HTTP, for Prometheus: one request at a time, each for a few seconds at most."""

import socket
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Final

from csiproxy.server.metrics import CONTENT_TYPE

_PATH: Final = "/metrics"
_PATIENCE: Final = 5.0
"""Seconds that a client has for its request, and to take the answer: others wait meanwhile."""


class MetricsPage:
    """Serves ``render`` at ``address`` (``localhost:8888``, ``:8888``) from its making on.  Raise OSError."""

    def __init__(self, address: str, render: Callable[[], str]) -> None:
        host, _, port = address.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")

        class Server(HTTPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
            allow_reuse_address = hasattr(socket, "AF_UNIX")  # Windows takes it for permission to share

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that breaks off is its own affair."""

        class Handler(BaseHTTPRequestHandler):
            timeout = _PATIENCE

            def do_GET(self) -> None:
                if self.path.partition("?")[0] != _PATH:
                    self.send_error(HTTPStatus.NOT_FOUND, "only /metrics is here")
                    return
                page = render().encode()
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", CONTENT_TYPE)
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Nobody needs a line for each."""

        self._server = Server((host, int(port)), Handler)
        self._thread = Thread(target=self._server.serve_forever, name="csiproxy-metrics", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it is served; of interest when the address names port 0."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
