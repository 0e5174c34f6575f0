"""The serving end: calls in, replies out, with another implementation as the client."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rpc.wire import HEAD, START, Judge, data, framed, headers, read_frames, request

from csiproxy.errors import Code
from csiproxy.rpc import frames, hpack
from csiproxy.rpc.allowance import Budget
from csiproxy.rpc.frames import Http2Error, Reason
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.protocol import ServerConnection
from csiproxy.rpc.server_stream import Cancelled, Request

LIMITS = Limits()
SMALL = Limits(
    message_bytes=1000, outbox_bytes=2000, buffered_bytes=4000, streams=3, resets=5, control_frames=20
)


class Serving:
    """A serving end that is past its handshake, with what it said."""

    def __init__(self, limits: Limits = LIMITS, start: bytes = START) -> None:
        self.budget = Budget(limits.buffered_bytes)
        self.end = ServerConnection(limits, self.budget, 0.0)
        self.feed(start)
        self.end.take()

    def feed(self, wire: bytes, now: float = 0.0) -> list[Request]:
        return [event for event in self.end.receive(wire, now) if isinstance(event, Request)]

    def said(self) -> list[tuple[str, int, object]]:
        """Frame type, stream, and what matters of it."""
        found: list[tuple[str, int, object]] = []
        for frame in read_frames(self.end.take()):
            name = type(frame).__name__.removesuffix("Frame")
            body: object = getattr(frame, "error_code", None)
            if name == "Headers":
                fields = hpack.Decoder(4096, 1 << 20).decode(frame.data)
                assert fields is not None
                body = dict(fields)
            elif name == "Data":
                body = frame.data
            elif name == "WindowUpdate":
                body = frame.window_increment
            found.append((name, frame.stream_id, body))
        return found

    def status(self) -> tuple[int, str]:
        """The gRPC status in the only headers that were said."""
        (fields,) = [body for name, _, body in self.said() if name == "Headers"]
        assert isinstance(fields, dict)
        return int(fields[b"grpc-status"]), fields.get(b"grpc-message", b"").decode()


def talk(serving: ServerConnection, judge: Judge, answer=lambda request: request.message) -> None:
    """Carry bytes both ways until nobody has anything to say."""
    while True:
        wire = judge.take()
        for event in serving.receive(wire, 0.0) if wire else []:
            assert isinstance(event, Request)
            serving.reply(event.stream_id, answer(event))
        reply = serving.take()
        if not wire and not reply:
            return
        judge.receive(reply)


# --- calls --------------------------------------------------------------------------------------------


def test_a_call_is_answered_and_another_implementation_reads_the_answer() -> None:
    serving, judge = ServerConnection(LIMITS, Budget(1 << 20), 0.0), Judge()
    stream = judge.call(b"question", (b"grpc-timeout", b"5S"))
    seen: list[Request] = []
    talk(serving, judge, lambda request: seen.append(request) or b"answer")
    assert [(one.method, one.message, one.deadline) for one in seen] == [
        ("/v1.Disk/Rescan", b"question", 5.0)
    ]
    assert judge.replies[stream] == framed(b"answer")
    assert judge.heads[stream] == {b":status": b"200", b"content-type": b"application/grpc"}
    assert judge.trailers[stream] == {b"grpc-status": b"0"}
    assert judge.ended == {stream}
    assert serving.open_streams == 0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 70_000).map(lambda size: b"m" * size), min_size=1, max_size=6),
    st.none() | st.integers(0, 20_000),
)
def test_messages_of_any_size_pass_through_windows_of_any_size(
    messages: list[bytes], window: int | None
) -> None:
    budget = Budget(LIMITS.buffered_bytes)
    serving, judge = ServerConnection(LIMITS, budget, 0.0), Judge(window)
    streams = [judge.call(message) for message in messages]
    requests: list[Request] = []
    while True:
        wire = judge.take()
        for event in serving.receive(wire, 0.0) if wire else []:
            assert isinstance(event, Request)
            requests.append(event)
            serving.reply(event.stream_id, event.message)
        reply = serving.take()
        if not wire and not reply:
            break
        judge.receive(reply)
    if window == 0:
        for stream in streams:
            judge.h2.increment_flow_control_window(1 << 20, stream)
        judge.receive(b"")
        talk(serving, judge)
    assert [bytes(judge.replies[stream]) for stream in streams] == [framed(message) for message in messages]
    assert judge.ended == set(streams)
    for one in requests:
        budget.give(one.held)
    assert budget.held == 0


@given(st.data())
def test_bytes_may_arrive_in_any_pieces(draw: st.DataObject) -> None:
    wire = (
        START + request(b"one", 1) + headers(3, last=False) + frames.frame(9, 4, 3) + data(framed(b"two"), 3)
    )
    serving = ServerConnection(LIMITS, Budget(1 << 20), 0.0)
    got = []
    while wire:
        size = draw.draw(st.integers(1, len(wire)))
        got += serving.receive(wire[:size], 0.0)
        wire = wire[size:]
    assert [(one.stream_id, one.message) for one in got if isinstance(one, Request)] == [
        (1, b"one"),
        (3, b"two"),
    ]


def test_padding_priority_and_unknown_frames_are_no_obstacle() -> None:
    serving = Serving()
    block = hpack.encode(*HEAD)
    payload = framed(b"x")
    wire = (
        frames.frame(frames.HEADERS, 0x04 | 0x08 | 0x20, 1, b"\x03" + b"\0\0\0\0\x10" + block + b"\0\0\0")
        + frames.frame(frames.PRIORITY, 0, 7, b"\0\0\0\0\x10")
        + frames.frame(0xFA, 0, 1, b"whatever")
        + frames.frame(frames.DATA, 0x08, 1, b"\x04" + payload[:3] + b"\0\0\0\0")
        + frames.frame(frames.DATA, 0x01, 1, payload[3:])
    )
    assert [one.message for one in serving.feed(wire)] == [b"x"]


def test_trailers_of_a_client_end_the_request() -> None:
    serving = Serving()
    wire = headers() + data(framed(b"x"), end=False) + headers(1, head=[(b"x-sum", b"1")], end=True)
    assert [one.message for one in serving.feed(wire)] == [b"x"]


@pytest.mark.parametrize(
    "trailers", [headers(1, head=[(b"x", b"1")]), headers(1, head=[(b":path", b"/")], end=True)]
)
def test_wrong_trailers_reset_the_stream(trailers: bytes) -> None:
    serving = Serving()
    assert serving.feed(headers() + data(framed(b"x"), end=False) + trailers) == []
    assert serving.said()[-1] == ("RstStream", 1, Reason.PROTOCOL_ERROR)


def test_an_error_carries_text_and_details() -> None:
    serving = Serving()
    serving.feed(request())
    serving.end.fail(1, Code.NOT_FOUND, "disk 7: größer", b"\x08\x05")
    ((name, stream, fields),) = serving.said()
    assert (name, stream) == ("Headers", 1)
    assert fields == {
        b":status": b"200",
        b"content-type": b"application/grpc",
        b"grpc-status": b"5",
        b"grpc-message": b"disk 7: gr%C3%B6%C3%9Fer",
        b"grpc-status-details-bin": b"CAU",
    }


def test_trailers_stay_small_whatever_the_error_says() -> None:
    serving = Serving()
    serving.feed(request())
    serving.end.fail(1, Code.INTERNAL, "ü" * 100_000, b"d" * 100_000)
    ((_, _, fields),) = serving.said()
    assert isinstance(fields, dict)
    assert b"grpc-status-details-bin" not in fields
    assert len(fields[b"grpc-message"]) <= LIMITS.status_bytes


def test_an_answer_to_a_stream_that_is_gone_is_dropped() -> None:
    serving = Serving()
    serving.feed(request())
    serving.end.reply(1, b"x")
    serving.said()
    serving.end.reply(1, b"again")
    serving.end.fail(1, Code.INTERNAL, "again")
    serving.end.reply(99, b"never")
    assert serving.said() == []


# --- what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (headers(end=True), Code.UNIMPLEMENTED),
        (headers() + data(b""), Code.UNIMPLEMENTED),
        (headers() + data(framed(b"a") + framed(b"b")), Code.UNIMPLEMENTED),
        (headers() + data(framed(b"a") + framed(b"b"), end=False), Code.UNIMPLEMENTED),
        (headers() + data(framed(b"a")[:3]), Code.INTERNAL),
        (headers() + data(framed(b"abc")[:-1]), Code.INTERNAL),
        (headers() + data(framed(b"abc", flag=1)), Code.INTERNAL),
        (headers() + data(framed(b"abc", flag=7)), Code.INTERNAL),
        (headers() + data(b"\0\xff\xff\xff\xff", end=False), Code.RESOURCE_EXHAUSTED),
        (headers() + data(b"\0\xff\xff\xff\xff"), Code.RESOURCE_EXHAUSTED),
        (headers(1, (b"grpc-encoding", b"gzip")) + data(framed(b"abc", flag=1)), Code.UNIMPLEMENTED),
        (headers(1, (b"grpc-timeout", b"soon")), Code.INTERNAL),
    ],
)
def test_what_is_no_unary_call_fails_with_its_status(wire: bytes, code: Code) -> None:
    serving = Serving()
    assert serving.feed(wire) == []
    assert serving.status()[0] == code
    assert serving.end.open_streams == 0
    assert serving.budget.held == 0


def test_headers_that_are_too_large_fail_their_call_alone() -> None:
    serving = Serving()
    entry = b"\x40\x01k" + b"\x7f\xa1\x1e" + b"v" * 4000  # indexed, so that an octet stands for all of it
    wire = frames.frame(frames.HEADERS, frames.END_HEADERS, 1, hpack.encode(*HEAD) + entry + b"\xbe" * 9)
    assert serving.feed(wire) == []
    assert serving.status()[0] == Code.RESOURCE_EXHAUSTED
    assert len(serving.feed(request(b"x", 3))) == 1


def test_an_unsupported_encoding_is_told_what_is_supported() -> None:
    serving = Serving()
    serving.feed(headers(1, (b"grpc-encoding", b"gzip"), end=True))
    fields = serving.said()[0][2]
    assert isinstance(fields, dict)
    assert fields[b"grpc-accept-encoding"] == b"identity"


def test_a_client_that_is_failed_early_is_told_to_stop_and_may_still_be_sending() -> None:
    serving = Serving()
    assert serving.feed(headers(1, (b"grpc-encoding", b"gzip"))) == []
    assert [name for name, _, _ in serving.said()] == ["Headers", "RstStream"]
    assert serving.feed(data(b"x" * 50_000, 1)) == []
    assert serving.feed(request(b"next", 3))[0].message == b"next"
    with pytest.raises(Http2Error):
        serving.feed(data(b"x", 1))  # it had ended the stream


@pytest.mark.parametrize(
    ("head", "status"), [(((b":method", b"GET"), *HEAD[1:]), b"405"), (HEAD[:5], b"415")]
)
def test_what_is_not_grpc_gets_an_http_status(head: tuple[tuple[bytes, bytes], ...], status: bytes) -> None:
    serving = Serving()
    serving.feed(headers(1, head=head, end=True))
    assert serving.said() == [("Headers", 1, {b":status": status, b"content-length": b"0"})]


def test_a_malformed_head_resets_its_stream_alone() -> None:
    serving = Serving()
    assert [
        one.stream_id for one in serving.feed(headers(1, (b"Upper", b"x"), end=True) + request(b"x", 3))
    ] == [3]
    assert serving.said() == [("RstStream", 1, Reason.PROTOCOL_ERROR)]


@pytest.mark.parametrize(("length", "fits"), [(b"8", True), (b"7", False), (b"9", False)])
def test_a_content_length_has_to_be_true(length: bytes, fits: bool) -> None:
    serving = Serving()
    assert bool(serving.feed(headers(1, (b"content-length", length)) + data(framed(b"abc")))) is fits
    assert fits or serving.said() == [("RstStream", 1, Reason.PROTOCOL_ERROR)]


def test_streams_beyond_the_limit_are_refused_and_no_more() -> None:
    serving = Serving(SMALL)
    assert len(serving.feed(b"".join(request(b"x", stream) for stream in (1, 3, 5, 7)))) == 3
    assert serving.said() == [("RstStream", 7, Reason.REFUSED_STREAM)]
    serving.end.reply(1, b"")
    assert len(serving.feed(request(b"x", 9))) == 1


def test_a_message_larger_than_the_window_resets_its_stream() -> None:
    serving = Serving(Limits(message_bytes=1000))
    padded = frames.frame(frames.DATA, frames.PADDED, 1, b"\xff" + bytes(255))
    assert serving.feed(headers() + data(framed(b"x" * 900)[:6], end=False) + padded * 300) == []
    assert ("RstStream", 1, Reason.FLOW_CONTROL_ERROR) in serving.said()


def test_requests_beyond_the_budget_fail_and_give_back_what_they_held() -> None:
    serving = Serving(SMALL)
    serving.budget.take(3500)
    assert serving.feed(headers() + data(framed(b"x" * 800)[:700], end=False)) == []
    assert serving.status()[0] == Code.RESOURCE_EXHAUSTED
    assert serving.budget.held == 3500


def test_a_request_of_several_frames_is_held_until_its_owner_gives_it_back() -> None:
    serving = Serving()
    wire = framed(b"x" * 800)
    (one,) = serving.feed(headers() + data(wire[:400], end=False) + data(wire[400:]))
    assert one.message == b"x" * 800
    assert serving.budget.held == one.held == 805
    serving.end.reply(1, b"")
    serving.end.close()
    assert serving.budget.held == 805


# --- cancellation -------------------------------------------------------------------------------------


def test_a_reset_cancels_the_call() -> None:
    serving = Serving()
    serving.feed(request())
    (event,) = serving.end.receive(frames.rst_stream(1, Reason.CANCEL), 0.0)
    assert isinstance(event, Cancelled)
    assert event.stream_id == 1
    serving.end.reply(1, b"late")
    assert serving.said() == []


def test_a_call_that_is_reset_at_once_is_never_reported() -> None:
    serving = Serving()
    wire = framed(b"x" * 300)
    call = headers() + data(wire[:200], end=False) + data(wire[200:])
    assert serving.end.receive(call + frames.rst_stream(1, Reason.CANCEL), 0.0) == []
    assert serving.budget.held == 0


def test_a_reset_of_an_unfinished_request_is_not_reported() -> None:
    serving = Serving()
    assert (
        serving.end.receive(headers() + data(b"\0", end=False) + frames.rst_stream(1, Reason.CANCEL), 0.0)
        == []
    )
    assert serving.budget.held == 0
    assert serving.end.open_streams == 0


@pytest.mark.parametrize("increment", [0, frames.MAX_WINDOW])
def test_a_wrong_window_ends_its_stream(increment: int) -> None:
    serving = Serving()
    serving.feed(request())
    (event,) = serving.end.receive(frames.window_update(1, increment), 0.0)
    assert isinstance(event, Cancelled)
    reason = Reason.FLOW_CONTROL_ERROR if increment else Reason.PROTOCOL_ERROR
    assert serving.said() == [("RstStream", 1, reason)]


# --- windows ------------------------------------------------------------------------------------------


def test_a_reply_waits_for_the_stream_window() -> None:
    serving = Serving(start=frames.PREFACE + frames.settings((frames.INITIAL_WINDOW_SIZE, 10)))
    serving.feed(request())
    serving.end.reply(1, b"x" * 20)
    assert [body for name, _, body in serving.said() if name == "Data"] == [framed(b"x" * 20)[:10]]
    serving.feed(frames.window_update(1, 3))
    assert [body for name, _, body in serving.said() if name == "Data"] == [b"xxx"]
    serving.feed(frames.settings((frames.INITIAL_WINDOW_SIZE, 100)))
    said = serving.said()
    assert [name for name, _, _ in said] == ["Settings", "Data", "Headers"]
    assert said[-1][2] == {b"grpc-status": b"0"}
    assert serving.budget.held == 0


def test_a_window_that_shrinks_below_zero_has_to_recover_first() -> None:
    serving = Serving(start=frames.PREFACE + frames.settings((frames.INITIAL_WINDOW_SIZE, 10)))
    serving.feed(request())
    serving.end.reply(1, b"x" * 20)
    serving.said()
    serving.feed(frames.settings((frames.INITIAL_WINDOW_SIZE, 0)) + frames.window_update(1, 10))
    assert [name for name, _, _ in serving.said()] == ["Settings"]
    serving.feed(frames.window_update(1, 1))
    assert [body for name, _, body in serving.said() if name == "Data"] == [b"x"]


def test_replies_share_the_connection_window() -> None:
    serving = Serving()
    serving.feed(request(b"", 1) + request(b"", 3))
    serving.end.reply(1, b"a" * 60_000)
    serving.end.reply(3, b"b" * 60_000)
    assert sum(len(body) for name, _, body in serving.said() if name == "Data") == frames.DEFAULT_WINDOW
    serving.feed(frames.window_update(0, 1 << 20))
    assert (
        sum(len(body) for name, _, body in serving.said() if name == "Data")
        == 120_010 - frames.DEFAULT_WINDOW
    )
    assert serving.end.open_streams == 0


def test_waiting_replies_become_frames_a_part_at_a_time() -> None:
    serving = Serving(start=START + frames.window_update(0, 1 << 24))
    serving.feed(frames.settings((frames.INITIAL_WINDOW_SIZE, 1 << 24)) + request())
    serving.end.reply(1, b"x" * (3 << 20))
    parts = []
    while part := serving.end.take():
        parts.append(len(part))
    assert max(parts) < 512 * 1024
    assert sum(parts) > 3 << 20


def test_a_reply_beyond_the_limits_fails_its_call() -> None:
    serving = Serving(SMALL, frames.PREFACE + frames.settings((frames.INITIAL_WINDOW_SIZE, 0)))
    serving.feed(request(b"", 1) + request(b"", 3) + request(b"", 5))
    serving.end.reply(1, b"x" * 1001)
    assert serving.status() == (
        Code.RESOURCE_EXHAUSTED,
        "the reply of 1001 bytes is larger than the limit of 1000",
    )
    serving.end.reply(3, b"x" * 1000)
    serving.said()
    serving.end.reply(5, b"x" * 1000)
    assert serving.status()[0] == Code.RESOURCE_EXHAUSTED
    serving.end.close()
    assert serving.budget.held == 0


def test_replies_beyond_the_budget_of_all_connections_fail() -> None:
    serving = Serving(SMALL, frames.PREFACE + frames.settings((frames.INITIAL_WINDOW_SIZE, 0)))
    serving.budget.take(3900)
    serving.feed(request())
    serving.end.reply(1, b"x" * 500)
    assert serving.status()[0] == Code.RESOURCE_EXHAUSTED


def test_failing_a_call_whose_reply_is_half_sent_resets_it() -> None:
    serving = Serving(start=frames.PREFACE + frames.settings((frames.INITIAL_WINDOW_SIZE, 10)))
    serving.feed(request())
    serving.end.reply(1, b"x" * 20)
    serving.said()
    serving.end.fail(1, Code.UNAVAILABLE, "stopping")
    assert serving.said() == [("RstStream", 1, Reason.CANCEL)]
    assert serving.budget.held == 0


def test_the_client_gets_its_window_back() -> None:
    serving, judge = ServerConnection(LIMITS, Budget(1 << 26), 0.0), Judge()
    for _ in range(8):
        judge.call(b"x" * (1 << 20))
        talk(serving, judge, lambda _: b"")
    assert len(judge.ended) == 8


def test_statuses_are_counted_while_the_client_takes_nothing_and_cut_when_too_many_wait() -> None:
    serving = Serving(Limits(message_bytes=1000, outbox_bytes=2000, buffered_bytes=1500))
    serving.feed(request(b"", 1) + request(b"", 3))
    serving.end.blocked = True
    serving.end.fail(1, Code.NOT_FOUND, "n" * 1000, b"d" * 100)
    assert 1100 < serving.budget.held == serving.end.owed
    serving.end.fail(3, Code.NOT_FOUND, "n" * 1000, b"d" * 100)
    assert serving.budget.held < 1500
    (_, _, first), (_, _, second) = serving.said()
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert len(first[b"grpc-message"]) == 1000
    assert second[b"grpc-status"] == b"5"
    assert len(second[b"grpc-message"]) == 128
    serving.end.repay()
    assert serving.budget.held == 0


def test_a_table_that_is_not_the_usual_one_is_announced() -> None:
    for size, expected in ((4096, []), (8192, [8192])):
        end = ServerConnection(Limits(hpack_table_bytes=size), Budget(1), 0.0)
        (first, _) = read_frames(end.take())
        assert [value for name, value in first.settings.items() if name == frames.HEADER_TABLE_SIZE] == (
            expected
        )


# --- time ---------------------------------------------------------------------------------------------


def test_a_request_that_dribbles_in_fails_in_time() -> None:
    serving = Serving()
    serving.feed(headers() + data(b"\0", end=False), now=1.0)
    assert serving.end.check(2.0) == 1.0 + LIMITS.request_seconds
    assert serving.said() == []
    assert serving.end.check(1.0 + LIMITS.request_seconds) is None
    assert serving.status()[0] == Code.DEADLINE_EXCEEDED


def test_a_call_that_is_served_has_no_such_time() -> None:
    serving = Serving()
    serving.feed(request())
    assert serving.end.check(1e9) is None


def test_a_window_that_stays_shut_ends_the_connection() -> None:
    serving = Serving(start=frames.PREFACE + frames.settings((frames.INITIAL_WINDOW_SIZE, 0)))
    serving.feed(request())
    serving.end.reply(1, b"x")
    serving.end.take()
    assert serving.end.check(100.0) == 100.0 + LIMITS.stall_seconds
    serving.feed(frames.window_update(1, 1), now=110.0)
    serving.end.take()
    assert serving.end.check(110.0) == 110.0 + LIMITS.stall_seconds
    with pytest.raises(Http2Error) as caught:
        serving.end.check(110.0 + LIMITS.stall_seconds)
    assert caught.value.reason is Reason.ENHANCE_YOUR_CALM
    assert serving.said() == [("GoAway", 0, Reason.ENHANCE_YOUR_CALM)]


@pytest.mark.parametrize(
    "wire",
    [
        headers(last=False),
        headers(last=False) + frames.frame(frames.CONTINUATION, 0, 1),
        headers(last=False) + frames.frame(frames.CONTINUATION, 4, 1)[:4],
        frames.frame(frames.PING, 0, 0, bytes(8))[:1],
        request()[:-1],
    ],
)
def test_what_begins_has_to_end_in_time(wire: bytes) -> None:
    serving = Serving()
    serving.feed(wire, now=3.0)
    assert serving.end.incomplete
    assert serving.end.check(4.0) == 3.0 + LIMITS.request_seconds
    with pytest.raises(Http2Error) as caught:
        serving.end.check(3.0 + LIMITS.request_seconds)
    assert caught.value.reason is Reason.ENHANCE_YOUR_CALM


def test_the_next_frame_has_its_own_time() -> None:
    serving = Serving()
    ping = frames.frame(frames.PING, 0, 0, bytes(8))
    for at in range(0, 100, 10):
        serving.feed(ping[:9] if not at else ping[9:] + ping[:9], now=float(at))
        assert serving.end.check(at + 1.0) == at + LIMITS.request_seconds
    serving.feed(ping[9:], now=100.0)
    assert not serving.end.incomplete
    assert serving.end.check(1e9) is None


def test_bytes_that_dribble_in_do_not_prolong_their_frame() -> None:
    serving = Serving()
    wire = headers()
    for at in range(20):
        serving.feed(wire[at : at + 1], now=float(at))
    assert serving.end.check(20.0) == LIMITS.request_seconds


def test_a_reply_that_is_taken_too_slowly_ends_the_connection() -> None:
    serving = Serving(start=frames.PREFACE + frames.settings((frames.INITIAL_WINDOW_SIZE, 0)))
    serving.feed(request())
    serving.end.reply(1, b"x" * 99)
    serving.end.take()
    serving.end.check(0.0)
    for now in range(1, 30):
        serving.feed(frames.window_update(1, 1), now=float(now))
        serving.end.take()
        assert serving.end.check(float(now)) == min(now + LIMITS.stall_seconds, LIMITS.reply_seconds)
    with pytest.raises(Http2Error) as caught:
        serving.end.check(LIMITS.reply_seconds)
    assert caught.value.reason is Reason.ENHANCE_YOUR_CALM


# --- going away ---------------------------------------------------------------------------------------


def test_after_goaway_running_calls_end_and_new_ones_are_ignored() -> None:
    serving = Serving()
    serving.feed(request(b"x", 1))
    serving.end.goaway()
    serving.end.goaway()
    late = request(b"x", 3) + frames.window_update(3, 1) + frames.rst_stream(3, Reason.CANCEL) + data(b"x", 5)
    assert serving.feed(late) == []
    serving.end.reply(1, b"answer")
    assert [name for name, _, _ in serving.said()] == ["GoAway", "Headers", "Data", "Headers"]


def test_a_client_that_does_not_stop_after_goaway_is_cut_off() -> None:
    serving = Serving()
    serving.end.goaway()
    late = b"".join(headers(2 * at + 1, end=True) for at in range(LIMITS.control_frames + 1))
    with pytest.raises(Http2Error) as caught:
        serving.feed(late)
    assert caught.value.reason is Reason.ENHANCE_YOUR_CALM


def test_headers_that_are_ignored_keep_the_tables_in_step() -> None:
    serving, judge = ServerConnection(LIMITS, Budget(1 << 20), 0.0), Judge()
    judge.call(b"x", (b"x-first", b"1"))
    serving.receive(judge.take(), 0.0)
    serving.goaway()
    judge.call(b"x", (b"x-second", b"2"))
    judge.call(b"x", (b"x-second", b"2"))
    assert serving.receive(judge.take(), 0.0) == []


def test_a_client_that_goes_away_still_gets_its_replies() -> None:
    serving = Serving()
    serving.feed(request() + frames.goaway(0, Reason.NO_ERROR))
    serving.end.reply(1, b"x")
    assert [name for name, _, _ in serving.said()] == ["Headers", "Data", "Headers"]


def test_closing_gives_everything_back() -> None:
    serving = Serving(start=frames.PREFACE + frames.settings((frames.INITIAL_WINDOW_SIZE, 0)))
    serving.feed(request(b"", 1) + headers(3) + data(b"\0\0\0\0\xff" + b"x" * 200, 3, end=False))
    serving.end.reply(1, b"x" * 100)
    assert serving.budget.held > 0
    serving.end.close()
    assert serving.budget.held == 0
    assert serving.end.open_streams == 0


# --- violations and floods ------------------------------------------------------------------------------

CONNECTION_ERRORS = {
    "data on stream zero": (data(b"x", 0), Reason.PROTOCOL_ERROR),
    "data on an idle stream": (data(b"x", 5), Reason.PROTOCOL_ERROR),
    "data after the end": (request() + data(b"x"), Reason.STREAM_CLOSED),
    "headers after the end": (request() + headers(end=True), Reason.STREAM_CLOSED),
    "headers on an older stream": (headers(5) + headers(3, end=True), Reason.STREAM_CLOSED),
    "headers on an even stream": (headers(2), Reason.PROTOCOL_ERROR),
    "reset of an idle stream": (frames.rst_stream(7, Reason.CANCEL), Reason.PROTOCOL_ERROR),
    "window of an idle stream": (frames.window_update(7, 1), Reason.PROTOCOL_ERROR),
    "window of the connection overflows": (
        frames.window_update(0, frames.MAX_WINDOW),
        Reason.FLOW_CONTROL_ERROR,
    ),
    "a stream's window overflows by settings": (
        request() + frames.window_update(1, frames.MAX_WINDOW - 65535) + frames.settings((4, 65536)),
        Reason.FLOW_CONTROL_ERROR,
    ),
    "data of a reset stream": (
        headers() + frames.rst_stream(1, Reason.CANCEL) + data(b"x"),
        Reason.STREAM_CLOSED,
    ),
}


@pytest.mark.parametrize("name", CONNECTION_ERRORS)
def test_a_violation_ends_the_connection_with_its_reason(name: str) -> None:
    wire, reason = CONNECTION_ERRORS[name]
    serving = Serving()
    with pytest.raises(Http2Error) as caught:
        serving.feed(wire)
    assert caught.value.reason is reason
    assert serving.said()[-1] == ("GoAway", 0, reason)
    serving.end.close()
    assert serving.budget.held == 0


FLOODS = {
    "rapid reset": lambda at: request(b"", 2 * at + 1) + frames.rst_stream(2 * at + 1, Reason.CANCEL),
    "reset of unfinished requests": lambda at: (
        headers(2 * at + 1) + frames.rst_stream(2 * at + 1, Reason.CANCEL)
    ),
    "resets that we are made to send": lambda at: (
        request(b"", 2 * at + 1) + frames.window_update(2 * at + 1, 0)
    ),
    "malformed requests": lambda at: headers(2 * at + 1, (b"Upper", b""), end=True),
    "streams beyond the limit": lambda at: headers(2 * at + 1),
    "ping": lambda _: frames.frame(frames.PING, 0, 0, bytes(8)),
    "ping answers": lambda _: frames.frame(frames.PING, frames.ACK, 0, bytes(8)),
    "settings": lambda _: frames.settings(),
    "values of settings": lambda _: frames.settings(*((frames.INITIAL_WINDOW_SIZE, at) for at in range(99))),
    "lengths that are not true": lambda at: (
        headers(2 * at + 1, (b"content-length", b"9")) + data(framed(b""), 2 * at + 1)
    ),
    "malformed trailers": lambda at: headers(2 * at + 1) + headers(2 * at + 1, head=[(b"X", b"")], end=True),
    "settings answers": lambda _: frames.frame(frames.SETTINGS, frames.ACK, 0),
    "priority": lambda _: frames.frame(frames.PRIORITY, 0, 9, bytes(5)),
    "unknown frames": lambda _: frames.frame(0x77, 0, 0),
    "window updates": lambda _: frames.window_update(0, 1),
    "goaway": lambda _: frames.goaway(0, Reason.NO_ERROR),
    "empty data": lambda at: (headers() if not at else b"") + data(b"", end=False),
    "tiny data": lambda at: (
        (headers() + data(framed(b"x" * 900000)[:5], end=False) if not at else b"") + data(b"x", end=False)
    ),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_ends_the_connection(name: str) -> None:
    def flood(serving: Serving) -> None:
        for at in range(3000):
            serving.feed(FLOODS[name](at))
            serving.end.take()

    with pytest.raises(Http2Error) as caught:
        flood(Serving())
    assert caught.value.reason is Reason.ENHANCE_YOUR_CALM


@pytest.mark.parametrize("name", ["ping", "settings", "window updates", "rapid reset"])
def test_what_floods_is_allowed_at_a_slow_pace(name: str) -> None:
    serving = Serving()
    for at in range(3000):
        serving.feed(FLOODS[name](at), now=at / 10)
        serving.end.take()


def test_a_busy_client_may_send_control_frames_with_every_call() -> None:
    serving = Serving(start=START + frames.window_update(0, 1 << 24))
    for at in range(3000):
        ping = frames.frame(frames.PING, 0, 0, bytes(8))
        (one,) = serving.feed(ping + frames.window_update(0, 9) + request(b"x", 2 * at + 1) + ping)
        serving.end.reply(one.stream_id, b"y")
        serving.end.take()


def test_a_continuation_flood_ends_the_connection() -> None:
    many = headers(last=False) + frames.frame(frames.CONTINUATION, 0, 1) * (LIMITS.continuation_frames + 1)
    large = headers(last=False) + frames.frame(frames.CONTINUATION, 0, 1, b"\x82" * 16384) * 2
    for wire in (many, large):
        with pytest.raises(Http2Error) as caught:
            Serving().feed(wire)
        assert caught.value.reason is Reason.ENHANCE_YOUR_CALM


# --- fuzzing ------------------------------------------------------------------------------------------

STREAM_IDS = st.sampled_from([0, 1, 2, 3, 5, 7, 2**31 - 1])
ANY_FRAME = st.builds(
    frames.frame,
    st.integers(0, 11),
    st.integers(0, 255),
    STREAM_IDS,
    st.binary(max_size=40) | st.just(hpack.encode(*HEAD)),
)
USUAL = st.sampled_from(
    [
        request(b"x", 1),
        request(b"x" * 300, 3),
        headers(5),
        headers(7, last=False),
        frames.frame(frames.CONTINUATION, 4, 7),
        data(framed(b"x"), 5),
        data(b"\0\0\0\0\x09", 5, end=False),
        frames.window_update(0, 1000),
        frames.window_update(1, 5),
        frames.settings((frames.INITIAL_WINDOW_SIZE, 3)),
        frames.settings((frames.INITIAL_WINDOW_SIZE, 70000)),
        frames.rst_stream(1, Reason.CANCEL),
        frames.frame(frames.PING, 0, 0, bytes(8)),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(ANY_FRAME | USUAL | st.binary(max_size=60), max_size=25), st.booleans(), st.integers(0, 400))
def test_any_bytes_after_the_preface_raise_nothing_but_the_protocols_own_error(
    pieces: list[bytes], answer: bool, size: int
) -> None:
    budget = Budget(LIMITS.buffered_bytes)
    end = ServerConnection(LIMITS, budget, 0.0)
    held = []
    try:
        end.receive(START, 0.0)
        for at, piece in enumerate(pieces):
            for event in end.receive(piece, at / 7):
                if isinstance(event, Request):
                    held.append(event.held)
                    if answer:
                        end.reply(event.stream_id, b"r" * size)
            list(read_frames(end.take()))
            end.check(at / 7)
    except Http2Error:
        assert next(reversed(list(read_frames(end.take())))).type == frames.GOAWAY
    end.close()
    budget.give(sum(held))
    assert budget.held == 0


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_session_raises_nothing_but_the_protocols_own_error(damages: list[tuple[int, int]]) -> None:
    judge = Judge()
    for at in range(3):
        judge.call(b"m" * 30, (b"grpc-timeout", b"%dm" % at), (b"x-note", b"n" * 20))
    wire = bytearray(judge.take())
    for at, value in damages:
        wire[at % len(wire)] = value
    end = ServerConnection(LIMITS, Budget(1 << 20), 0.0)
    try:
        for event in end.receive(bytes(wire), 0.0):
            if isinstance(event, Request):
                end.reply(event.stream_id, event.message)
    except Http2Error:
        end.close()
    list(read_frames(end.take()))
