"""What the serving end tells its owner."""

from csiproxy.rpc.request_head import RequestHead
from csiproxy.rpc.server_stream import Cancelled, Request, ServerStream


def test_a_request_says_what_was_asked_and_until_when() -> None:
    request = Request(3, "/v1.Disk/Rescan", b"message", 12.5, 7)
    assert (request.stream_id, request.method, request.message) == (3, "/v1.Disk/Rescan", b"message")
    assert (request.deadline, request.held) == (12.5, 7)
    assert Cancelled(3).stream_id == 3


def test_a_stream_begins_empty_and_open() -> None:
    stream = ServerStream(1, RequestHead("/x", 4), 65535, 1000, 2.0, None)
    assert not stream.complete
    assert (stream.request, stream.received, stream.held, stream.reply) == (b"", 0, 0, None)
