"""What both ends of an HTTP/2 connection do alike (RFC 9113): frames in, settings, pings, header blocks,
the connection's windows, and the allowance for frames that are work without progress.

Sans-IO: bytes go in, bytes come out of :meth:`Http2.take`; there is no socket, thread or lock here, and the
time is an argument.  The two ends are :mod:`csiproxy.rpc.protocol` and :mod:`csiproxy.rpc.client_protocol`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Final

from csiproxy.rpc import frames
from csiproxy.rpc.allowance import Allowance
from csiproxy.rpc.frames import FRAME_BYTES, HEADER_BYTES, MAX_WINDOW, Http2Error, Reason
from csiproxy.rpc.hpack import Decoder
from csiproxy.rpc.limits import Limits
from csiproxy.wiping import wipe

RECEIVE_WINDOW: Final = 4 * 1024 * 1024
"""The connection's receive window.  It costs no memory (streams are what holds bytes), so it is large."""
_EARNED_BY_DATA: Final = 4
"""Control frames that a DATA frame of ours may cause: window updates of both kinds and a ping."""
_TINY_DATA: Final = 128
"""A DATA frame with less than so many bytes that does not end its stream counts as a control frame."""
_PRIORITY_BYTES: Final = 5

_SETTINGS_ACK: Final = frames.frame(frames.SETTINGS, frames.ACK, 0)


def _violation(message: str) -> Http2Error:
    return Http2Error(Reason.PROTOCOL_ERROR, message)


def _wrong_size(name: str) -> Http2Error:
    return Http2Error(Reason.FRAME_SIZE_ERROR, f"a {name} frame has the wrong size")


class Http2(ABC):
    """One end of a connection.  After an Http2Error only :meth:`take` may still be called."""

    __slots__ = (
        "_block",
        "_block_begun",
        "_block_end_stream",
        "_block_frames",
        "_block_stream",
        "_buffer",
        "_buffer_begun",
        "_confidential",
        "_control",
        "_decoder",
        "_earned",
        "_expect",
        "_finished",
        "_limits",
        "_now",
        "_out",
        "_peer_window",
        "_receive_window",
        "_send_window",
        "_settled",
        "incomplete",
    )

    _MOST_PUSH: ClassVar[int] = 1
    """The largest SETTINGS_ENABLE_PUSH that the peer may send."""

    def __init__(self, limits: Limits, now: float, expect: bytes) -> None:
        self._limits = limits
        self._now = now
        self._expect = expect  # what has to come before the first frame
        self._confidential = False  # what has been read is overwritten
        self._buffer = b""
        self._buffer_begun = now  # when the unfinished frame in the buffer began
        self.incomplete = False
        """A frame or a header block has begun and is not complete; see :meth:`_incomplete_since`."""
        self._finished: dict[int, None] = {}  # reset by us while the peer may still be sending
        self._out: list[bytes] = []
        self._decoder = Decoder(limits.hpack_table_bytes, limits.header_list_bytes)
        self._settled = False
        self._peer_window = frames.DEFAULT_WINDOW  # what a new stream may send
        self._send_window = frames.DEFAULT_WINDOW
        self._receive_window = RECEIVE_WINDOW
        self._block: list[bytes] = []
        self._block_begun = now
        self._block_stream = 0  # not 0: a header block is being collected
        self._block_end_stream = False
        self._block_frames = 0
        self._control = Allowance(limits.control_frames, limits.control_frames_per_second, now)
        self._earned = 0  # what will be added to the allowance when it is used next

    # --- what an end adds ---------------------------------------------------------------------------

    @abstractmethod
    def _on_headers(self, stream_id: int, block: bytes, end_stream: bool) -> None:
        """Take one header block, which has to be decoded in any case to keep the dynamic table in step."""

    @abstractmethod
    def _on_data(self, stream_id: int, payload: bytes, size: int, end_stream: bool) -> None:
        """Take the data; ``size`` counts its padding, too, as flow control does."""

    @abstractmethod
    def _on_reset(self, stream_id: int, reason: int) -> None:
        """Take RST_STREAM."""

    @abstractmethod
    def _on_goaway(self, last_stream_id: int, reason: int) -> None:
        """Take GOAWAY."""

    @abstractmethod
    def _on_stream_window(self, stream_id: int, increment: int) -> None:
        """Take WINDOW_UPDATE of a stream; the increment may be zero, which is an error of the stream."""

    @abstractmethod
    def _on_initial_window(self, change: int) -> None:
        """Move the send window of every stream; raise Http2Error where one overflows."""

    # --- bytes in, bytes out ------------------------------------------------------------------------

    def take(self) -> bytes:
        """Give the bytes that are ready to be sent, once."""
        out = self._out
        if not out:
            return b""
        data = b"".join(out) if len(out) > 1 else out[0]
        out.clear()
        return data

    def queued(self) -> int:
        """Count the bytes that :meth:`take` has ready."""
        return sum(map(len, self._out))

    def _feed(self, data: bytes, now: float) -> None:
        """Handle all frames that are complete.  Raise Http2Error when the connection has to end."""
        self._now = now
        if not self._buffer:
            self._feed_whole(data, joined=False)
            return
        begun, self._buffer = self._buffer, b""
        whole = begun + data
        try:
            self._feed_whole(whole, joined=True)
        finally:
            if self._confidential:
                wipe(begun)
                wipe(whole)

    def _feed_whole(self, data: bytes, *, joined: bool) -> None:
        """The same; ``joined``: with what had arrived of a frame before."""
        at = 0
        if self._expect:
            at = self._check_preface(data)
            if not at:
                self._keep(data, begun=not joined)
                return
        size = len(data)
        start = at
        while size - at >= HEADER_BYTES:
            high, low, kind, flags, stream_id = frames.read_head(data, at)
            length = high << 8 | low
            if length > FRAME_BYTES:
                raise Http2Error(Reason.FRAME_SIZE_ERROR, "a frame is larger than the settings allow")
            stream_id &= MAX_WINDOW
            if self._block_stream or not self._settled:
                self._check_order(kind, flags, stream_id)
            end = at + HEADER_BYTES + length
            if end > size:
                break
            if kind < len(self._HANDLERS):
                self._HANDLERS[kind](self, flags, stream_id, data[at + HEADER_BYTES : end])
            else:
                self._charge()  # an unknown type is ignored (RFC 9113 5.5)
            at = end
        if at < size:
            self._keep(data[at:], begun=at > start or not joined)
        else:
            self._buffer = b""
            self.incomplete = self._block_stream != 0

    def _keep(self, rest: bytes, *, begun: bool) -> None:
        """Keep the part of a frame that has arrived; ``begun``: its first byte arrived now."""
        if begun:
            self._buffer_begun = self._now
        self._buffer = rest
        self.incomplete = True

    def _incomplete_since(self) -> float | None:
        """When the header block or frame began that is not complete; None without one."""
        if self._block_stream:
            return self._block_begun
        return self._buffer_begun if self._buffer else None

    def _check_order(self, kind: int, flags: int, stream_id: int) -> None:
        if not self._settled and (kind != frames.SETTINGS or flags & frames.ACK):
            raise _violation("the first frame is not SETTINGS")
        if self._block_stream and (kind != frames.CONTINUATION or stream_id != self._block_stream):
            raise _violation("a header block is interrupted by another frame")

    def _check_preface(self, data: bytes) -> int:
        if not data.startswith(self._expect[: len(data)]):
            raise _violation("the peer does not speak HTTP/2")
        if len(data) < len(self._expect):
            return 0
        at = len(self._expect)
        self._expect = b""
        return at

    def _charge(self) -> None:
        self._control.earn(self._earned)
        self._earned = 0
        if not self._control.spend(self._now):
            raise Http2Error(Reason.ENHANCE_YOUR_CALM, "too many control frames")

    # --- frames -------------------------------------------------------------------------------------

    def _data(self, flags: int, stream_id: int, payload: bytes) -> None:
        if not stream_id:
            raise _violation("DATA without a stream")
        size = len(payload)
        self._receive_window -= size
        if self._receive_window < 0:
            raise Http2Error(Reason.FLOW_CONTROL_ERROR, "the peer overran the connection's window")
        if self._receive_window < RECEIVE_WINDOW // 2:
            self._out.append(frames.window_update(0, RECEIVE_WINDOW - self._receive_window))
            self._receive_window = RECEIVE_WINDOW
        if flags & frames.PADDED:
            payload = self._unpad(payload)
        end_stream = flags & frames.END_STREAM != 0
        if len(payload) < _TINY_DATA and not end_stream:
            self._charge()
        self._on_data(stream_id, payload, size, end_stream)

    @staticmethod
    def _unpad(payload: bytes) -> bytes:
        if not payload:
            raise _wrong_size("padded")
        if payload[0] >= len(payload):
            raise _violation("a frame is all padding")
        return payload[1 : len(payload) - payload[0]]

    def _headers(self, flags: int, stream_id: int, payload: bytes) -> None:
        if not stream_id:
            raise _violation("HEADERS without a stream")
        if flags & (frames.PADDED | frames.PRIORITIZED):
            payload = self._strip(flags, stream_id, payload)
        end_stream = flags & frames.END_STREAM != 0
        if flags & frames.END_HEADERS:
            self._on_headers(stream_id, payload, end_stream)
        else:
            self._block_begun = self._now
            self._block_stream = stream_id
            self._block_end_stream = end_stream
            self._block_frames = 0
            self._block = [payload]

    def _strip(self, flags: int, stream_id: int, payload: bytes) -> bytes:
        """Take padding and priority off a HEADERS payload; what is left is the block."""
        first = _PRIORITY_BYTES if flags & frames.PRIORITIZED else 0
        if len(payload) < first + (flags & frames.PADDED != 0):
            raise _wrong_size("HEADERS")
        if flags & frames.PADDED:
            payload = self._unpad(payload)
            if len(payload) < first:
                raise _violation("padding leaves no room for the priority")
        if first:
            self._check_priority(stream_id, payload)
        return payload[first:]

    def _continuation(self, flags: int, stream_id: int, payload: bytes) -> None:
        if not self._block_stream:
            raise _violation("CONTINUATION without a header block")
        self._block.append(payload)
        self._block_frames += 1
        if self._block_frames > self._limits.continuation_frames:
            raise Http2Error(Reason.ENHANCE_YOUR_CALM, "too many CONTINUATION frames")
        if sum(map(len, self._block)) > self._limits.header_list_bytes:
            raise Http2Error(Reason.ENHANCE_YOUR_CALM, "a header block is too large")
        if flags & frames.END_HEADERS:
            block = b"".join(self._block)
            self._block = []
            self._block_stream = 0
            self._on_headers(stream_id, block, self._block_end_stream)

    def _priority(self, _flags: int, stream_id: int, payload: bytes) -> None:
        self._charge()
        if not stream_id:
            raise _violation("PRIORITY without a stream")
        if len(payload) != _PRIORITY_BYTES:
            raise _wrong_size("PRIORITY")
        self._check_priority(stream_id, payload)

    @staticmethod
    def _check_priority(stream_id: int, payload: bytes) -> None:
        """Priorities are ignored, but a stream that depends on itself is malformed (RFC 7540 5.3.1)."""
        if frames.read_word(payload[:4])[0] & MAX_WINDOW == stream_id:
            raise _violation("a stream depends on itself")

    def _rst_stream(self, _flags: int, stream_id: int, payload: bytes) -> None:
        if not stream_id:
            raise _violation("RST_STREAM without a stream")
        if len(payload) != 4:
            raise _wrong_size("RST_STREAM")
        self._on_reset(stream_id, frames.read_word(payload)[0])

    def _settings(self, flags: int, stream_id: int, payload: bytes) -> None:
        self._charge()
        if stream_id:
            raise _violation("SETTINGS on a stream")
        if flags & frames.ACK:
            if payload:
                raise _wrong_size("SETTINGS")
            return
        if len(payload) % 6:
            raise _wrong_size("SETTINGS")
        for name, value in frames.settings_of(payload):
            self._charge()  # a frame holds up to 2,730, and one of them may move every stream's window
            self._setting(name, value)
        self._settled = True
        self._out.append(_SETTINGS_ACK)

    def _setting(self, name: int, value: int) -> None:
        if name == frames.INITIAL_WINDOW_SIZE:
            if value > MAX_WINDOW:
                raise Http2Error(Reason.FLOW_CONTROL_ERROR, "the initial window is too large")
            change = value - self._peer_window
            self._peer_window = value
            self._on_initial_window(change)
        elif name == frames.MAX_FRAME_SIZE:
            if not FRAME_BYTES <= value < 1 << 24:
                raise _violation("SETTINGS_MAX_FRAME_SIZE is out of its range")
        elif name == frames.ENABLE_PUSH and value > self._MOST_PUSH:
            raise _violation("SETTINGS_ENABLE_PUSH has a value that it may not have here")

    def _push_promise(self, _flags: int, _stream_id: int, _payload: bytes) -> None:
        raise _violation("PUSH_PROMISE is not allowed here")

    def _ping(self, flags: int, stream_id: int, payload: bytes) -> None:
        self._charge()
        if stream_id:
            raise _violation("PING on a stream")
        if len(payload) != 8:
            raise _wrong_size("PING")
        if not flags & frames.ACK:
            self._out.append(frames.frame(frames.PING, frames.ACK, 0, payload))

    def _goaway(self, _flags: int, stream_id: int, payload: bytes) -> None:
        self._charge()
        if stream_id:
            raise _violation("GOAWAY on a stream")
        if len(payload) < 8:
            raise _wrong_size("GOAWAY")
        last_stream_id, reason = frames.read_two_words(payload)
        self._on_goaway(last_stream_id & MAX_WINDOW, reason)

    def _window_update(self, _flags: int, stream_id: int, payload: bytes) -> None:
        self._charge()
        if len(payload) != 4:
            raise _wrong_size("WINDOW_UPDATE")
        increment = frames.read_word(payload)[0] & MAX_WINDOW
        if stream_id:
            self._on_stream_window(stream_id, increment)
            return
        if not increment:
            raise _violation("WINDOW_UPDATE by zero")
        self._send_window += increment
        if self._send_window > MAX_WINDOW:
            raise Http2Error(Reason.FLOW_CONTROL_ERROR, "the connection's window overflows")

    _HANDLERS: ClassVar[tuple[Callable[["Http2", int, int, bytes], None], ...]] = (
        _data,
        _headers,
        _priority,
        _rst_stream,
        _settings,
        _push_promise,
        _ping,
        _goaway,
        _window_update,
        _continuation,
    )
    """What each frame type does, by its number."""

    # --- sending ------------------------------------------------------------------------------------

    def _abandon(self, stream_id: int, reason: Reason, *, ended: bool) -> None:
        """Reset a stream; unless the peer has ``ended`` it, frames that are under way will be ignored."""
        self._out.append(frames.rst_stream(stream_id, reason))
        if not ended:
            self._finished[stream_id] = None
            if len(self._finished) > 2 * self._limits.streams:
                del self._finished[next(iter(self._finished))]

    def _ignored(self, stream_id: int, end_stream: bool) -> bool:
        """Tell whether a frame belongs to a stream that we have reset (RFC 9113 5.1, closed)."""
        if stream_id not in self._finished:
            return False
        if end_stream:
            del self._finished[stream_id]
        return True

    def _put_data(self, stream_id: int, data: memoryview, window: int, end_stream: bool) -> int:
        """Put as much of ``data`` into one DATA frame as the windows allow; give the count, maybe 0."""
        size = min(len(data), window, self._send_window, FRAME_BYTES)
        if size <= 0:
            return 0
        flags = frames.END_STREAM if end_stream and size == len(data) else 0
        self._out += (frames.frame_head(size, frames.DATA, flags, stream_id), bytes(data[:size]))
        self._send_window -= size
        self._earned += _EARNED_BY_DATA
        return size
