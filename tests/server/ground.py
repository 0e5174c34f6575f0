"""A proxy over an emulated node in this process, called through its endpoints in memory."""

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from google.protobuf import json_format

from csiproxy import operations
from csiproxy.api import versions
from csiproxy.api.versions import Contract
from csiproxy.emulator.machine import Machine
from csiproxy.host import Host
from csiproxy.operations.configuration import Configuration
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.memory import MemoryListener
from csiproxy.server.audit import Trail
from csiproxy.server.server import Proxy

KUBELET = r"C:\var\lib\kubelet"
CONFIGURATION = Configuration(
    KUBELET, (), KUBELET + r"\plugins\kubernetes.io\csi", KUBELET + r"\pods", allow_reformat=False
)


class Lines:
    """A sink that keeps what is written to it."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, line: bytes) -> None:
        self.written.append(line)

    def records(self) -> list[dict]:
        return [json.loads(line) for line in self.written]


class Running:
    """A started proxy: its channels by contract, its audit lines, its error log."""

    def __init__(self, contracts: Sequence[Contract], served: object, limits: Limits | None = None) -> None:
        self.audit, self.log = Lines(), io.StringIO()
        self.proxy = Proxy(contracts, served, Trail(self.audit, self.log), self.log, limits)
        self.listeners: dict[str, MemoryListener] = {}
        self.endpoints = self.proxy.listen(self._listen)
        self.proxy.start()

    def _listen(self, contract: Contract) -> MemoryListener:
        return self.listeners.setdefault(contract.name, MemoryListener(contract.endpoint))

    def send(self, contract: str, path: str, message: bytes, timeout: float | None = 20.0) -> bytes:
        with Channel(self.listeners[contract].connect) as channel:
            return channel.call(path, message, timeout=timeout)

    def call(self, contract: str, rpc: str, **fields: object) -> dict:
        """Call an RPC in its version's own field names; the reply likewise."""
        found = versions.contract(contract)
        path = f"/{found.service}/{rpc}"
        method = found.methods()[path]
        request = json_format.ParseDict(fields, method.request())
        reply = method.reply.FromString(self.send(contract, path, request.SerializeToString()))
        return json_format.MessageToDict(
            reply, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )

    def stop(self) -> None:
        assert self.proxy.stop(5.0)


@contextmanager
def emulated(directory: Path, contracts: Sequence[Contract] = versions.CONTRACTS) -> Iterator[Running]:
    """A proxy with the real operations over an emulated node."""
    with Machine(str(directory)) as machine:
        running = Running(contracts, operations.build(Host(machine.session, machine.win32), CONFIGURATION))
        try:
            yield running
        finally:
            running.stop()


@contextmanager
def serving(served: object, contracts: Sequence[Contract] = versions.CONTRACTS) -> Iterator[Running]:
    """A proxy with operations of the test's own."""
    running = Running(contracts, served)
    try:
        yield running
    finally:
        running.stop()
