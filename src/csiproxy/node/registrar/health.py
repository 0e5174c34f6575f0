"""The registrar's health endpoint: whether its socket still stands there and leads to itself."""

import os
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

from csiproxy.csi import address
from csiproxy.csi import pluginregistration_pb2 as wire
from csiproxy.csi.calling import Caller
from csiproxy.node.registrar.settings import HttpAddress
from csiproxy.rpc.status import RpcError

PATH: Final = "/healthz"
_CALL_SECONDS: Final = 5.0
_REQUEST_SECONDS: Final = 10.0


def check(registration_socket: str, driver: str) -> tuple[int, str]:
    """Return an HTTP status and a line: 200, 404 without the socket's file, 500 when it does not answer."""
    try:
        os.stat(registration_socket)
    except FileNotFoundError:
        return 404, "registration socket does not exist"
    except OSError as error:
        return 500, f"registration socket cannot be looked at: {error.strerror}"
    caller = Caller(address.channel(registration_socket), wire.DESCRIPTOR)
    try:
        found = caller.call(wire.InfoRequest(), wire.PluginInfo, timeout=_CALL_SECONDS)
    except RpcError as error:
        return 500, f"registration socket does not answer: {error.code.name}"
    finally:
        caller.close()
    if found.name != driver:
        return 500, "registration socket belongs to another driver"
    return 200, "ok"


class HealthServer:
    """Serves the answer over HTTP in threads of its own."""

    def __init__(self, at: HttpAddress, registration_socket: str, driver: str) -> None:
        """Raise OSError when the address cannot be listened at."""

        class Handler(BaseHTTPRequestHandler):
            timeout = _REQUEST_SECONDS

            def do_GET(self) -> None:
                status, text = 404, f"there is only {PATH}"
                if self.path == PATH:
                    status, text = check(registration_socket, driver)
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name in http.server
                """Say nothing: kubelet asks every few seconds."""

        class Server(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in at.host else socket.AF_INET
            daemon_threads = True

        self._server = Server((at.host, at.port), Handler)
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
