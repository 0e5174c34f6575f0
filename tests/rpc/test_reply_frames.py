"""Answers as another implementation reads them."""

import hpack as judge
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rpc.wire import framed, read_frames

from csiproxy.errors import Code
from csiproxy.rpc.frames import FRAME_BYTES
from csiproxy.rpc.reply_frames import ENCODINGS, http_block, status_block, whole_reply


def fields(block: bytes) -> dict[bytes, bytes]:
    return dict(judge.Decoder().decode(block, raw=True))


@given(st.integers(1, 2**31 - 1), st.binary(max_size=300) | st.integers(0, FRAME_BYTES - 5).map(bytes))
def test_a_whole_reply_is_headers_data_and_trailers(stream: int, message: bytes) -> None:
    head, data, trailers = read_frames(whole_reply(stream, message))
    assert [frame.stream_id for frame in (head, data, trailers)] == [stream] * 3
    assert [sorted(frame.flags) for frame in (head, data, trailers)] == [
        ["END_HEADERS"],
        [],
        ["END_HEADERS", "END_STREAM"],
    ]
    assert fields(head.data) == {b":status": b"200", b"content-type": b"application/grpc"}
    assert data.data == framed(message)
    assert fields(trailers.data) == {b"grpc-status": b"0"}


def test_a_status_is_headers_and_trailers_in_one() -> None:
    assert fields(status_block(Code.NOT_FOUND, "größer", b"\x08\x05", 1000, ENCODINGS)) == {
        b":status": b"200",
        b"content-type": b"application/grpc",
        b"grpc-status": b"5",
        b"grpc-message": b"gr%C3%B6%C3%9Fer",
        b"grpc-accept-encoding": b"identity",
        b"grpc-status-details-bin": b"CAU",
    }


@pytest.mark.parametrize("size", [16, 256, 6000])
def test_a_status_stays_within_its_size(size: int) -> None:
    for text, details in (("ü" * 9999, b""), ("x" * 9999, b"d" * 9999), ("", b"d" * 9999), ("x", b"d")):
        found = fields(status_block(Code.INTERNAL, text, details, size))
        assert len(found[b"grpc-message"]) + len(found.get(b"grpc-status-details-bin", b"")) <= size
        assert found[b"grpc-status"] == b"13"


def test_what_is_not_grpc_is_answered_without_grpc() -> None:
    assert fields(http_block(415)) == {b":status": b"415", b"content-length": b"0"}
