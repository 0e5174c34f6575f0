"""A client that fires: one thread, one connection a contract, over the proxy's real sockets."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.attack.ground import Ground
from tests.attack.shots import SHOTS, Aim, Fields, betrayed

from csiproxy.api import status_details, versions
from csiproxy.api.endpoints import socket_path
from csiproxy.errors import Code
from csiproxy.rpc import unix
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.status import RpcError

CALL_SECONDS = 120.0
FAILED = frozenset(
    (Code.INTERNAL, Code.UNKNOWN, Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.UNIMPLEMENTED)
)
"""Statuses that no storm of swaps may cause."""
OK = "ok"

Outcome = tuple[str, str]


@dataclass
class Results:
    """What came of a client's calls: how many by RPC and outcome, and what was wrong with an answer."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Client(threading.Thread):
    """Fires ``tries`` shots; the same seed gives the same shots."""

    def __init__(self, ground: Ground, endpoints: str, seed: int, take: Callable[[], bool]) -> None:
        super().__init__(name=f"client {seed}")
        self.results = Results()
        self._ground = ground
        self._endpoints = endpoints
        self._aim = Aim(ground, random.Random(seed))
        self._take = take
        self._channels: dict[str, Channel] = {}

    def run(self) -> None:
        table: Sequence[tuple[str, str]] = list(SHOTS)
        try:
            while self._take():
                self._fire(*self._aim.chance.choice(table))
        except Exception as error:  # a thread's death would else go by in silence
            self.results.wrong.append(f"the client itself failed: {error!r}")
            raise
        finally:
            for channel in self._channels.values():
                channel.close()

    def _fire(self, contract_name: str, rpc: str) -> None:
        contract = versions.contract(contract_name)
        path = f"/{contract.service}/{rpc}"
        method = contract.methods()[path]
        fields = SHOTS[contract_name, rpc](self._aim)
        reply: Mapping[str, object] = {}
        text = ""
        try:
            data = self._channel(contract.endpoint).call(
                path, method.request(**fields).SerializeToString(), timeout=CALL_SECONDS
            )
        except RpcError as error:
            details = status_details.decode(error.details)
            code = details.windows_code if details is not None else None
            outcome, text = f"{error.code.name} {code}", error.message
            if error.code in FAILED:
                self._wrong(contract_name, rpc, fields, f"{error}")
        else:
            message = method.reply.FromString(data)
            reply = {name.name: getattr(message, name.name) for name in message.DESCRIPTOR.fields}
            code = reply.get("error_code", 0)
            outcome = f"error_code {code}" if code else OK
        self.results.outcomes[f"{contract_name} {rpc}", outcome] += 1
        if problem := betrayed(self._ground, fields, reply, text):
            self._wrong(contract_name, rpc, fields, problem)

    def _wrong(self, contract_name: str, rpc: str, fields: Fields, problem: str) -> None:
        self.results.wrong.append(f"{contract_name} {rpc} {dict(fields)}: {problem}")

    def _channel(self, endpoint: str) -> Channel:
        if endpoint not in self._channels:
            self._channels[endpoint] = Channel(lambda: unix.connect(socket_path(self._endpoints, endpoint)))
        return self._channels[endpoint]
