"""HTTP/2 frames: their names, their layout, their errors (RFC 9113 4, 6 and 7)."""

from enum import IntEnum
from struct import Struct
from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADER_BYTES: Final = 9
FRAME_BYTES: Final = 16384
"""The largest payload that we send and accept: RFC 9113's default, which nobody may go below."""
MAX_WINDOW: Final = 0x7FFFFFFF
DEFAULT_WINDOW: Final = 65535
DEFAULT_TABLE_BYTES: Final = 4096

# Frame types are plain integers: they index a table for every frame that arrives.
DATA: Final = 0
HEADERS: Final = 1
PRIORITY: Final = 2
RST_STREAM: Final = 3
SETTINGS: Final = 4
PUSH_PROMISE: Final = 5
PING: Final = 6
GOAWAY: Final = 7
WINDOW_UPDATE: Final = 8
CONTINUATION: Final = 9

ACK: Final = 0x01
END_STREAM: Final = 0x01
END_HEADERS: Final = 0x04
PADDED: Final = 0x08
PRIORITIZED: Final = 0x20

HEADER_TABLE_SIZE: Final = 1
ENABLE_PUSH: Final = 2
MAX_CONCURRENT_STREAMS: Final = 3
INITIAL_WINDOW_SIZE: Final = 4
MAX_FRAME_SIZE: Final = 5
MAX_HEADER_LIST_SIZE: Final = 6


class Reason(IntEnum):
    """Error codes of RST_STREAM and GOAWAY (RFC 9113 7)."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


class Http2Error(Exception):
    """The peer broke the protocol or a limit so that the connection has to end, with ``reason``."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


_HEAD: Final = Struct(">HBBBI")
_SETTING: Final = Struct(">HI")
_WORD: Final = Struct(">I")
_TWO_WORDS: Final = Struct(">II")
_MESSAGE_HEAD: Final = Struct(">BI")

MESSAGE_HEAD_BYTES: Final = 5
"""What stands before each gRPC message: the compressed flag and the length."""

read_head = _HEAD.unpack_from
"""Length (upper 16 bits, lower 8), type, flags and stream id (with its reserved bit) of a frame."""
settings_of = _SETTING.iter_unpack
read_word = _WORD.unpack
read_two_words = _TWO_WORDS.unpack_from
read_message_head = _MESSAGE_HEAD.unpack_from
message_head = _MESSAGE_HEAD.pack


def frame_head(size: int, kind: int, flags: int, stream_id: int) -> bytes:
    """Write the nine bytes before a payload of ``size`` bytes."""
    return _HEAD.pack(size >> 8, size & 0xFF, kind, flags, stream_id)


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    """Write one frame."""
    return frame_head(len(payload), kind, flags, stream_id) + payload


def settings(*pairs: tuple[int, int]) -> bytes:
    """Write a SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(*pair) for pair in pairs))


def table_setting(size: int) -> tuple[tuple[int, int], ...]:
    """Announce the dynamic table of our decoder where it is not what everybody assumes (RFC 9113 6.5.2)."""
    return ((HEADER_TABLE_SIZE, size),) if size != DEFAULT_TABLE_BYTES else ()


def window_update(stream_id: int, increment: int) -> bytes:
    """Write a WINDOW_UPDATE frame."""
    return frame(WINDOW_UPDATE, 0, stream_id, _WORD.pack(increment))


def rst_stream(stream_id: int, reason: Reason) -> bytes:
    """Write a RST_STREAM frame."""
    return frame(RST_STREAM, 0, stream_id, _WORD.pack(reason))


def goaway(last_stream_id: int, reason: Reason) -> bytes:
    """Write a GOAWAY frame."""
    return frame(GOAWAY, 0, 0, _TWO_WORDS.pack(last_stream_id, reason))
