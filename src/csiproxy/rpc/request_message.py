"""The one message of a unary request: its five bytes in front, its length, and nothing behind it."""

from typing import Final

from csiproxy.errors import Code
from csiproxy.rpc.frames import MESSAGE_HEAD_BYTES, read_message_head
from csiproxy.rpc.request_head import Failure


def too_large(what: str, size: int, limit: int) -> Failure:
    """Say that a request or reply is larger than the limit."""
    return Code.RESOURCE_EXHAUSTED, f"the {what} of {size} bytes is larger than the limit of {limit}"


_TOO_MANY: Final[Failure] = (Code.UNIMPLEMENTED, "a unary call takes one message; more were sent")
_CUT: Final[Failure] = (Code.INTERNAL, "the request ended inside its message")


def fault_so_far(data: bytes | bytearray, limit: int) -> Failure | None:
    """Judge a request that is still coming in; None: it may become a message of up to ``limit`` bytes."""
    if len(data) < MESSAGE_HEAD_BYTES:
        return None
    size = read_message_head(data)[1]
    if size > limit:
        return too_large("request", size, limit)
    return _TOO_MANY if len(data) > MESSAGE_HEAD_BYTES + size else None


def fault(data: bytes | bytearray, limit: int) -> Failure | None:
    """Judge a request that is complete; None: it is one message."""
    length = len(data)
    if length < MESSAGE_HEAD_BYTES:
        missing = "none was sent" if not length else "it ended inside the message's head"
        code = Code.INTERNAL if length else Code.UNIMPLEMENTED
        return code, f"a unary call takes one message; {missing}"
    compressed, size = read_message_head(data)
    if compressed:
        return Code.INTERNAL, "the message is marked as compressed, but no encoding was named"
    if size > limit:
        return too_large("request", size, limit)
    if length > MESSAGE_HEAD_BYTES + size:
        return _TOO_MANY
    return _CUT if length < MESSAGE_HEAD_BYTES + size else None
