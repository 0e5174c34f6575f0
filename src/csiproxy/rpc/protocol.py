"""The serving end of a connection: HTTP/2 frames become unary gRPC calls, replies become frames.

Sans-IO: no socket, thread or lock; the time is an argument.  A violation raises
:class:`csiproxy.rpc.frames.Http2Error` after GOAWAY was put into the output; what concerns one stream only
is answered on it.

https://www.rfc-editor.org/rfc/rfc9113
https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

from typing import Final

from csiproxy.errors import Code
from csiproxy.rpc import frames, request_message
from csiproxy.rpc.allowance import Allowance, Budget
from csiproxy.rpc.frames import FRAME_BYTES, MAX_WINDOW, MESSAGE_HEAD_BYTES, Http2Error, Reason
from csiproxy.rpc.head_blocks import HeadBlocks
from csiproxy.rpc.http2 import RECEIVE_WINDOW, Http2
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.reply_frames import ENCODINGS, END, HEAD, OK, http_block, status_block, whole_reply
from csiproxy.rpc.request_head import Failure, Malformed, RequestHead, check_trailers
from csiproxy.rpc.server_stream import Cancelled, Event, Request, ServerStream
from csiproxy.rpc.status import parse_timeout
from csiproxy.wiping import wipe

_HTTP_OK: Final = 200
_WRITE_BYTES: Final = 64 * 1024
"""How much of waiting replies becomes frames at once: what a socket takes, not more than need be copied."""
_TERSE_BYTES: Final = 256
"""What an error may take when nothing is left for its text and details."""
_EARNED_BY_REPLY: Final = 8
"""Control frames that an answered call allows the client: its window updates, pings and small frames."""
_HOLDERS: Final = 3
"""Names that a frame's data have while they are looked at: here, in _on_data, and where the frame is read."""
_PADDING_SLACK: Final = 64 * 1024
"""Stream window beyond one message, so that padding and an oversized first frame fit into it."""


class ServerConnection(Http2):
    """One client's connection.

    ``budget`` counts what all connections of the server hold.  The owner calls :meth:`receive` with what it
    read, :meth:`reply` or :meth:`fail` for each request, sends what :meth:`take` gives, calls :meth:`check`
    when the time it returned has come and whenever something is ``incomplete`` or more streams are open than
    requests being served, and :meth:`close` at the end.  It sets ``blocked`` while the client takes nothing,
    so that what is said meanwhile is counted as held.
    """

    __slots__ = (
        "_answered",
        "_budget",
        "_closing",
        "_events",
        "_heads",
        "_held_back",
        "_last",
        "_progress",
        "_resets",
        "_room",
        "_streams",
        "blocked",
        "owed",
        "waiting",
    )

    def __init__(self, limits: Limits, budget: Budget, now: float, *, confidential: bool = False) -> None:
        super().__init__(limits, now, frames.PREFACE)
        self._confidential = confidential  # no copy of a request is left but the one that is handed out
        self._budget = budget
        self._heads = HeadBlocks(self._decoder, limits.path_bytes)
        self._room = min(limits.message_bytes + MESSAGE_HEAD_BYTES + _PADDING_SLACK, MAX_WINDOW)
        self._resets = Allowance(limits.resets, limits.resets_per_second, now)
        self._streams: dict[int, ServerStream] = {}
        self.waiting: dict[int, ServerStream] = {}  # with a reply that the windows hold back
        self._held_back = 0
        self.blocked = False
        self.owed = 0
        """Bytes of statuses in the output that the budget counts; see :meth:`repay`."""
        self._progress: float | None = None  # since when no waiting reply has moved, as of the last check
        self._last = 0
        self._closing = False
        self._answered = 0  # replies that have not been counted as earned resets yet
        self._events: list[Event] = []
        self._out.append(
            frames.settings(
                (frames.MAX_CONCURRENT_STREAMS, limits.streams),
                (frames.INITIAL_WINDOW_SIZE, self._room),
                (frames.MAX_HEADER_LIST_SIZE, limits.header_list_bytes),
                *frames.table_setting(limits.hpack_table_bytes),
            )
        )
        self._out.append(frames.window_update(0, RECEIVE_WINDOW - frames.DEFAULT_WINDOW))

    @property
    def settled(self) -> bool:
        """True once the client has sent its preface and SETTINGS."""
        return self._settled

    @property
    def open_streams(self) -> int:
        """Count the streams that are collecting a request, being served or sending a reply."""
        return len(self._streams)

    # --- bytes in -----------------------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take what the client sent; give the requests and cancellations in it.

        Raise Http2Error when the connection has to end: GOAWAY is in the output, requests of the same data
        are dropped.
        """
        try:
            self._feed(data, now)
        except Http2Error as error:
            self._out.append(frames.goaway(self._last, error.reason))
            for event in self._events:
                if isinstance(event, Request):
                    self._budget.give(event.held)
            self._events = []
            raise
        events, self._events = self._events, []
        return events

    def _on_headers(self, stream_id: int, block: bytes, end_stream: bool) -> None:
        stream = self._streams.get(stream_id)
        if stream is not None and not stream.complete:
            self._trailers(stream, block, end_stream)
        elif stream_id > self._last:
            self._open(stream_id, block, end_stream)
        else:
            self._decoder.decode(block)
            if not self._ignored(stream_id, end_stream):
                raise Http2Error(Reason.STREAM_CLOSED, "HEADERS on a closed stream")

    def _open(self, stream_id: int, block: bytes, end_stream: bool) -> None:
        if not stream_id & 1:
            raise Http2Error(Reason.PROTOCOL_ERROR, "a client opened a stream with an even number")
        head: RequestHead | None
        try:
            head, timeout = self._heads.read(block)
        except Malformed:
            head, timeout = None, None
        if self._closing:
            self._charge()
            return  # beyond what GOAWAY promised to serve (RFC 9113 6.8)
        self._last = stream_id
        if head is None or len(self._streams) >= self._limits.streams:
            self._charge()
            reason = Reason.PROTOCOL_ERROR if head is None else Reason.REFUSED_STREAM
            self._abandon(stream_id, reason, ended=end_stream)
            return
        failure = head.failure
        deadline = None
        if timeout is not None:
            try:
                deadline = self._now + parse_timeout(timeout)
            except ValueError as error:
                failure = failure or (Code.INTERNAL, str(error))
        stream = ServerStream(stream_id, head, self._peer_window, self._room, self._now, deadline)
        self._streams[stream_id] = stream
        if end_stream or failure is not None or head.http_status != _HTTP_OK:
            self._ended_early(stream, failure, end_stream)

    def _ended_early(self, stream: ServerStream, failure: Failure | None, end_stream: bool) -> None:
        stream.complete = end_stream
        if stream.head.http_status != _HTTP_OK:
            self._finish(stream, http_block(stream.head.http_status))
        elif failure is not None:
            self._fail(stream, *failure)
        else:
            self._complete(stream)

    def _trailers(self, stream: ServerStream, block: bytes, end_stream: bool) -> None:
        fields = self._decoder.decode(block)
        stream.complete = end_stream
        try:
            check_trailers(fields or [])
        except Malformed:
            self._refuse(stream, Reason.PROTOCOL_ERROR)
            return
        if end_stream:
            self._complete(stream)
        else:
            self._refuse(stream, Reason.PROTOCOL_ERROR)

    def _on_data(self, stream_id: int, payload: bytes, size: int, end_stream: bool) -> None:
        stream = self._streams.get(stream_id)
        if stream is None or stream.complete:
            self._late_data(stream_id, stream, end_stream)
            return
        stream.complete = end_stream
        stream.room -= size
        if stream.room < 0:
            self._refuse(stream, Reason.FLOW_CONTROL_ERROR)
            return
        stream.received += len(payload)
        if end_stream and not stream.request:
            stream.request = payload  # the usual request: one frame, which is not counted as held
        elif not self._collect(stream, payload):
            return
        if end_stream:
            self._complete(stream)

    def _late_data(self, stream_id: int, stream: ServerStream | None, end_stream: bool) -> None:
        if stream is None and self._ignored(stream_id, end_stream):
            return
        if stream_id <= self._last:
            raise Http2Error(Reason.STREAM_CLOSED, "DATA on a closed stream")
        if not self._closing:
            raise Http2Error(Reason.PROTOCOL_ERROR, "DATA on an idle stream")

    def _collect(self, stream: ServerStream, payload: bytes) -> bool:
        """Keep a part of a request; False when the stream ended because of it."""
        if not self._budget.take(len(payload)):
            text = "the server holds too much unfinished data; try again later"
            self._fail(stream, Code.RESOURCE_EXHAUSTED, text)
            return False
        stream.held += len(payload)
        if isinstance(stream.request, bytearray):
            stream.request += payload
        else:
            stream.request = bytearray(stream.request + payload)
        if self._confidential:
            wipe(payload, holders=_HOLDERS)
        failure = request_message.fault_so_far(stream.request, self._limits.message_bytes)
        if failure is not None:
            self._fail(stream, *failure)
        return failure is None

    def _complete(self, stream: ServerStream) -> None:
        """The client is done: check the one message and hand it out."""
        request = stream.request
        if stream.head.content_length not in (-1, stream.received):
            self._refuse(stream, Reason.PROTOCOL_ERROR)
            return
        failure = request_message.fault(request, self._limits.message_bytes)
        if failure is not None:
            self._fail(stream, *failure)
            return
        held, stream.held, stream.request = stream.held, 0, b""
        if isinstance(request, bytes):
            message = request[MESSAGE_HEAD_BYTES:]
        else:
            message = bytes(memoryview(request)[MESSAGE_HEAD_BYTES:])
        self._events.append(Request(stream.id, stream.head.path, message, stream.deadline, held))
        if self._confidential:
            wipe(request, holders=_HOLDERS)

    def _on_reset(self, stream_id: int, reason: int) -> None:  # noqa: ARG002  any reason ends the stream
        if stream_id > self._last and not self._closing:
            raise Http2Error(Reason.PROTOCOL_ERROR, "RST_STREAM on an idle stream")
        self._spend_reset()
        self._finished.pop(stream_id, None)
        stream = self._streams.get(stream_id)
        if stream is not None:
            self._cancelled(stream)
            self._forget(stream)

    def _spend_reset(self) -> None:
        self._resets.earn(self._answered)
        self._answered = 0
        if not self._resets.spend(self._now):
            raise Http2Error(Reason.ENHANCE_YOUR_CALM, "too many streams were reset")

    def _cancelled(self, stream: ServerStream) -> None:
        """Report a client's loss of interest; a request of the same data is not reported at all."""
        if not stream.complete:
            return
        for at, event in enumerate(self._events):
            if isinstance(event, Request) and event.stream_id == stream.id:
                self._budget.give(event.held)
                del self._events[at]
                return
        self._events.append(Cancelled(stream.id))

    def _on_goaway(self, last_stream_id: int, reason: int) -> None:
        """Nothing to do: a client that goes away opens no further streams, and gets its replies."""

    def _on_stream_window(self, stream_id: int, increment: int) -> None:
        stream = self._streams.get(stream_id)
        if stream is None:
            if stream_id > self._last and not self._closing:
                raise Http2Error(Reason.PROTOCOL_ERROR, "WINDOW_UPDATE on an idle stream")
            return
        stream.window += increment
        if not increment or stream.window > MAX_WINDOW:
            self._spend_reset()  # making us reset streams is no cheaper than resetting them (CVE-2025-8671)
            self._cancelled(stream)
            self._refuse(stream, Reason.FLOW_CONTROL_ERROR if increment else Reason.PROTOCOL_ERROR)

    def _on_initial_window(self, change: int) -> None:
        for stream in self._streams.values():
            stream.window += change
            if stream.window > MAX_WINDOW:
                raise Http2Error(Reason.FLOW_CONTROL_ERROR, "a stream's window overflows")

    # --- replies ------------------------------------------------------------------------------------

    def reply(self, stream_id: int, message: bytes) -> None:
        """Answer a request.  Nothing happens when its stream is gone."""
        stream = self._streams.get(stream_id)
        if stream is None or stream.reply is not None:
            return
        size = len(message)
        framed = size + MESSAGE_HEAD_BYTES
        if (
            framed <= stream.window
            and framed <= self._send_window
            and framed <= FRAME_BYTES
            and not self.blocked
        ):
            self._send_window -= framed
            del self._streams[stream_id]
            self._answered += 1
            self._earned += _EARNED_BY_REPLY
            self._out.append(whole_reply(stream_id, message))
        elif size > self._limits.message_bytes:
            self._fail(stream, *request_message.too_large("reply", size, self._limits.message_bytes))
        elif self._held_back + framed > self._limits.outbox_bytes or not self._budget.take(framed):
            self._fail(stream, Code.RESOURCE_EXHAUSTED, "too many replies wait for the client to read them")
        else:
            self._wait(stream, frames.message_head(0, size) + message)

    def _wait(self, stream: ServerStream, framed: bytes) -> None:
        stream.reply = memoryview(framed)
        stream.held += len(framed)
        self._held_back += len(framed)
        self.waiting[stream.id] = stream
        self._out.append(frames.frame(frames.HEADERS, frames.END_HEADERS, stream.id, HEAD))

    def take(self) -> bytes:
        """Give the bytes that are ready to be sent, once; of waiting replies a part at a time."""
        if self.waiting:
            self._send_waiting()
        return super().take()

    def repay(self) -> None:
        """Give back what was counted as held while ``blocked``; the client has taken everything."""
        self._budget.give(self.owed)
        self.owed = 0

    def _send_waiting(self) -> None:
        sent = 0
        for stream in list(self.waiting.values()):
            while stream.reply is not None and sent < _WRITE_BYTES:
                size = self._put_data(stream.id, stream.reply, stream.window, end_stream=False)
                if not size:
                    break
                sent += size
                stream.window -= size
                self._release(stream, size)
                if size == len(stream.reply):
                    self._finish(stream, OK)
                else:
                    stream.reply = stream.reply[size:]
        if sent:
            self._progress = None

    def _release(self, stream: ServerStream, size: int) -> None:
        stream.held -= size
        self._held_back -= size
        self._budget.give(size)

    def fail(self, stream_id: int, code: Code, message: str, details: bytes = b"") -> None:
        """End a request with an error status.  Nothing happens when its stream is gone."""
        stream = self._streams.get(stream_id)
        if stream is None:
            return
        self._fail(stream, code, message, details)

    def _fail(self, stream: ServerStream, code: Code, message: str, details: bytes = b"") -> None:
        if stream.reply is not None:  # its headers are out and its message cut short
            self._abandon(stream.id, Reason.CANCEL, ended=stream.complete)
            self._forget(stream)
            return
        extra = (ENCODINGS,) if code == Code.UNIMPLEMENTED and stream.head.failure is not None else ()
        block = status_block(code, message, details, self._limits.status_bytes, *extra)
        if self.blocked:
            if self._budget.take(len(block)):
                self.owed += len(block)
            else:
                block = status_block(code, message, b"", _TERSE_BYTES)
        self._finish(stream, block)

    # --- the end of streams and of the connection -----------------------------------------------------

    def _finish(self, stream: ServerStream, block: bytes) -> None:
        """Send the last headers.  A client that is still sending is told to stop (RFC 9113 8.1)."""
        self._out.append(frames.frame(frames.HEADERS, END, stream.id, block))
        self._answered += 1
        self._earned += _EARNED_BY_REPLY
        if not stream.complete:
            self._abandon(stream.id, Reason.NO_ERROR, ended=False)
        self._forget(stream)

    def _refuse(self, stream: ServerStream, reason: Reason) -> None:
        """Reset a stream on which the client broke the protocol."""
        self._charge()
        self._abandon(stream.id, reason, ended=stream.complete)
        self._forget(stream)

    def _forget(self, stream: ServerStream) -> None:
        self._streams.pop(stream.id, None)
        if self.waiting.pop(stream.id, None) is not None:
            self._held_back -= stream.held
            stream.reply = None
        if stream.held:
            self._budget.give(stream.held)
            stream.held = 0
        stream.request = b""

    def goaway(self, reason: Reason = Reason.NO_ERROR) -> None:
        """Tell the client that no further streams are served; those that are open go on."""
        if not self._closing:
            self._closing = True
            self._out.append(frames.goaway(self._last, reason))

    def close(self) -> None:
        """Forget everything; what was held goes back to the budget."""
        for stream in list(self._streams.values()):
            self._forget(stream)
        self.repay()

    def check(self, now: float) -> float | None:
        """Look after what takes too long; give the time of the next look, None when nothing can be late.

        An unfinished request fails with DEADLINE_EXCEEDED.  Raise Http2Error when the connection has to
        end, with GOAWAY in the output: for an unfinished frame or header block, and for a reply that the
        client holds back.
        """
        try:
            return self._check(now)
        except Http2Error as error:
            self._out.append(frames.goaway(self._last, error.reason))
            raise

    def _check(self, now: float) -> float | None:
        self._now = now
        due = self._check_waiting(now)
        since = self._incomplete_since()
        if since is not None:
            due.append(since + self._limits.request_seconds)
            if due[-1] <= now:
                raise Http2Error(Reason.ENHANCE_YOUR_CALM, "a frame or a header block does not end")
        for stream in list(self._streams.values()):
            if stream.complete:
                continue
            until = stream.started + self._limits.request_seconds
            if until <= now:
                self._fail(stream, Code.DEADLINE_EXCEEDED, "the request did not arrive in time")
            else:
                due.append(until)
        return min(due, default=None)

    def _check_waiting(self, now: float) -> list[float]:
        """See whether waiting replies move, and are gone in time; give the times of the next look."""
        if not self.waiting:
            return []
        if self._progress is None:
            self._progress = now
        due = [self._progress + self._limits.stall_seconds]
        for stream in self.waiting.values():
            if stream.waits_since is None:
                stream.waits_since = now
            due.append(stream.waits_since + self._limits.reply_seconds)
        if min(due) <= now:
            raise Http2Error(Reason.ENHANCE_YOUR_CALM, "the client holds its replies back")
        return due
