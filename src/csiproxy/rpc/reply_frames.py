"""What the serving end's answers are as frames and header blocks; most of each is the same every time."""

from struct import Struct
from typing import Final

from csiproxy.errors import Code
from csiproxy.rpc import frames, hpack
from csiproxy.rpc.frames import MESSAGE_HEAD_BYTES
from csiproxy.rpc.hpack import Field
from csiproxy.rpc.status import encode_details, encode_message

HEAD: Final = hpack.encode((b":status", b"200"), (b"content-type", b"application/grpc"))
"""The block that begins every answer."""
OK: Final = hpack.encode((b"grpc-status", b"0"))
"""The trailers of a reply."""
END: Final = frames.END_HEADERS | frames.END_STREAM
"""Flags of the frame that ends an answer."""
ENCODINGS: Final[Field] = (b"grpc-accept-encoding", b"identity")

_BEFORE_ID: Final = frames.HEADER_BYTES - 4
_HEAD_FRAME: Final = frames.frame_head(len(HEAD), frames.HEADERS, frames.END_HEADERS, 0)[:_BEFORE_ID]
_TRAILERS_FRAME: Final = frames.frame_head(len(OK), frames.HEADERS, END, 0)[:_BEFORE_ID]
_HEAD_TO_MESSAGE: Final = Struct(f">{_BEFORE_ID}sI{len(HEAD)}sHBHIBI")
_TRAILERS: Final = Struct(f">{_BEFORE_ID}sI{len(OK)}s")


def whole_reply(stream_id: int, message: bytes) -> bytes:
    """Write a reply that fits into one DATA frame: its headers, its message and its trailers."""
    size = len(message)
    framed = size + MESSAGE_HEAD_BYTES
    # DATA has type 0 and no flag here, which makes one zero of both.
    head = _HEAD_TO_MESSAGE.pack(
        _HEAD_FRAME, stream_id, HEAD, framed >> 8, framed & 0xFF, 0, stream_id, 0, size
    )
    return head + message + _TRAILERS.pack(_TRAILERS_FRAME, stream_id, OK)


def status_block(code: Code, message: str, details: bytes, size: int, *extra: Field) -> bytes:
    """Write the only block of an answer that is an error.

    The text gets at most half of ``size`` bytes; details that do not fit beside it are left out.
    """
    fields = [(b"grpc-status", b"%d" % code), (b"grpc-message", encode_message(message, size // 2)), *extra]
    if details:
        encoded = encode_details(details)
        if len(fields[1][1]) + len(encoded) <= size:
            fields.append((b"grpc-status-details-bin", encoded))
    return HEAD + hpack.encode(*fields)


def http_block(status: int) -> bytes:
    """Write the only block of an answer to what is not gRPC."""
    return hpack.encode((b":status", b"%d" % status), (b"content-length", b"0"))
