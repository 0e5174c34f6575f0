"""The calling end of a connection: unary gRPC calls become HTTP/2 frames, frames become outcomes.

Sans-IO like :mod:`csiproxy.rpc.protocol`, with the same limits on what the other end may do.
"""

from typing import Final

from csiproxy.errors import Code
from csiproxy.rpc import frames, hpack, request_message
from csiproxy.rpc.frames import MAX_WINDOW, MESSAGE_HEAD_BYTES, Http2Error, Reason
from csiproxy.rpc.http2 import RECEIVE_WINDOW, Http2
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.request_head import Malformed, check_trailers
from csiproxy.rpc.response_head import ResponseHead, parse_response
from csiproxy.rpc.status import RpcError, decode_details, decode_message, encode_timeout, status_code

_SLACK: Final = 64 * 1024
_EARNED_BY_REPLY: Final = 8
_FROM_RESET: Final = {
    Reason.REFUSED_STREAM: Code.UNAVAILABLE,
    Reason.CANCEL: Code.CANCELLED,
    Reason.ENHANCE_YOUR_CALM: Code.RESOURCE_EXHAUSTED,
    Reason.INADEQUATE_SECURITY: Code.PERMISSION_DENIED,
}
"""gRPC's reading of RST_STREAM; every other reason is INTERNAL."""
_FROM_HTTP: Final = {
    b"400": Code.INTERNAL,
    b"401": Code.UNAUTHENTICATED,
    b"403": Code.PERMISSION_DENIED,
    b"404": Code.UNIMPLEMENTED,
    b"429": Code.UNAVAILABLE,
    b"502": Code.UNAVAILABLE,
    b"503": Code.UNAVAILABLE,
    b"504": Code.UNAVAILABLE,
}
"""gRPC's reading of an HTTP status without a gRPC status; every other one is UNKNOWN."""


class Unprocessed(RpcError):
    """The server said that it never looked at the call: it may be sent again on another connection."""


class _Stream:
    __slots__ = (
        "data",
        "head",
        "id",
        "received",
        "request",
        "room",
        "window",
    )

    def __init__(self, stream_id: int, request: memoryview, window: int, room: int) -> None:
        self.id = stream_id
        self.request: memoryview | None = request
        self.window = window
        self.room = room
        self.data = bytearray()
        self.received = 0
        self.head: ResponseHead | None = None


Outcome = bytes | RpcError


class ClientConnection(Http2):
    """One connection to a server.

    :meth:`request` starts a call, :meth:`receive` takes what the server sent, :meth:`outcome` tells how a
    call ended, :meth:`take` gives what has to be sent.
    """

    __slots__ = ("_closing", "_head", "_next", "_outcomes", "_streams")

    _MOST_PUSH = 0

    def __init__(self, limits: Limits, now: float, authority: str) -> None:
        super().__init__(limits, now, b"")
        self._streams: dict[int, _Stream] = {}
        self._outcomes: dict[int, Outcome] = {}
        self._next = 1
        self._closing = False
        self._head = hpack.encode(
            (b":method", b"POST"),
            (b":scheme", b"http"),
            (b":authority", authority.encode("utf-8", "replace")),
            (b"te", b"trailers"),
            (b"content-type", b"application/grpc"),
            (b"user-agent", b"grpc-csiproxy"),
        )
        self._out.append(frames.PREFACE)
        self._out.append(
            frames.settings(
                (frames.ENABLE_PUSH, 0),
                (frames.INITIAL_WINDOW_SIZE, self._room()),
                (frames.MAX_HEADER_LIST_SIZE, limits.header_list_bytes),
                *frames.table_setting(limits.hpack_table_bytes),
            )
        )
        self._out.append(frames.window_update(0, RECEIVE_WINDOW - frames.DEFAULT_WINDOW))

    def _room(self) -> int:
        return min(self._limits.message_bytes + MESSAGE_HEAD_BYTES + _SLACK, MAX_WINDOW)

    @property
    def usable(self) -> bool:
        """True while new calls can be made here."""
        return not self._closing and self._next < MAX_WINDOW

    def request(self, method: str, message: bytes, timeout: float | None) -> int:
        """Start a call; give its stream's id."""
        stream_id = self._next
        self._next += 2
        fields = [(b":path", method.encode("utf-8"))]
        timing = [(b"grpc-timeout", encode_timeout(timeout))] if timeout is not None else []
        block = hpack.encode(*fields) + self._head + hpack.encode(*timing)
        self._out.append(frames.frame(frames.HEADERS, frames.END_HEADERS, stream_id, block))
        framed = memoryview(frames.message_head(0, len(message)) + message)
        self._streams[stream_id] = _Stream(stream_id, framed, self._peer_window, self._room())
        self._push()
        return stream_id

    def _push(self) -> None:
        for stream in self._streams.values():
            while stream.request is not None:
                size = self._put_data(stream.id, stream.request, stream.window, end_stream=True)
                if not size:
                    break
                stream.window -= size
                stream.request = stream.request[size:] if size < len(stream.request) else None

    def outcome(self, stream_id: int) -> Outcome | None:
        """Give a call's reply or error, once; None while it runs."""
        return self._outcomes.pop(stream_id, None)

    def cancel(self, stream_id: int) -> None:
        """Lose interest in a call."""
        self._outcomes.pop(stream_id, None)
        if self._streams.pop(stream_id, None) is not None:
            self._abandon(stream_id, Reason.CANCEL, ended=False)

    def receive(self, data: bytes, now: float) -> None:
        """Take what the server sent.  Raise Http2Error when the connection cannot go on: GOAWAY is in the
        output."""
        try:
            self._feed(data, now)
        except Http2Error as error:
            self._out.append(frames.goaway(0, error.reason))
            raise
        self._push()

    # --- frames -------------------------------------------------------------------------------------

    def _known(self, stream_id: int) -> _Stream | None:
        if not stream_id & 1 or stream_id >= self._next:
            raise Http2Error(Reason.PROTOCOL_ERROR, "the server uses a stream that was never opened")
        return self._streams.get(stream_id)

    def _open(self, stream_id: int, end_stream: bool) -> _Stream | None:
        """Find the stream that HEADERS or DATA belong to; None: it was reset, and they are ignored."""
        stream = self._known(stream_id)
        if stream is None and not self._ignored(stream_id, end_stream):
            raise Http2Error(Reason.STREAM_CLOSED, "the server goes on with a stream that it has ended")
        return stream

    def _on_headers(self, stream_id: int, block: bytes, end_stream: bool) -> None:
        fields = self._decoder.decode(block)
        stream = self._open(stream_id, end_stream)
        if stream is None:
            return
        if fields is None:
            self._break(stream, Reason.CANCEL, Code.RESOURCE_EXHAUSTED, "the reply's headers are too large")
            return
        try:
            if stream.head is None:
                self._begin(stream, parse_response(fields), end_stream)
            elif end_stream:
                check_trailers(fields)
                self._end(stream, dict(fields))
            else:
                raise Malformed("trailers that do not end the stream")
        except Malformed as error:
            self._break(
                stream, Reason.PROTOCOL_ERROR, Code.INTERNAL, f"the server's headers are malformed: {error}"
            )

    def _begin(self, stream: _Stream, head: ResponseHead, end_stream: bool) -> None:
        if head.informational:
            if end_stream:
                raise Malformed("a response ends before it begins")
            self._charge()
            return
        stream.head = head
        if end_stream:
            self._end(stream, head.fields)

    def _on_data(self, stream_id: int, payload: bytes, size: int, end_stream: bool) -> None:
        stream = self._open(stream_id, end_stream)
        if stream is None:
            return
        stream.room -= size
        if stream.room < 0:
            self._break(
                stream, Reason.FLOW_CONTROL_ERROR, Code.INTERNAL, "the server overran the call's window"
            )
            return
        if stream.head is None:
            self._break(stream, Reason.PROTOCOL_ERROR, Code.INTERNAL, "the server sent data before headers")
            return
        stream.received += len(payload)
        if stream.head.speaks_grpc:
            stream.data += payload
            if not self._fits(stream):
                return
        if end_stream:
            self._end(stream, {})

    def _fits(self, stream: _Stream) -> bool:
        """See whether a reply stays within the limit; False when its call ended because it does not."""
        if len(stream.data) < MESSAGE_HEAD_BYTES:
            return True
        announced = frames.read_message_head(stream.data)[1]
        limit = self._limits.message_bytes
        if announced <= limit:
            return True
        self._break(stream, Reason.CANCEL, *request_message.too_large("reply", announced, limit))
        return False

    def _end(self, stream: _Stream, trailers: dict[bytes, bytes]) -> None:
        """The server is done: what did it say."""
        head = stream.head
        assert head is not None  # noqa: S101  nothing but headers begins a response
        if stream.request is not None:
            self._out.append(frames.rst_stream(stream.id, Reason.NO_ERROR))
        self._earned += _EARNED_BY_REPLY
        del self._streams[stream.id]
        if head.content_length not in (-1, stream.received):
            text = "the server's reply is not as long as its headers say"
            self._outcomes[stream.id] = RpcError(Code.INTERNAL, text)
        else:
            self._outcomes[stream.id] = self._judge(head, stream.data, trailers)

    @staticmethod
    def _judge(head: ResponseHead, data: bytearray, trailers: dict[bytes, bytes]) -> Outcome:
        status = trailers.get(b"grpc-status")
        if status is None:
            code = Code.INTERNAL if head.speaks_grpc else _FROM_HTTP.get(head.status, Code.UNKNOWN)
            text = f"the server ended the call without a gRPC status (HTTP status {head.status.decode()})"
            return RpcError(code, text)
        if status != b"0":
            return RpcError(
                status_code(status),
                decode_message(trailers.get(b"grpc-message", b"")),
                decode_details(trailers.get(b"grpc-status-details-bin", b"")),
            )
        if len(data) >= MESSAGE_HEAD_BYTES:
            compressed, size = frames.read_message_head(data)
            if not compressed and size == len(data) - MESSAGE_HEAD_BYTES:
                return bytes(memoryview(data)[MESSAGE_HEAD_BYTES:])
        return RpcError(Code.INTERNAL, "the server's reply is not one uncompressed message")

    def _break(self, stream: _Stream, reason: Reason, code: Code, message: str) -> None:
        self._abandon(stream.id, reason, ended=False)
        del self._streams[stream.id]
        self._outcomes[stream.id] = RpcError(code, message)

    def _on_reset(self, stream_id: int, reason: int) -> None:
        stream = self._known(stream_id)
        if stream is None:
            return
        del self._streams[stream_id]
        if reason == Reason.REFUSED_STREAM:
            self._outcomes[stream_id] = Unprocessed(Code.UNAVAILABLE, "the server refused the stream")
        else:
            names = {int(known): known for known in Reason}
            shown = names[reason].name if reason in names else str(reason)
            code = _FROM_RESET.get(names.get(reason, Reason.INTERNAL_ERROR), Code.INTERNAL)
            self._outcomes[stream_id] = RpcError(code, f"the server reset the call ({shown})")

    def _on_goaway(self, last_stream_id: int, reason: int) -> None:
        """New calls need another connection; those the server never looked at end as such."""
        self._closing = True
        for stream_id in [known for known in self._streams if known > last_stream_id]:
            del self._streams[stream_id]
            text = f"the server goes away (reason {reason}) and did not look at the call"
            self._outcomes[stream_id] = Unprocessed(Code.UNAVAILABLE, text)

    def _on_stream_window(self, stream_id: int, increment: int) -> None:
        stream = self._known(stream_id)
        if stream is None:
            return
        stream.window += increment
        if not increment or stream.window > MAX_WINDOW:
            reason = Reason.FLOW_CONTROL_ERROR if increment else Reason.PROTOCOL_ERROR
            self._break(stream, reason, Code.INTERNAL, "the server sent a wrong window")

    def _on_initial_window(self, change: int) -> None:
        for stream in self._streams.values():
            stream.window += change
            if stream.window > MAX_WINDOW:
                raise Http2Error(Reason.FLOW_CONTROL_ERROR, "a stream's window overflows")
