"""The serving end of a connection: HTTP/2 frames become unary gRPC calls, replies become frames.

Sans-IO: no socket, thread or lock; the time is an argument.  A violation raises
:class:`csiproxy.rpc.frames.Http2Error` after GOAWAY was put into the output; what concerns one stream only
is answered on it.

https://www.rfc-editor.org/rfc/rfc9113
https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

from struct import Struct
from typing import Final

from csiproxy.errors import Code
from csiproxy.rpc import frames, hpack
from csiproxy.rpc.allowance import Allowance, Budget
from csiproxy.rpc.frames import FRAME_BYTES, MAX_WINDOW, MESSAGE_HEAD_BYTES, Http2Error, Reason
from csiproxy.rpc.hpack import Field
from csiproxy.rpc.http2 import RECEIVE_WINDOW, Http2
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.request_head import TOO_LARGE, Failure, HeadReader, Malformed, check_trailers
from csiproxy.rpc.server_stream import Cancelled, Event, Request, ServerStream
from csiproxy.rpc.status import encode_details, encode_message, parse_timeout

_HEAD_FIELDS: Final = ((b":status", b"200"), (b"content-type", b"application/grpc"))
_HEAD: Final = hpack.encode(*_HEAD_FIELDS)
_OK: Final = hpack.encode((b"grpc-status", b"0"))
_HTTP_OK: Final = 200
_ENCODINGS: Final = (b"grpc-accept-encoding", b"identity")
_WRITE_BYTES: Final = 256 * 1024
"""How much of waiting replies becomes frames at once: what a socket takes, not more than need be copied."""
_EARNED_BY_REPLY: Final = 8
"""Control frames that an answered call allows the client: its window updates, pings and small frames."""
_PADDING_SLACK: Final = 64 * 1024
"""Stream window beyond one message, so that padding and an oversized first frame fit into it."""


_HEAD_TO_MESSAGE: Final = Struct(f">HBBBI{len(_HEAD)}sHBBBIBI")
_TRAILERS: Final = Struct(f">HBBBI{len(_OK)}s")
_END: Final = frames.END_HEADERS | frames.END_STREAM


def _whole_reply(stream_id: int, message: bytes) -> bytes:
    """Write a reply that fits into one DATA frame: its headers, its message and its trailers."""
    size = len(message)
    framed = size + MESSAGE_HEAD_BYTES
    head = _HEAD_TO_MESSAGE.pack(
        *(0, len(_HEAD), frames.HEADERS, frames.END_HEADERS, stream_id, _HEAD),
        *(framed >> 8, framed & 0xFF, frames.DATA, 0, stream_id, 0, size),
    )
    return head + message + _TRAILERS.pack(0, len(_OK), frames.HEADERS, _END, stream_id, _OK)


class ServerConnection(Http2):
    """One client's connection.

    ``budget`` counts what all connections of the server hold.  The owner calls :meth:`receive` with what it
    read, :meth:`reply` or :meth:`fail` for each request, sends what :meth:`take` gives, calls :meth:`check`
    when the time it returned has come and whenever more streams are open than requests being served, and
    :meth:`close` at the end.
    """

    __slots__ = (
        "_answered",
        "_budget",
        "_closing",
        "_events",
        "_finished",
        "_heads",
        "_held_back",
        "_last",
        "_progress",
        "_resets",
        "_room",
        "_streams",
        "waiting",
    )

    def __init__(self, limits: Limits, budget: Budget, now: float) -> None:
        super().__init__(limits, now, frames.PREFACE)
        self._budget = budget
        self._heads = HeadReader()
        self._room = min(limits.message_bytes + MESSAGE_HEAD_BYTES + _PADDING_SLACK, MAX_WINDOW)
        self._resets = Allowance(limits.resets, limits.resets_per_second, now)
        self._streams: dict[int, ServerStream] = {}
        self._finished: dict[int, None] = {}  # ended by us while the client may still be sending
        self.waiting: dict[int, ServerStream] = {}  # with a reply that the windows hold back
        self._held_back = 0
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
        self._events = []
        try:
            self._feed(data, now)
        except Http2Error as error:
            self._out.append(frames.goaway(self._last, error.reason))
            for event in self._events:
                if isinstance(event, Request):
                    self._budget.give(event.held)
            raise
        return self._events

    def _on_headers(self, stream_id: int, fields: list[Field] | None, end_stream: bool) -> None:
        stream = self._streams.get(stream_id)
        if stream is not None and not stream.complete:
            self._trailers(stream, fields, end_stream)
        elif stream_id > self._last:
            self._open(stream_id, fields, end_stream)
        elif stream_id in self._finished:
            if end_stream:
                del self._finished[stream_id]
        else:
            raise Http2Error(Reason.STREAM_CLOSED, "HEADERS on a closed stream")

    def _open(self, stream_id: int, fields: list[Field] | None, end_stream: bool) -> None:
        if not stream_id & 1:
            raise Http2Error(Reason.PROTOCOL_ERROR, "a client opened a stream with an even number")
        if self._closing:
            return  # beyond what GOAWAY promised to serve (RFC 9113 6.8)
        self._last = stream_id
        if len(self._streams) >= self._limits.streams:
            self._charge()
            self._abandon(stream_id, Reason.REFUSED_STREAM, end_stream)
            return
        try:
            head, timeout = self._heads.read(fields) if fields is not None else (TOO_LARGE, None)
        except Malformed:
            self._charge()
            self._abandon(stream_id, Reason.PROTOCOL_ERROR, end_stream)
            return
        failure = head.failure
        deadline = None
        if timeout is not None:
            try:
                deadline = self._now + parse_timeout(timeout)
            except ValueError as error:
                failure = Code.INTERNAL, str(error)
        stream = ServerStream(stream_id, head, self._peer_window, self._room, self._now, deadline)
        self._streams[stream_id] = stream
        if end_stream or failure is not None or head.http_status != _HTTP_OK:
            self._ended_early(stream, failure, end_stream)

    def _ended_early(self, stream: ServerStream, failure: Failure | None, end_stream: bool) -> None:
        stream.complete = end_stream
        if stream.head.http_status != _HTTP_OK:
            self._refuse_http(stream)
        elif failure is not None:
            self._fail(stream, *failure)
        else:
            self._complete(stream)

    def _trailers(self, stream: ServerStream, fields: list[Field] | None, end_stream: bool) -> None:
        try:
            check_trailers(fields or [])
        except Malformed:
            self._reset(stream, Reason.PROTOCOL_ERROR)
            return
        if end_stream:
            self._complete(stream)
        else:
            self._reset(stream, Reason.PROTOCOL_ERROR)

    def _on_data(self, stream_id: int, payload: bytes, size: int, end_stream: bool) -> None:
        stream = self._streams.get(stream_id)
        if stream is None or stream.complete:
            self._late_data(stream_id, stream, end_stream)
            return
        stream.room -= size
        if stream.room < 0:
            self._reset(stream, Reason.FLOW_CONTROL_ERROR)
            return
        stream.received += len(payload)
        if end_stream and not stream.request:
            stream.request = payload  # the usual request: one frame, which is not counted as held
            self._complete(stream)
        elif self._collect(stream, payload) and end_stream:
            self._complete(stream)

    def _late_data(self, stream_id: int, stream: ServerStream | None, end_stream: bool) -> None:
        if stream is None and stream_id in self._finished:
            if end_stream:
                del self._finished[stream_id]
        elif stream_id > self._last:
            if not self._closing:
                raise Http2Error(Reason.PROTOCOL_ERROR, "DATA on an idle stream")
        else:
            raise Http2Error(Reason.STREAM_CLOSED, "DATA on a closed stream")

    def _collect(self, stream: ServerStream, payload: bytes) -> bool:
        """Keep a part of a request; False when the stream ended because of it."""
        if not self._budget.take(len(payload)):
            self._fail(
                stream, Code.RESOURCE_EXHAUSTED, "the server holds too much unfinished data; try again later"
            )
            return False
        stream.held += len(payload)
        if isinstance(stream.request, bytearray):
            stream.request += payload
        else:
            stream.request = bytearray(stream.request + payload)
        if len(stream.request) < MESSAGE_HEAD_BYTES:
            return True
        size = frames.read_message_head(stream.request)[1]
        if size > self._limits.message_bytes:
            self._fail(stream, Code.RESOURCE_EXHAUSTED, self._too_large("request", size))
            return False
        if len(stream.request) > MESSAGE_HEAD_BYTES + size:
            self._fail(stream, Code.UNIMPLEMENTED, "a unary call takes one message; more were sent")
            return False
        return True

    def _too_large(self, what: str, size: int) -> str:
        return f"the {what} of {size} bytes is larger than the limit of {self._limits.message_bytes}"

    def _complete(self, stream: ServerStream) -> None:
        """The client is done: check the one message and hand it out."""
        stream.complete = True
        request = stream.request
        if stream.head.content_length not in (-1, stream.received):
            self._reset(stream, Reason.PROTOCOL_ERROR)
            return
        if len(request) < MESSAGE_HEAD_BYTES:
            missing = "none was sent" if not request else "it ended inside the message's head"
            code = Code.UNIMPLEMENTED if not request else Code.INTERNAL
            self._fail(stream, code, f"a unary call takes one message; {missing}")
            return
        compressed, size = frames.read_message_head(request)
        if compressed:
            self._fail(
                stream, Code.INTERNAL, "the message is marked as compressed, but no encoding was named"
            )
        elif size > self._limits.message_bytes:
            self._fail(stream, Code.RESOURCE_EXHAUSTED, self._too_large("request", size))
        elif len(request) < MESSAGE_HEAD_BYTES + size:
            self._fail(stream, Code.INTERNAL, "the request ended inside its message")
        elif len(request) > MESSAGE_HEAD_BYTES + size:
            self._fail(stream, Code.UNIMPLEMENTED, "a unary call takes one message; more were sent")
        else:
            held, stream.held, stream.request = stream.held, 0, b""
            message = bytes(request[MESSAGE_HEAD_BYTES:])
            self._events.append(Request(stream.id, stream.head.path, message, stream.deadline, held))

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
            self._reset(stream, Reason.FLOW_CONTROL_ERROR if increment else Reason.PROTOCOL_ERROR)

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
        if framed <= stream.window and framed <= self._send_window and framed <= FRAME_BYTES:
            self._send_window -= framed
            del self._streams[stream_id]
            self._answered += 1
            self._earned += _EARNED_BY_REPLY
            self._out.append(_whole_reply(stream_id, message))
        elif size > self._limits.message_bytes:
            self._fail(stream, Code.RESOURCE_EXHAUSTED, self._too_large("reply", size))
        elif self._held_back + framed > self._limits.outbox_bytes or not self._budget.take(framed):
            self._fail(stream, Code.RESOURCE_EXHAUSTED, "too many replies wait for the client to read them")
        else:
            self._wait(stream, frames.message_head(0, size) + message)

    def _wait(self, stream: ServerStream, framed: bytes) -> None:
        stream.reply = memoryview(framed)
        stream.held += len(framed)
        self._held_back += len(framed)
        self.waiting[stream.id] = stream
        self._out.append(frames.frame(frames.HEADERS, frames.END_HEADERS, stream.id, _HEAD))

    def take(self) -> bytes:
        """Give the bytes that are ready to be sent, once; of waiting replies a part at a time."""
        if self.waiting:
            self._send_waiting()
        return super().take()

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
                    self._finish(stream, _OK)
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
        limit = self._limits.status_bytes
        fields = [(b"grpc-status", b"%d" % code), (b"grpc-message", encode_message(message, limit // 2))]
        if code == Code.UNIMPLEMENTED and stream.head.failure is not None:
            fields.append(_ENCODINGS)
        if details:
            encoded = encode_details(details)
            if len(fields[1][1]) + len(encoded) <= limit:
                fields.append((b"grpc-status-details-bin", encoded))
        if stream.reply is not None:
            self._reset(stream, Reason.CANCEL)  # its headers are out and its message cut short
        else:
            self._finish(stream, _HEAD + hpack.encode(*fields))

    def _refuse_http(self, stream: ServerStream) -> None:
        status = b"%d" % stream.head.http_status
        self._finish(stream, hpack.encode((b":status", status), (b"content-length", b"0")))

    # --- the end of streams and of the connection -----------------------------------------------------

    def _finish(self, stream: ServerStream, block: bytes) -> None:
        """Send the last headers.  A client that is still sending is told to stop (RFC 9113 8.1)."""
        self._out.append(frames.frame(frames.HEADERS, _END, stream.id, block))
        self._answered += 1
        self._earned += _EARNED_BY_REPLY
        if not stream.complete:
            self._abandon(stream.id, Reason.NO_ERROR, end_stream=False)
        self._forget(stream)

    def _reset(self, stream: ServerStream, reason: Reason) -> None:
        self._abandon(stream.id, reason, stream.complete)
        self._forget(stream)

    def _abandon(self, stream_id: int, reason: Reason, end_stream: bool) -> None:
        self._out.append(frames.rst_stream(stream_id, reason))
        if not end_stream:
            self._finished[stream_id] = None
            if len(self._finished) > 2 * self._limits.streams:
                del self._finished[next(iter(self._finished))]

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

    def check(self, now: float) -> float | None:
        """Look after what takes too long; give the time of the next look, None when nothing can be late.

        An unfinished request fails with DEADLINE_EXCEEDED.  Raise Http2Error when the connection has to
        end, with GOAWAY in the output.
        """
        try:
            return self._check(now)
        except Http2Error as error:
            self._out.append(frames.goaway(self._last, error.reason))
            raise

    def _check(self, now: float) -> float | None:
        self._now = now
        limits = self._limits
        due = []
        if self.waiting:
            if self._progress is None:
                self._progress = now
            due.append(self._progress + limits.stall_seconds)
            if due[-1] <= now:
                raise Http2Error(Reason.ENHANCE_YOUR_CALM, "the client keeps its windows shut")
        for stream in list(self._streams.values()):
            if stream.complete:
                continue
            until = stream.started + limits.request_seconds
            if until <= now:
                self._fail(stream, Code.DEADLINE_EXCEEDED, "the request did not arrive in time")
            else:
                due.append(until)
        return min(due, default=None)
