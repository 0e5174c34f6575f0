"""The proxy that is attacked: one of the suite's own, or any other that runs, named by its sockets."""

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf.message import Message
from tests.attack.ground import Ground, prepare

from csiproxy.api import status_details, versions
from csiproxy.api.endpoints import socket_path
from csiproxy.api.versions import Contract, Method
from csiproxy.emulator.control import Control
from csiproxy.errors import Code
from csiproxy.rpc import unix
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.status import RpcError
from csiproxy.rpc.stream import Stream
from csiproxy.testing.processes import Program

CALL_SECONDS = 60.0
HEALTH = "/grpc.health.v1.Health/Check"


@dataclass(frozen=True)
class Answer:
    """What a call gave: the gRPC status with its text, or the reply with CSIProxyService's code in it."""

    code: Code
    text: str = ""
    windows_code: int | None = None
    rail: str = ""
    reply: Message | None = None

    @property
    def done(self) -> bool:
        """Whether the proxy says that it did what was asked."""
        return self.code is Code.OK and not self.windows_code


@dataclass
class Target:
    """A running proxy.

    ``endpoints`` is the directory of its sockets.  What is not known of a foreign one is empty: ``pid``, the
    files of ``audit`` records and ``log``, and the ``ground``, which only a proxy of our own has.
    """

    endpoints: str
    pid: int = 0
    audit: str = ""
    log: str = ""
    ground: Ground | None = None
    _channels: dict[tuple[int, str], Channel] = field(default_factory=dict)

    def contracts(self) -> list[Contract]:
        """The contracts that it serves."""
        return [one for one in versions.CONTRACTS if os.path.exists(self.socket(one))]

    def socket(self, contract: Contract) -> str:
        """The path of a contract's socket."""
        return socket_path(self.endpoints, contract.endpoint)

    def stream(self, contract: Contract) -> Stream:
        """The bytes of a new connection."""
        return unix.connect(self.socket(contract))

    def channel(self, contract: Contract) -> Channel:
        """The connection of this thread to a contract."""
        key = threading.get_ident(), contract.endpoint
        if key not in self._channels:
            self._channels[key] = Channel(lambda: self.stream(contract))
        return self._channels[key]

    def call(self, contract_name: str, rpc: str, **fields: object) -> Answer:
        """Make a call with fields of its own version's names."""
        contract = versions.contract(contract_name)
        method = contract.methods()[f"/{contract.service}/{rpc}"]
        return self.send(contract, method, method.request(**fields))

    def send(self, contract: Contract, method: Method, request: Message) -> Answer:
        """Make a call with a whole request."""
        path = f"/{contract.service}/{method.rpc}"
        try:
            data = self.channel(contract).call(path, request.SerializeToString(), timeout=CALL_SECONDS)
        except RpcError as error:
            details = status_details.decode(error.details) if error.details else None
            code, rail = (details.windows_code, details.rail) if details else (None, "")
            return Answer(error.code, error.message, code, rail)
        reply = method.reply.FromString(data)
        return Answer(Code.OK, windows_code=getattr(reply, "error_code", 0), reply=reply)

    def healthy(self, seconds: float = 5.0) -> str:
        """Why the proxy does not serve others any more; "" when it answers in time."""
        contract = self.contracts()[0]
        try:
            with Channel(lambda: self.stream(contract)) as channel:
                reply = channel.call(HEALTH, b"", timeout=seconds)
        except (RpcError, OSError) as error:
            return f"health: {error}"
        return "" if reply == b"\x08\x01" else f"health: {reply!r}"

    def close(self) -> None:
        """Close all connections."""
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()

    # --- what is known of its process

    def children(self) -> list[int]:
        """The processes that it has started: none, ever."""
        with suppress(OSError):
            found = Path(f"/proc/{self.pid}/task").glob("*/children")
            return [int(pid) for path in found for pid in path.read_text().split()]
        return []

    def descriptors(self) -> int:
        """How many it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def threads(self) -> int:
        """How many it has."""
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def resident(self) -> int:
        """Bytes of its memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    # --- what it has written

    def records(self) -> list[Mapping[str, object]]:
        """Its audit records; ValueError where a line is none."""
        with open(self.audit, "rb") as file:
            return [json.loads(line) for line in file.read().splitlines()]

    def faults_in_log(self) -> list[str]:
        """What its log says of failures of the program itself."""
        if not self.log:
            return []
        text = Path(self.log).read_text(errors="replace")
        return [line for line in text.splitlines() if "incident" in line or "Traceback" in line]


class Own:
    """A node, and a proxy on it that can be ended and started again."""

    def __init__(self, directory: str, flags: Sequence[str] = ()) -> None:
        self._flags = flags
        self.ground = prepare(directory)
        log = os.path.join(directory, "log")
        self._node = Program("node", ("emulator", "run", "--state", self.ground.node), log)
        self.target = Target(
            os.path.join(self.ground.node, "endpoints"),
            audit=os.path.join(directory, "audit"),
            log=log,
            ground=self.ground,
        )
        try:
            self.start()
        except BaseException:
            self._end_node()
            raise

    @property
    def node_pid(self) -> int:
        """The node's process."""
        return self._node.pid

    def start(self) -> None:
        """Start the proxy."""
        host = f"emulator:{self.ground.node}"
        flags = ("--audit-log", self.target.audit, *self._flags)
        self._proxy = Program("proxy", ("serve", "--host", host, *flags), self.target.log)
        self.target.pid = self._proxy.pid

    def stop(self) -> None:
        """End the proxy."""
        self.target.close()
        self._proxy.stop()

    def close(self) -> None:
        """End both."""
        try:
            self.stop()
        finally:
            self._end_node()

    def _end_node(self) -> None:
        with Control(self.ground.node) as control:
            control.stop()
        self._node.wait()


@contextmanager
def own(*flags: str) -> Iterator[Own]:
    """A proxy of our own, with more flags, in a directory whose path leaves room for a socket's name."""
    directory = tempfile.mkdtemp(prefix="cp-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT"))
    try:
        made = Own(directory, flags)
        try:
            yield made
        finally:
            made.close()
    finally:
        shutil.rmtree(directory)
