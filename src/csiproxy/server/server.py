"""The proxy as one object: contracts, operations and the audit trail behind an rpc server."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from csiproxy.api.versions import Contract
from csiproxy.audit.copies import Level
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.server import Server
from csiproxy.rpc.stream import EndpointInUse, EndpointUntrusted, Listener, Peer
from csiproxy.server.audit import Trail
from csiproxy.server.dispatch import Dispatcher, explained
from csiproxy.server.host_steps import StepLog

if TYPE_CHECKING:
    from csiproxy.server.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What came of opening endpoints: the names of those served here and of those left to another process.

    ``untrusted`` tells of those that are left to somebody who should not have them, a sentence each.
    """

    served: tuple[str, ...]
    left: tuple[str, ...]
    untrusted: tuple[str, ...] = ()


class Proxy:
    """Serves contracts on their endpoints: :meth:`listen`, then :meth:`start`, in the end :meth:`stop`."""

    def __init__(
        self,
        contracts: Iterable[Contract],
        operations: object,
        trail: Trail,
        log: TextIO,
        limits: Limits | None = None,
        metrics: "Metrics | None" = None,
        steps: StepLog | None = None,
    ) -> None:
        """Compose the server; the arguments are those of :class:`~csiproxy.server.dispatch.Dispatcher`."""
        self._contracts = tuple(contracts)
        self._trail = trail
        self._dispatcher = dispatcher = Dispatcher(self._contracts, operations, trail, log, metrics, steps)
        self._server = Server(
            dispatcher,
            quick=dispatcher.quick,
            limits=limits or Limits(),
            unserved=dispatcher.unserved,
            explained=explained,
            confidential=dispatcher.confidential,
            turned_away=dispatcher.turned_away,
        )

    def listen(self, open_endpoint: Callable[[Contract], Listener]) -> Endpoints:
        """Open every contract's endpoint, except those that another live process serves.

        Two releases run side by side on a node like this: each serves what the other does not.
        ``open_endpoint`` raises EndpointInUse for an endpoint that is served already; any other OSError is
        raised after what was opened has been closed again.  An endpoint that is served by somebody who may
        not (EndpointUntrusted) is left alone, too: that is recorded, and health checks of the whole server
        fail from then on.
        """
        opened: list[Listener] = []
        left: list[str] = []
        untrusted: list[str] = []
        try:
            for contract in self._contracts:
                try:
                    opened.append(open_endpoint(contract))
                except EndpointInUse as error:
                    left.append(contract.endpoint)
                    if isinstance(error, EndpointUntrusted):
                        untrusted.append(f"{contract.endpoint}: {error.strerror}")
                        self._distrust(contract.endpoint, error.server)
        except OSError:
            for listener in opened:
                listener.close()
            raise
        for listener in opened:
            self._server.add(listener)
        return Endpoints(tuple(listener.name for listener in opened), tuple(left), tuple(untrusted))

    def _distrust(self, endpoint: str, server: Peer) -> None:
        self._dispatcher.trusted = False
        facts = {"pid": server.pid, "image": server.image, "account": server.account}
        self._trail.event("endpoint-untrusted", Level.ERROR, endpoint=endpoint, **facts)

    def start(self) -> None:
        """Begin to answer."""
        self._server.start()

    def stop(self, grace: float) -> bool:
        """Take no more calls and give running ones ``grace`` seconds; True if all were done."""
        return self._server.stop(grace)
