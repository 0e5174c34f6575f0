"""The proxy as one object: contracts, operations and the audit trail behind an rpc server."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TextIO

from csiproxy.api.versions import Contract
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.server import Server
from csiproxy.rpc.stream import EndpointInUse, Listener
from csiproxy.server.audit import Trail
from csiproxy.server.dispatch import Dispatcher


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What came of opening endpoints: the names of those served here and of those left to another process."""

    served: tuple[str, ...]
    left: tuple[str, ...]


class Proxy:
    """Serves contracts on their endpoints: :meth:`listen`, then :meth:`start`, in the end :meth:`stop`."""

    def __init__(
        self,
        contracts: Iterable[Contract],
        operations: object,
        trail: Trail,
        log: TextIO,
        limits: Limits | None = None,
    ) -> None:
        """Compose the server; the arguments are those of :class:`~csiproxy.server.dispatch.Dispatcher`."""
        self._contracts = tuple(contracts)
        dispatcher = Dispatcher(self._contracts, operations, trail, log)
        self._server = Server(
            dispatcher,
            quick=dispatcher.quick,
            limits=limits or Limits(),
            unserved=dispatcher.unserved,
        )

    def listen(self, open_endpoint: Callable[[Contract], Listener]) -> Endpoints:
        """Open every contract's endpoint, except those that another live process serves.

        Two releases run side by side on a node like this: each serves what the other does not.
        ``open_endpoint`` raises EndpointInUse for an endpoint that is served already; any other OSError is
        raised after what was opened has been closed again.
        """
        opened: list[Listener] = []
        left: list[str] = []
        try:
            for contract in self._contracts:
                try:
                    opened.append(open_endpoint(contract))
                except EndpointInUse:
                    left.append(contract.endpoint)
        except OSError:
            for listener in opened:
                listener.close()
            raise
        for listener in opened:
            self._server.add(listener)
        return Endpoints(tuple(listener.name for listener in opened), tuple(left))

    def start(self) -> None:
        """Begin to answer."""
        self._server.start()

    def stop(self, grace: float) -> bool:
        """Take no more calls and give running ones ``grace`` seconds; True if all were done."""
        return self._server.stop(grace)
