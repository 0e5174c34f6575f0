"""A node in this process with an entrance, as Windows programs under Wine reach it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from csiproxy.emulator.entering import enter
from csiproxy.emulator.machine import Machine
from csiproxy.emulator.node import Node
from csiproxy.emulator.tcp import Entrance, EntrancePlace
from csiproxy.host import Host


@dataclass
class Entered:
    """The node, and the file that opens its entrance."""

    machine: Machine
    node: Node
    token_file: str

    def host(self) -> Host:
        """Both halves of the port, through the entrance."""
        return enter(self.token_file)


@contextmanager
def entered(machine: Machine, token_file: str) -> Iterator[Entered]:
    """Serve a machine until the end of the context."""
    node = Node(machine, Entrance(EntrancePlace("127.0.0.1:0", token_file)))
    thread = threading.Thread(target=node.serve)
    thread.start()
    try:
        yield Entered(machine, node, token_file)
    finally:
        node.stop()
        thread.join()
