"""One client's connection: a stream, its protocol state, its calls and what it has not read yet.

The leader calls :meth:`Connection.ready` and :meth:`Connection.due`; the threads that run calls answer
through :class:`ServedCall`.  The connection's lock is held for protocol work and non-blocking system calls
only; handlers and callbacks run without it.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from math import inf
from threading import Condition, Lock
from time import monotonic
from typing import Final, Protocol

from csiproxy.rpc import poller, refusals
from csiproxy.rpc.call import Call, Handler
from csiproxy.rpc.clients import Client, Clients
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.protocol import ServerConnection
from csiproxy.rpc.server_stream import Request
from csiproxy.rpc.status import RpcError
from csiproxy.rpc.stream import Peer, Stream
from csiproxy.rpc.timers import Timers
from csiproxy.wiping import forget_locals, wipe

_READ_BYTES: Final = 32 * 1024
_TOGETHER: Final = 16
"""Replies of calls that cannot block which are sent at once; each send is a system call and a wakeup."""
_PAUSE_BYTES: Final = 64 * 1024
"""Answers to control frames that may pile up before a peer that does not read is not read either."""


class Pollable(Protocol):
    """What the leader finds behind an event."""

    def ready(self, events: int, now: float) -> "Sequence[ServedCall]":
        """Do what can be done without blocking; give the calls that came of it."""
        ...


class Shared:
    """What the connections of one server have in common."""

    def __init__(
        self,
        handler: Handler,
        quick: Callable[[str, str], bool],
        limits: Limits,
        unserved: Callable[[Call, RpcError], None],
        explained: Callable[[RpcError], RpcError] = lambda status: status,
        confidential: Callable[[str], bool] = lambda endpoint: False,  # noqa: ARG005
    ) -> None:
        self.handler = handler
        self.unserved = unserved
        self.explained = explained
        self.confidential = confidential
        self.quick = quick
        self.limits = limits
        self.clients = Clients(limits)
        self.connections: set[Connection] = set()
        self.settled = Condition()
        """Notified when a connection that is to end has nothing left to do, and when one closed."""
        self.poller: poller.Poller[Pollable]
        self.timers: Timers
        self.withdraw: Callable[[ServedCall], bool]


class ServedCall(Call):
    """A call on a connection; a job for the crew."""

    __slots__ = ("client", "connection", "held", "over", "quick", "stream_id")

    def __init__(self, connection: "Connection", request: Request, quick: bool) -> None:
        super().__init__(
            connection.endpoint, request.method, request.message, connection.peer, request.deadline
        )
        self.connection = connection
        self.client = connection.client
        self.stream_id = request.stream_id
        self.held = request.held
        self.quick = quick
        self.over = False

    @property
    def kind(self) -> tuple[str, str]:
        """Calls of one method on one endpoint take about the same time."""
        return self.endpoint, self.method

    def run(self, *, hold: bool = False) -> None:
        """Run the handler and answer; with ``hold`` the answer may wait for the next one's."""
        outcome: bytes | RpcError
        if self._cancelled:  # between the line and this thread
            late = self.deadline is not None and self.deadline <= monotonic()
            self._never_runs(refusals.TOO_LATE if late else refusals.GONE)
            return
        try:
            outcome = self.connection.shared.handler(self)
            if type(outcome) is not bytes:
                outcome = refusals.NOT_BYTES
        except RpcError as error:
            outcome = error
        except BaseException:  # noqa: BLE001  whatever a handler does, its thread goes on serving others
            outcome = refusals.BROKEN
        self.finish()
        self.connection.answer(self, outcome, hold=hold)
        if self.connection.confidential and isinstance(outcome, RpcError):
            forget_locals(outcome, deep=True)
        self.let_go()

    def release(self) -> None:
        """Send what was held."""
        self.connection.release()

    def refuse(self, status: RpcError = refusals.NO_ROOM) -> None:
        """Answer that there is no room."""
        self.connection.answer(self, self.connection.shared.explained(status))
        self._never_runs(status)

    def let_go(self) -> None:
        """Give back what the request held; a timer may keep the call itself for a while."""
        message, self.message = self.message, b""
        if self.connection.confidential:
            wipe(message)
        if self.held:
            self.client.budget.give(self.held)
            self.held = 0

    def due(self, now: float) -> None:  # noqa: ARG002  a call has one timer, its deadline
        """End the call: its deadline has passed."""
        self.end(refusals.TOO_LATE)

    def end(self, status: RpcError) -> None:
        """Answer before the handler does, and tell the handler."""
        if self.connection.answer(self, status):
            self.abandon(status)

    def abandon(self, status: RpcError = refusals.GONE) -> None:
        """Tell the handler that nobody waits; a call that was still in line is never run."""
        self.cancel()
        if self.connection.shared.withdraw(self):
            self._never_runs(status)

    def _never_runs(self, status: RpcError) -> None:
        try:
            self.connection.shared.unserved(self, status)
        finally:
            self.let_go()


class Connection:
    """See the module.  ``over`` is True once it is closed."""

    __slots__ = (
        "_active",
        "_armed",
        "_blocked",
        "_calls",
        "_drained_at",
        "_lock",
        "_opened",
        "_paused",
        "_protocol",
        "_stalled",
        "_together",
        "_unsent",
        "client",
        "confidential",
        "endpoint",
        "over",
        "shared",
        "stream",
    )

    def __init__(self, shared: Shared, client: Client, stream: Stream, endpoint: str, now: float) -> None:
        self.shared = shared
        self.stream = stream
        self.client = client
        self.endpoint = endpoint
        self.over = False
        self._lock = Lock()
        self.confidential = shared.confidential(endpoint)
        self._protocol = ServerConnection(shared.limits, client.budget, now, confidential=self.confidential)
        self._calls: dict[int, ServedCall] = {}
        self._unsent = b""
        self._together = 0  # replies and the like that are held for the next reply
        self._blocked = False  # the stream takes nothing now
        self._stalled = now  # when it last took something, while blocked
        self._paused = False  # not read, because the peer does not read
        self._opened = self._active = now
        self._drained_at: float | None = None  # when the client was asked to go
        self._armed = inf  # the earliest timer that is set

    def open(self) -> None:
        """Send the settings and start watching."""
        with self._lock:
            self.shared.connections.add(self)
            gone = self._guard(self._begin)
        _tell(gone)

    def _begin(self) -> None:
        self.shared.poller.add(self.stream, self)
        self._arm(self._opened + self.shared.limits.handshake_seconds)
        self._flush()

    @property
    def idle_since(self) -> float | None:
        """When the last call ended, None while there is one."""
        busy = self._calls or self._together or self._protocol.open_streams
        return None if busy else self._active

    @property
    def peer(self) -> Peer:
        """Who is at the other end, as far as is known by now."""
        return self.stream.peer

    # --- the leader's side --------------------------------------------------------------------------

    def ready(self, events: int, now: float) -> Sequence[ServedCall]:
        """Read and write what goes without blocking; give the calls that came in."""
        calls: list[ServedCall] = []
        excess: list[ServedCall] = []
        cancelled: list[ServedCall] = []
        lost: list[ServedCall] = []
        gone: Collection[ServedCall] = ()
        with self._lock:
            if self.over:
                return []
            try:
                if events & poller.WRITE and self._blocked:
                    self._resume()
                if not self._paused:
                    if events & poller.READ:
                        self._read(now, calls, excess, cancelled)
                elif events & poller.HANGUP:
                    raise ConnectionResetError("the peer has gone without reading")
                if (
                    self._blocked
                    or self._drained_at is not None
                    or self._protocol.incomplete
                    or self._protocol.open_streams > len(self._calls)
                ):
                    self._settle(now)
            except Exception:  # noqa: BLE001  a peer's end, its violation, or a bug: this connection pays for it
                gone = self._break()
                lost = calls + excess
                calls = excess = []
        _tell(cancelled)
        _tell(gone)
        for call in lost:
            call.let_go()
        for call in excess:
            call.refuse(refusals.TOO_OFTEN)
        return calls

    def _resume(self) -> None:
        self._blocked = self._protocol.blocked = False
        self._flush()
        if not self._blocked:
            self._paused = False
            self.shared.poller.watch(self.stream, read=True, write=False)

    def _read(
        self, now: float, calls: list[ServedCall], excess: list[ServedCall], cancelled: list[ServedCall]
    ) -> None:
        try:
            data = self.stream.receive(_READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            raise ConnectionResetError("the peer has gone")
        for event in self._protocol.receive(data, now):
            if isinstance(event, Request):
                call = ServedCall(self, event, self.shared.quick(self.endpoint, event.method))
                self._calls[event.stream_id] = call
                client = self.client
                if client.left:
                    client.left -= 1
                    calls.append(call)
                else:
                    (calls if client.ask(now) else excess).append(call)
                self._active = now
                if event.deadline is not None:
                    self.shared.timers.add(event.deadline, call)
            else:
                lost = self._calls.pop(event.stream_id, None)
                if lost is not None:
                    lost.over = True
                    cancelled.append(lost)
        if self.confidential:
            wipe(data)
        if calls and calls[0].quick and not excess:
            self._together += 1  # what is owed for other frames goes with the reply, which follows at once
        else:
            self._flush()

    def due(self, now: float) -> None:
        """Look after everything of this connection that may take too long."""

        def work() -> None:
            limits = self.shared.limits
            if now < self._armed:
                return  # a later time was set before an earlier one was
            self._armed = inf
            if not self._protocol.settled:
                self._within(now, self._opened, limits.handshake_seconds)
            if self._blocked:
                self._within(now, self._stalled, limits.stall_seconds)
            self._settle(now, always=True)
            if not self.finished:
                self._arm(now + limits.idle_seconds)
                return
            if self._drained_at is None and self._active + limits.idle_seconds <= now:
                self._ask_to_go(now)
            if self._drained_at is not None:
                self._within(now, self._drained_at, limits.stall_seconds)
            else:
                self._arm(self._active + limits.idle_seconds)

        with self._lock:
            gone = () if self.over else self._guard(work)
        _tell(gone)

    def _within(self, now: float, since: float, seconds: float) -> None:
        if since + seconds <= now:
            raise TimeoutError("the peer takes too long")
        self._arm(since + seconds)

    def _arm(self, when: float) -> None:
        if when < self._armed:
            self._armed = when
            self.shared.timers.add(when, self)

    # --- any thread's side --------------------------------------------------------------------------

    def answer(self, call: ServedCall, outcome: bytes | RpcError, *, hold: bool = False) -> bool:
        """End a call.  False, and nothing sent, when it has ended already.

        With ``hold`` the reply may stay until the next one, or :meth:`release`.
        """
        gone: Collection[ServedCall] = ()
        with self._lock:
            if self._calls.pop(call.stream_id, None) is None:
                return False
            call.over = True
            try:
                if isinstance(outcome, bytes):
                    self._protocol.reply(call.stream_id, outcome)
                else:
                    self._protocol.fail(call.stream_id, outcome.code, outcome.message, outcome.details)
                if hold and self._together < _TOGETHER:
                    self._together += 1
                else:
                    self._flush()
                if self._protocol.open_streams > len(self._calls) or self._drained_at is not None:
                    self._settle(monotonic())
            except Exception:  # noqa: BLE001  as in _guard, whose closure would cost every call
                gone = self._break()
        if gone:
            _tell(gone)
        return True

    def release(self) -> None:
        """Send what is held."""

        def work() -> None:
            self._flush()
            if self._drained_at is not None:
                self._settle(monotonic())

        with self._lock:
            gone = () if self.over or not self._together else self._guard(work)
        _tell(gone)

    def drain(self, now: float) -> None:
        """Ask the client to go; calls that run go on."""
        with self._lock:
            gone = () if self.over else self._guard(lambda: self._ask_to_go(now))
        _tell(gone)

    def abort(self) -> None:
        """End every call that still runs."""
        for call in list(self._calls.values()):
            call.end(refusals.STOPPING)

    def close(self) -> None:
        """Hang up; calls that run are cancelled."""
        with self._lock:
            gone = self._close()
        _tell(gone)

    @property
    def finished(self) -> bool:
        """True when it is closed, or nothing is left to do but that."""
        return self.over or not (self._calls or self._unsent or self._together or self._protocol.open_streams)

    # --- with the lock held -------------------------------------------------------------------------

    def _guard(self, work: Callable[[], None]) -> Collection[ServedCall]:
        """Do something that may find the connection at its end; give the calls that end with it."""
        try:
            work()
        except Exception:  # noqa: BLE001  a peer's end, its violation, or a bug: this connection pays for it
            return self._break()
        return ()

    def _break(self) -> Collection[ServedCall]:
        """Close; before that say GOAWAY if the peer takes it at once (the stream's end says the same)."""
        if not self._unsent:
            with suppress(OSError):
                self.stream.send(self._protocol.take())
        return self._close()

    def _ask_to_go(self, now: float) -> None:
        if self._drained_at is None:
            self._drained_at = now
            self._protocol.goaway()
            self._flush()
        self._settle(now)

    def _settle(self, now: float, *, always: bool = False) -> None:
        """After work: set timers for what is unfinished, stop or resume reading, report the end."""
        if always or self._protocol.incomplete or self._protocol.open_streams > len(self._calls):
            when = self._protocol.check(now)
            self._flush()
            if when is not None:
                self._arm(when)
        if self._blocked and not self._paused and self._protocol.queued() > _PAUSE_BYTES:
            self._paused = True
            self.shared.poller.watch(self.stream, read=False, write=True)
        if self._drained_at is not None and self.finished:
            self._arm(self._drained_at + self.shared.limits.stall_seconds)
            with self.shared.settled:
                self.shared.settled.notify_all()

    def _flush(self) -> None:
        """Send until nothing is left or the peer takes no more; the poller says when it does again."""
        self._together = 0
        if self._blocked:
            return
        protocol = self._protocol
        left = self._unsent
        while data := left or protocol.take():
            try:
                sent = self.stream.send(data)
            except BlockingIOError:
                sent = 0
            if sent != len(data):
                self._unsent = data[sent:]
                self._block()
                return
            if not left and not protocol.waiting:
                break
            left = b""
        self._unsent = b""
        if protocol.owed:
            protocol.repay()

    def _block(self) -> None:
        self._blocked = self._protocol.blocked = True
        self._stalled = monotonic()
        self.shared.poller.watch(self.stream, read=not self._paused, write=True)
        self._arm(self._stalled + self.shared.limits.stall_seconds)

    def _close(self) -> Collection[ServedCall]:
        if self.over:
            return ()
        self.over = True
        calls = list(self._calls.values())
        self._calls.clear()
        self._unsent = b""
        self._protocol.close()
        self.shared.poller.remove(self.stream)
        self.stream.close()
        self.shared.connections.discard(self)
        self.shared.clients.leave(self.client)
        with self.shared.settled:
            self.shared.settled.notify_all()
        for call in calls:
            call.over = True
        return calls


def _tell(calls: Collection[ServedCall]) -> None:
    """Cancel calls whose client has gone; without any connection's lock."""
    for call in calls:
        call.abandon()
