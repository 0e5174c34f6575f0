"""A call in, an answer out: find the contract and the operation, and make a status of what fails.

This is the only place where an error's class becomes a gRPC status, and the place where a failure that
nobody foresaw stops: whatever a request does, the daemon goes on.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, TextIO

from csiproxy.api import status_details
from csiproxy.api.versions import Contract
from csiproxy.audit.copies import Level
from csiproxy.errors import (
    Code,
    CsiProxyError,
    Internal,
    InvalidArgument,
    PermissionDenied,
    ResourceExhausted,
    Unavailable,
)
from csiproxy.host.names import printable
from csiproxy.operations.context import Context
from csiproxy.operations.rail import CALLER_CONNECTIONS
from csiproxy.rpc.server import Call
from csiproxy.rpc.status import RpcError
from csiproxy.rpc.stream import Peer
from csiproxy.server import health, incident
from csiproxy.server.audit import Beginning, Json, Record, Trail, Unrecorded
from csiproxy.server.host_steps import Step, StepLog

if TYPE_CHECKING:
    from csiproxy.server.metrics import Metrics
    from csiproxy.server.route import Route

_CANNOT_BLOCK = frozenset({"PathExists", "IsSymlink", "IsMountPoint"})

_WITH_SECRETS = frozenset({"smb", "iscsi", "csi-proxy"})
"""Groups whose requests have secret fields.  (Their messages are loaded later, so they are named.)"""

_TURNED_AWAY_SECONDS = 10.0
"""Between two records about connections that found no room."""

_REQUEST, _PREFIX, _ROOM, _AUDIT = "request", "prefix", "room", "audit"
"""What refuses a call besides guard rails: it is no such request, it leads out of the prefixes, there is no
room or time for it, it could not be recorded."""

_LONGEST_MESSAGE = 1024
"""Bytes of an error's text that travel: percent-encoded, and repeated in the details, they stay below the
8 KiB of trailers that clients accept."""


@dataclass(slots=True)
class _Progress:
    """What is known of a call so far, for its record."""

    id: str
    context: Context
    time: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: float = field(default_factory=monotonic)
    arguments: Json = None
    answer: Json = None
    steps: list[Step] = field(default_factory=list)
    ran: bool = False
    rule: str = ""
    outcome: Code = Code.INTERNAL
    windows_code: int | None = None
    error: str = ""
    origin: str = ""


class Dispatcher:
    """The rpc server's handler for a set of contracts."""

    def __init__(
        self,
        contracts: Iterable[Contract],
        operations: object,
        trail: Trail,
        log: TextIO,
        metrics: "Metrics | None" = None,
        steps: StepLog | None = None,
    ) -> None:
        """Serve ``contracts`` with ``operations``, whose attributes are the groups; an absent one is refused
        call by call.  Records go to ``trail``, reports about failures of the program itself to ``log``.
        ``steps`` tells what was asked of the host.
        """
        self._steps = steps or StepLog()
        self._metrics = metrics
        self._contracts = {contract.endpoint: contract for contract in contracts}
        self._operations = operations
        self._trail = trail
        self._log = log
        self.trusted = True
        """False: somebody else has an endpoint who may not; health checks of the whole server fail."""
        self._turned_away = 0
        self._tell_of_turned_away = 0.0
        self._routes: dict[tuple[str, str], Route] = {}
        self._quick = frozenset(
            f"/{contract.service}/{rpc}"
            for contract in self._contracts.values()
            for rpc in contract.rpcs
            if rpc in _CANNOT_BLOCK
        )

    def quick(self, endpoint: str, method: str) -> bool:  # noqa: ARG002 - a method's path names its version
        """Whether a call cannot block, so that it may use the threads which are kept for such calls."""
        return method in self._quick or health.is_health(method)

    def confidential(self, endpoint: str) -> bool:
        """Whether requests to an endpoint may hold secrets."""
        contract = self._contracts.get(endpoint)
        return contract is not None and contract.group in _WITH_SECRETS

    def __call__(self, call: Call) -> bytes:
        """Answer a call; raise RpcError when the answer is a status."""
        contract = self._contracts[call.endpoint]
        if health.is_health(call.method):
            return health.answer(call.method, call.message, contract.service, healthy=self.trusted)
        if self._metrics is not None:
            self._metrics.started(call.method)
        context = Context(deadline=call.deadline, cancelled=call.cancelled)
        progress = _Progress(self._trail.next_id(), context)
        try:
            return self._answer(contract, call, progress)
        except RpcError as error:
            progress.outcome, progress.error = error.code, error.message
            progress.rule = progress.rule or ("" if progress.ran else error.rail or _REQUEST)
            raise
        finally:
            self._steps.collect(None)
            self._record(call, progress)

    def unserved(self, call: Call, status: RpcError) -> None:
        """Record a call that ended before anybody ran it: no room, or its client did not wait."""
        if not health.is_health(call.method):
            if self._metrics is not None:
                self._metrics.started(call.method)
            progress = _Progress(self._trail.next_id(), Context())
            progress.outcome, progress.error = status.code, status.message
            progress.rule = status.rail or _ROOM
            self._record(call, progress)

    def turned_away(self, peer: Peer) -> None:
        """Record that a process finds no room for a connection: the first time, and once in a while then."""
        self._turned_away += 1
        now = monotonic()
        if now >= self._tell_of_turned_away:
            self._tell_of_turned_away = now + _TURNED_AWAY_SECONDS
            self._trail.event(
                "connections-refused",
                Level.WARNING,
                pid=peer.pid,
                uid=peer.uid,
                image=peer.image,
                account=peer.account,
                rail=CALLER_CONNECTIONS.name,
                count=self._turned_away,
            )
            self._turned_away = 0

    def _answer(self, contract: Contract, call: Call, progress: _Progress) -> bytes:
        route: Route | None = None
        try:
            route = self._route(contract, call.method)
            wire = route.decode(call.message)
            progress.arguments = route.show(wire)
            if self._trail.required:
                self._begin(call, progress)
            progress.ran = True
            self._steps.collect(progress.steps)
            reply = route.run(progress.context, call.message, wire)
            if route.name is not None:
                progress.answer = route.name(reply)
            wire_reply = route.write(reply)
        except RpcError:
            raise
        except CsiProxyError as error:
            return self._failure(error, route, progress)
        except BaseException as error:  # noqa: BLE001 - also exhausted memory or stack, or an exit, ends only the call
            number = incident.report(error, call.endpoint, self._log)
            failure = Internal(
                f"csi-proxy itself failed (incident {number}): see its error log for this number"
            )
            return self._failure(failure, route, progress)
        progress.outcome, progress.windows_code = Code.OK, 0
        return wire_reply

    def _begin(self, call: Call, progress: _Progress) -> None:
        """Have it recorded that the call begins; raise Unavailable where that cannot be."""
        beginning = Beginning(
            progress.id, progress.time, call.endpoint, call.method, call.peer, progress.arguments
        )
        try:
            self._trail.begin(beginning)
        except Unrecorded as error:
            raise Unavailable(str(error), rail=_AUDIT) from error

    def _route(self, contract: Contract, path: str) -> "Route":
        """The route of a method, found once; raise RpcError for an unknown one."""
        known = self._routes.get((contract.endpoint, path))
        if known is not None:
            return known
        from csiproxy.server import route  # here, as protobuf loads at the first call

        found = route.find(contract, path, self._operations)
        if found is None:
            raise RpcError(
                Code.UNIMPLEMENTED, f"{contract.name} has no such method: it has {', '.join(contract.rpcs)}"
            )
        # Two threads may both get here; the routes that they find are equal.
        self._routes[contract.endpoint, path] = found
        return found

    def _failure(self, error: CsiProxyError, route: "Route | None", progress: _Progress) -> bytes:
        """The reply that carries a failure; raise RpcError where it is a status."""
        text = printable(str(error))
        progress.error, progress.origin, progress.windows_code = text, error.origin, error.windows_code
        progress.rule = error.rail or _rule_of(error)
        progress.outcome = error.code  # also where the client gets it in a reply of status OK
        reply = route.reply_for(error) if route else None
        if reply is None:
            raise _status(error, text)
        return reply

    def _record(self, call: Call, progress: _Progress) -> None:
        seconds = monotonic() - progress.started
        if self._metrics is not None:
            self._metrics.ended(call.method, progress.outcome, seconds)
        self._trail.write(
            Record(
                time=progress.time,
                endpoint=call.endpoint,
                rpc=call.method,
                peer=call.peer,
                arguments=progress.arguments,
                outcome=progress.outcome,
                windows_code=progress.windows_code,
                seconds=seconds,
                notes=tuple(progress.context.notes),
                error=progress.error,
                origin=progress.origin,
                id=progress.id,
                rule=progress.rule,
                ran=progress.ran,
                steps=progress.steps,
                answer=progress.answer,
            )
        )


def explained(status: RpcError) -> RpcError:
    """The status of a limit, with the details that a failed operation's would have."""
    error = ResourceExhausted(status.message, rail=status.rail)
    details = status_details.encode(
        status.code, status.message, windows_code=error.windows_code, origin="", rail=status.rail
    )
    return RpcError(status.code, status.message, details, status.rail)


def _rule_of(error: CsiProxyError) -> str:
    """What refused a call, where no guard rail did: "" for a failure of the host."""
    if error.origin:
        return ""
    if isinstance(error, InvalidArgument):
        return _REQUEST
    return _PREFIX if isinstance(error, PermissionDenied) else ""


def _status(error: CsiProxyError, text: str) -> RpcError:
    message = text.encode("utf-8", "replace")[:_LONGEST_MESSAGE].decode("utf-8", "ignore")
    details = status_details.encode(
        error.code, message, windows_code=error.windows_code, origin=error.origin, rail=error.rail
    )
    return RpcError(error.code, message, details)
