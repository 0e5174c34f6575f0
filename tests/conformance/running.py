"""An emulated node and a proxy on it, each a process of its own, as an operator runs them."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from tests.conformance.wire import Api, Client
from tests.running import until

from csiproxy.emulator.control import Control
from csiproxy.rpc import unix
from csiproxy.rpc.client_protocol import ClientConnection
from csiproxy.rpc.limits import Limits

KUBELET = r"C:\var\lib\kubelet"
PLUGINS = KUBELET + r"\plugins\kubernetes.io\csi"
PODS = KUBELET + r"\pods"
MIB = 1 << 20


Connect = Callable[[Api, str], Client]


class Running:
    """One node below ``directory`` with a proxy that serves everything on it."""

    def __init__(
        self, directory: str, apis: dict[str, Api], connect: Connect = Client, store: str = "directory"
    ) -> None:
        self.directory = directory
        self._store = store
        self.node = os.path.join(directory, "n")
        self.endpoints = os.path.join(directory, "e")
        self.apis = apis
        self._connect = connect
        self._clients: dict[str, Client] = {}
        self._disks = 0
        self._audit = f"{directory}/audit.jsonl"
        self._proxy = self._start()
        self.control = Control(self.node)

    def _start(self) -> subprocess.Popen[bytes]:
        ready, told = os.pipe()
        command = [sys.executable, "-m", "csiproxy", "serve", "--host", f"emulator:{self.node}"]
        command += ["--volumes", self._store]
        command += ["--endpoints", self.endpoints, "--audit-log", self._audit]
        with open(f"{self.directory}/proxy.log", "wb") as log:
            proxy = subprocess.Popen(
                [*command, "--ready-fd", str(told)], pass_fds=[told], stdout=log, stderr=log
            )
        os.close(told)
        with os.fdopen(ready, "rb") as reader:
            said = reader.read()  # ends when the proxy has said so, or has ended itself
        assert said == b"READY\n", Path(f"{self.directory}/proxy.log").read_text()
        return proxy

    def close(self) -> None:
        self.leave()
        with Control(self.node) as control:
            control.stop()

    def leave(self) -> None:
        """End the proxy; the node goes on."""
        for client in self._clients.values():
            client.close()
        self._proxy.terminate()
        assert self._proxy.wait(60) == 0
        self.control.close()

    def client(self, name: str) -> Client:
        """A client of ``disk/v1`` or the like."""
        if name not in self._clients:
            self._clients[name] = self._connect(self.apis[name], self.endpoints)
        return self._clients[name]

    def hang_up(self, name: str, rpc: str, fields: dict[str, Any], *, at_once: bool) -> None:
        """Make a call and hang up before its reply: once all is sent, or once the proxy has done with it.

        In the end the proxy has done with it, whether it was still begun or not.
        """
        api = self.apis[name]
        request, _ = api.rpcs[rpc]
        recorded = os.path.getsize(self._audit)

        def over() -> bool:
            # The record is written before the reply, so that of every call that was answered is there.
            return os.path.getsize(self._audit) > recorded

        stream = unix.connect(f"{self.endpoints}/{api.endpoint}.sock")
        connection = ClientConnection(Limits(), monotonic(), "localhost")
        connection.request(f"/{api.service}/{rpc}", request(**fields).SerializeToString(), None)
        sent = connection.take()
        assert stream.send(sent) == len(sent)
        if at_once:
            # A plain close may overtake what was sent: then the proxy never hears of the call.
            with socket.socket(fileno=os.dup(stream.fileno())) as connected:
                connected.shutdown(socket.SHUT_WR)
        until(over)
        stream.close()

    # --- what others do to the node

    def next_number(self) -> int:
        """The number of the next image."""
        return self._disks + 1

    def attach(self, size: int = 64 * MIB, **options) -> int:
        self._disks += 1
        return self.control.attach(f"{self.directory}/{self._disks}.img", create=size, **options)

    def on_host(self, path: str) -> str:
        r"""The host path of ``C:\…``, in any case of the drive."""
        return os.path.join(self.node, "c", *path.split("\\")[1:])

    def make(self, path: str) -> str:
        """Make a directory, as kubelet does; the path again."""
        os.makedirs(self.on_host(path), exist_ok=True)
        return path

    def exists(self, path: str) -> bool:
        return os.path.lexists(self.on_host(path))

    def write(self, path: str, text: str) -> None:
        """Write a file as a container does, through whatever links there are."""
        with open(self.on_host(path), "w") as file:
            file.write(text)

    def read(self, path: str) -> str:
        with open(self.on_host(path)) as file:
            return file.read()

    def mount_points(self, volume: str) -> tuple[str, ...]:
        [report] = [v for disk in self.control.list() for v in disk.volumes if v.name == volume]
        return report.mount_points
