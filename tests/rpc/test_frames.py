"""Frames as another implementation reads them."""

import pytest
from hyperframe import frame as judge
from hypothesis import given
from hypothesis import strategies as st
from tests.rpc.wire import read_frames

from csiproxy.rpc import frames
from csiproxy.rpc.frames import Reason

STREAMS = st.integers(1, 2**31 - 1)


@given(st.binary(max_size=frames.FRAME_BYTES), STREAMS)
def test_a_frame_is_read_by_another_implementation(payload: bytes, stream_id: int) -> None:
    (read,) = read_frames(frames.frame(frames.DATA, frames.END_STREAM, stream_id, payload))
    assert isinstance(read, judge.DataFrame)
    assert (read.stream_id, read.data, set(read.flags)) == (stream_id, payload, {"END_STREAM"})


@given(
    st.integers(0, frames.FRAME_BYTES), st.integers(0, 255), st.integers(0, 255), st.integers(0, 2**32 - 1)
)
def test_a_frame_head_is_read_as_it_was_written(size: int, kind: int, flags: int, stream_id: int) -> None:
    high, low, *rest = frames.read_head(frames.frame_head(size, kind, flags, stream_id), 0)
    assert (high << 8 | low, *rest) == (size, kind, flags, stream_id)


def test_settings_are_read_by_another_implementation() -> None:
    (read,) = read_frames(frames.settings((frames.INITIAL_WINDOW_SIZE, 7), (frames.ENABLE_PUSH, 0)))
    assert isinstance(read, judge.SettingsFrame)
    assert read.settings == {frames.INITIAL_WINDOW_SIZE: 7, frames.ENABLE_PUSH: 0}


@given(STREAMS, st.sampled_from(Reason))
def test_ends_are_read_by_another_implementation(stream_id: int, reason: Reason) -> None:
    reset, goaway = read_frames(frames.rst_stream(stream_id, reason) + frames.goaway(stream_id, reason))
    assert isinstance(reset, judge.RstStreamFrame)
    assert isinstance(goaway, judge.GoAwayFrame)
    assert (reset.stream_id, reset.error_code) == (stream_id, reason)
    assert (goaway.last_stream_id, goaway.error_code) == (stream_id, reason)


@given(STREAMS, STREAMS)
def test_window_updates_are_read_by_another_implementation(stream_id: int, increment: int) -> None:
    (read,) = read_frames(frames.window_update(stream_id, increment))
    assert isinstance(read, judge.WindowUpdateFrame)
    assert (read.stream_id, read.window_increment) == (stream_id, increment)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (frames.DATA, judge.DataFrame),
        (frames.HEADERS, judge.HeadersFrame),
        (frames.PRIORITY, judge.PriorityFrame),
        (frames.RST_STREAM, judge.RstStreamFrame),
        (frames.SETTINGS, judge.SettingsFrame),
        (frames.PUSH_PROMISE, judge.PushPromiseFrame),
        (frames.PING, judge.PingFrame),
        (frames.GOAWAY, judge.GoAwayFrame),
        (frames.WINDOW_UPDATE, judge.WindowUpdateFrame),
        (frames.CONTINUATION, judge.ContinuationFrame),
    ],
)
def test_frame_types_have_the_numbers_that_others_give_them(number: int, kind: type[judge.Frame]) -> None:
    assert kind.type == number
