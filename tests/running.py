"""A node and proxies on it as processes of their own, each of which may be killed and started again."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from tests.crash.calls import Outcome, Request, call
from tests.emulator.nodes import NodeDirectory

from csiproxy.api.endpoints import socket_path
from csiproxy.rpc import unix
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.stream import Stream
from csiproxy.testing.proxy import Proxy

SECONDS = 60.0


def until(condition: Callable[[], object]) -> None:
    """Wait for what is bound to happen; a test that hangs fails here."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "what should have happened did not"
        time.sleep(0.002)


class ProxyProcess:
    """``csi-proxy serve`` on a node; its audit trail can be read record by record."""

    def __init__(self, node: str, endpoints: Path, contracts: list[str]) -> None:
        self._endpoints = endpoints
        self._channels: dict[str, Channel] = {}
        self._proxy = Proxy(node, str(endpoints), serve=contracts)

    def call(self, request: Request, timeout: float = SECONDS) -> Outcome:
        """Make a call on the connection that the contract's calls share."""
        if request.contract not in self._channels:
            self._channels[request.contract] = self.channel(request)
        return call(self._channels[request.contract], request, timeout)

    def channel(self, request: Request) -> Channel:
        """A connection of its own to a request's endpoint."""
        return Channel(lambda: self.stream(request))

    def stream(self, request: Request) -> Stream:
        """The bytes of a connection to a request's endpoint."""
        return unix.connect(socket_path(str(self._endpoints), request.version.endpoint))

    def record(self) -> dict:
        """The next record of a call in the audit trail; waits for it."""
        while True:
            record = json.loads(self._proxy.errors.readline())
            if "rpc" in record:
                return record

    def has_died(self) -> int:
        """How it ended, once it has."""
        return self._proxy.wait()

    def kill(self) -> None:
        self.close()

    def close(self) -> None:
        """End it without ceremony, whatever it does."""
        for channel in self._channels.values():
            channel.close()
        self._proxy.close()


class Running:
    """A node in ``directory``/node with one proxy, both running; what has died can be started again."""

    def __init__(self, directory: Path, contracts: list[str]) -> None:
        self.directory = directory
        self.node = NodeDirectory(str(directory / "node"))
        self._contracts = contracts
        self._proxies: list[ProxyProcess] = []
        self.host = self.node.connect()
        self.control = self.node.control()
        try:
            self.proxy = self.another_proxy()
        except BaseException:
            self.close()
            raise

    def another_proxy(self, endpoints: str = "e") -> ProxyProcess:
        """Start a proxy whose sockets are in ``endpoints``."""
        proxy = ProxyProcess(self.node.path, self.directory / endpoints, self._contracts)
        self._proxies.append(proxy)
        return proxy

    def restart_proxy(self) -> None:
        """The proxy has died: start its successor on the same endpoints."""
        self.proxy.close()
        self.proxy = self.another_proxy()

    def restart_node(self) -> None:
        """The node has died: start it on its state again; the proxy goes on."""
        self.node.wait_until_gone()
        self.node.connect()

    def close(self) -> None:
        for proxy in self._proxies:
            proxy.close()
        self.control.close()
        self.node.stop()
