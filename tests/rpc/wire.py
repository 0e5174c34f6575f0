"""What the tests of both ends put on the wire, and how they read it."""

from collections.abc import Iterator

import h2.config
import h2.connection
import h2.events
import h2.settings
from hyperframe.frame import Frame

from csiproxy.rpc import frames, hpack

HEAD = (
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":path", b"/v1.Disk/Rescan"),
    (b":authority", b"localhost"),
    (b"te", b"trailers"),
    (b"content-type", b"application/grpc"),
)
START = frames.PREFACE + frames.settings()


def framed(message: bytes, flag: int = 0) -> bytes:
    """A gRPC message with its five bytes in front."""
    return bytes([flag]) + len(message).to_bytes(4, "big") + message


def headers(
    stream_id: int = 1, *extra: tuple[bytes, bytes], head=HEAD, end: bool = False, last: bool = True
) -> bytes:
    flags = (frames.END_STREAM if end else 0) | (frames.END_HEADERS if last else 0)
    return frames.frame(frames.HEADERS, flags, stream_id, hpack.encode(*head, *extra))


def data(payload: bytes, stream_id: int = 1, *, end: bool = True) -> bytes:
    """DATA frames of at most 16 KiB."""
    parts = [payload[at : at + frames.FRAME_BYTES] for at in range(0, len(payload), frames.FRAME_BYTES)] or [
        b""
    ]
    flags = [0] * (len(parts) - 1) + [frames.END_STREAM if end else 0]
    return b"".join(
        frames.frame(frames.DATA, flag, stream_id, part) for flag, part in zip(flags, parts, strict=True)
    )


def request(message: bytes = b"", stream_id: int = 1, *extra: tuple[bytes, bytes]) -> bytes:
    """A whole call."""
    return headers(stream_id, *extra) + data(framed(message), stream_id)


def read_frames(wire: bytes) -> Iterator[Frame]:
    """Read frames with another implementation."""
    while wire:
        frame, length = Frame.parse_frame_header(memoryview(wire[:9]))
        frame.parse_body(memoryview(wire[9 : 9 + length]))
        yield frame
        wire = wire[9 + length :]


class Judge:
    """A client of another implementation (h2), without any input or output of its own."""

    def __init__(self, window: int | None = None) -> None:
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=True, header_encoding=None)
        )
        if window is not None:
            settings = {h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window}
            self.h2.local_settings = h2.settings.Settings(client=True, initial_values=settings)
        self.h2.initiate_connection()
        self.replies: dict[int, bytearray] = {}
        self.trailers: dict[int, dict[bytes, bytes]] = {}
        self.heads: dict[int, dict[bytes, bytes]] = {}
        self.resets: dict[int, int] = {}
        self.ended: set[int] = set()
        self.goaway: int | None = None
        self.pending: dict[int, bytes] = {}

    def call(self, message: bytes, *extra: tuple[bytes, bytes], head=HEAD) -> int:
        stream_id = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream_id, [*head, *extra])
        self.pending[stream_id] = framed(message)
        self.push()
        return stream_id

    def push(self) -> None:
        """Send as much as the server's windows allow."""
        for stream_id, rest in list(self.pending.items()):
            while stream_id in self.pending:
                size = min(len(rest), self.h2.local_flow_control_window(stream_id), 16384)
                if not size:
                    break
                part, rest = rest[:size], rest[size:]
                self.h2.send_data(stream_id, part, end_stream=not rest)
                self.pending[stream_id] = rest
                if not rest:
                    del self.pending[stream_id]

    def take(self) -> bytes:
        return self.h2.data_to_send()

    def receive(self, wire: bytes, *, acknowledge: bool = True) -> None:
        for event in self.h2.receive_data(wire):
            if isinstance(event, h2.events.ResponseReceived):
                self.heads[event.stream_id] = dict(event.headers)
                self.trailers.setdefault(event.stream_id, dict(event.headers))
            elif isinstance(event, h2.events.DataReceived):
                self.replies.setdefault(event.stream_id, bytearray()).extend(event.data)
                if acknowledge:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.TrailersReceived):
                self.trailers[event.stream_id] = dict(event.headers)
            elif isinstance(event, h2.events.StreamEnded):
                self.ended.add(event.stream_id)
            elif isinstance(event, h2.events.StreamReset):
                self.resets[event.stream_id] = event.error_code
                self.pending.pop(event.stream_id, None)
            elif isinstance(event, h2.events.ConnectionTerminated):
                self.goaway = event.error_code
        self.push()
