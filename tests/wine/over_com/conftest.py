"""The conformance suite of every group that CIM serves, every version, with CIM over COM between processes.

The proxy is as in its own suite, and so is the node's Win32 half, which mounts and links.  Of the node, it is
the CIM half that the proxy does not reach directly: its calls go through COM in a Wine prefix and back.
"""

import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import leaks
from tests.conformance.conftest import apis, claim  # noqa: F401 - fixtures
from tests.conformance.running import Running
from tests.conformance.wire import Api, Client
from tests.conftest import windows_of_its_own
from tests.wine.wmi import over_com, standing_in
from tools.wine.prefix import Prefix

from csiproxy.emulator.calls import session_calls
from csiproxy.emulator.machine import Machine
from csiproxy.emulator.node import Node
from csiproxy.emulator.tcp import Entrance, EntrancePlace
from csiproxy.host.cim import Session


class NodeOverCom(Node):
    """A node whose socket leads to another session than its entrance, which leads to its own."""

    def __init__(self, machine: Machine, entrance: Entrance) -> None:
        super().__init__(machine, entrance)
        self._own = self._calls

    def lead_to(self, session: Session) -> None:
        self._calls = {**self._own, **session_calls(session)}


@pytest.fixture(scope="session")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prefix]:
    """Not the Windows of other tests, which would find this node in its WMI."""
    with windows_of_its_own(tmp_path_factory.mktemp("wine")) as prefix:
        yield prefix


@pytest.fixture(scope="session")
def running(wine: Prefix, apis: dict[str, Api]) -> Iterator[Running]:  # noqa: F811
    # Not pytest's own directory: the path of a socket has about 100 bytes.
    directory = tempfile.mkdtemp(prefix="cp-", dir="/tmp")
    token, com = Path(directory, "token"), Path(directory, "com")
    with Machine(f"{directory}/n") as machine:
        node = NodeOverCom(machine, Entrance(EntrancePlace("127.0.0.1:0", str(token))))
        thread = threading.Thread(target=node.serve)
        thread.start()
        try:
            with standing_in(wine, token), over_com(wine, com) as session:
                node.lead_to(session)
                running = Running(directory, apis, Client)
                try:
                    yield running
                finally:
                    running.leave()
        finally:
            node.stop()
            thread.join()
    leaks.search(directory)
    shutil.rmtree(directory)
