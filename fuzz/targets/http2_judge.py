"""A second implementation (hyperframe, hpack) judges what an end of a connection of ours sends."""

import hpack as other
from hyperframe.exceptions import HyperframeError
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PushPromiseFrame,
    RstStreamFrame,
)

from csiproxy.rpc import frames
from fuzz.broken import Broken, demand


class Judge:
    """Reads everything that one end sends, in order."""

    def __init__(self, preface: bytes = b"") -> None:
        self._left = preface
        self._decoder = other.Decoder(max_header_list_size=1 << 20)
        self._ended: set[int] = set()
        self.bytes = 0
        self.streams: set[int] = set()
        self.last: Frame | None = None

    def read(self, wire: bytes) -> None:
        """Take what was sent, whole frames always; raise Broken for what RFC 9113 does not allow."""
        self.bytes += len(wire)
        if self._left:
            demand(wire.startswith(self._left), "a client begins with the preface")
            wire, self._left = wire[len(self._left) :], b""
        while wire:
            demand(len(wire) >= frames.HEADER_BYTES, "only whole frames are sent")
            frame, size = Frame.parse_frame_header(memoryview(wire[: frames.HEADER_BYTES]))
            body = wire[frames.HEADER_BYTES : frames.HEADER_BYTES + size]
            demand(len(body) == size <= frames.FRAME_BYTES, "a frame is whole and of legal size")
            try:
                frame.parse_body(memoryview(body))
            except HyperframeError as error:
                raise Broken(f"a frame is malformed: {error!r}") from error
            self._judge(frame)
            wire = wire[frames.HEADER_BYTES + size :]

    def _judge(self, frame: Frame) -> None:
        demand(not isinstance(self.last, GoAwayFrame) or isinstance(frame, GoAwayFrame) or self._goes_on(),
               "nothing follows GOAWAY with an error")  # fmt: skip
        self.last = frame
        demand(not isinstance(frame, PushPromiseFrame | ContinuationFrame), "neither end sends such a frame")
        if isinstance(frame, HeadersFrame | DataFrame):
            demand(frame.stream_id not in self._ended, "a stream that has ended stays so")
            self.streams.add(frame.stream_id)
            if "END_STREAM" in frame.flags:
                self._ended.add(frame.stream_id)
        if isinstance(frame, HeadersFrame):
            demand("END_HEADERS" in frame.flags, "header blocks are sent whole")
            try:
                self._decoder.decode(frame.data, raw=True)
            except other.HPACKError as error:
                raise Broken(f"a header block cannot be read: {error!r}") from error
        if isinstance(frame, RstStreamFrame):
            self.streams.add(frame.stream_id)

    def _goes_on(self) -> bool:
        return isinstance(self.last, GoAwayFrame) and self.last.error_code == 0
