"""An emulated node of the demo with its proxy, each a process of its own."""

import os
from typing import Self

from csiproxy.cli.demo.client import Client
from csiproxy.cli.inventory import Disk, Links, Volume, read_disks, read_links, volumes_of
from csiproxy.cli.places import ENDPOINTS, KUBELET_PATH, open_node
from csiproxy.emulator.control import Control
from csiproxy.errors import NotFound
from csiproxy.host import Host
from csiproxy.testing.processes import Program


class Node:
    """One node in its directory.  Leaving the context ends whatever still runs."""

    def __init__(self, name: str, directory: str) -> None:
        self.name = name
        self.directory = directory
        self.endpoints = os.path.join(directory, ENDPOINTS)
        self.client = Client(self.endpoints)
        self._machine: Program | None = None
        self._proxy: Program | None = None
        self._host: Host | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.client.close()
        for program in (self._proxy, self._machine):
            if program is not None:
                program.kill()
        self._proxy = self._machine = None

    def start_machine(self) -> int:
        """Start the node's process and return its id."""
        os.makedirs(self.directory, exist_ok=True)
        arguments = ["emulator", "run", "--state", self.directory]
        self._machine = Program("emulated node", arguments, os.path.join(self.directory, "node.log"))
        return self._machine.pid

    def start_proxy(self) -> int:
        """Start the proxy and return its process id."""
        arguments = ["serve", "--host", f"emulator:{self.directory}", "--endpoints", self.endpoints]
        arguments += ["--audit-log", os.path.join(self.directory, "audit.jsonl")]
        self._proxy = Program("proxy", arguments, os.path.join(self.directory, "proxy.log"))
        return self._proxy.pid

    def kill_proxy(self) -> int:
        """``kill -9`` the proxy; return its exit status."""
        if self._proxy is None:
            return 0
        status = self._proxy.kill()
        self._proxy = None
        return status

    def stop(self) -> tuple[int, ...]:
        """Ask proxy and node to end; return their exit codes."""
        self.client.close()
        codes = tuple(program.stop() for program in (self._proxy, self._machine) if program is not None)
        self._proxy = self._machine = None
        return codes

    def attach(self, image: str, *, serial: str, lun: int, create: int | None = None) -> int:
        """Attach a disk, as a cloud does; return its number."""
        with Control(self.directory) as control:
            return control.attach(image, create=create, serial=serial, lun=lun)

    def detach(self, number: int) -> None:
        """Take a disk away."""
        with Control(self.directory) as control:
            control.detach(number)

    def grow(self, number: int, size: int) -> None:
        """Make a disk larger."""
        with Control(self.directory) as control:
            control.grow(number, size)

    def disks(self) -> tuple[Disk, ...]:
        """Read the node's disks, past the proxy."""
        return read_disks(self._port())

    def links(self) -> Links:
        """Read the node's links and mount points, past the proxy."""
        return read_links(self._port().win32, KUBELET_PATH)

    def disk(self, number: int) -> Disk:
        """Read a disk, past the proxy."""
        for disk in self.disks():
            if disk.number == number:
                return disk
        raise NotFound(f"the node has no disk {number}")

    def volume(self, volume_id: str) -> Volume:
        """Read a volume, past the proxy."""
        for _, _, volume in volumes_of(self.disks()):
            if volume.id == volume_id:
                return volume
        raise NotFound(f"the node has no volume {volume_id}")

    def _port(self) -> Host:
        if self._host is None:
            self._host = open_node(self.directory)
        return self._host

    def host_path(self, path: str) -> str:
        r"""Where a path of drive C: is on this machine, as a container's runtime would mount it."""
        return os.path.join(self.directory, "c", *path.split("\\")[1:])
