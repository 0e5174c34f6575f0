"""One connection over a real socket pair, on a clock that the test holds and without any thread."""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from tests.rpc.wire import START, Judge, data, framed, headers, read_frames, request

from csiproxy.errors import Code
from csiproxy.rpc import frames
from csiproxy.rpc.call import Call
from csiproxy.rpc.connection import Connection, ServedCall, Shared
from csiproxy.rpc.descriptor_poller import DescriptorPoller
from csiproxy.rpc.frames import Reason
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.poller import HANGUP, READ, WRITE
from csiproxy.rpc.status import RpcError
from csiproxy.rpc.timers import Timers
from csiproxy.rpc.unix import UnixStream

LIMITS = Limits(handshake_seconds=10, idle_seconds=100, stall_seconds=20, request_seconds=30)


class Desk:
    """A connection, its client's socket, and the server around it played by hand."""

    def __init__(
        self, handler: Callable[[Call], bytes] = lambda call: call.message, limits: Limits = LIMITS
    ) -> None:
        self.shared = Shared(handler, lambda _, method: method == "/quick", limits, lambda call, status: None)
        self.shared.poller = self.poller = DescriptorPoller()
        self.shared.timers = self.timers = Timers(lambda: None)
        self.withdrawn: list[ServedCall] = []
        self.shared.withdraw = self._withdraw
        self.in_line: list[ServedCall] = []
        self.client, server = socket.socketpair()
        self.client.settimeout(10)
        stream = UnixStream(server)
        client = self.shared.clients.enter(stream.peer)
        self.connection = Connection(self.shared, client, stream, "csi-proxy-disk-v1", 0.0)
        self.connection.open()

    def _withdraw(self, call: ServedCall) -> bool:
        self.withdrawn.append(call)
        return call in self.in_line

    def close(self) -> None:
        self.connection.close()
        self.client.close()
        self.poller.close()

    def turn(self, now: float = 0.0) -> list[ServedCall]:
        """Handle everything that is ready; give the calls."""
        calls: list[ServedCall] = []
        while (event := self.poller.wait(0)) is not None:
            token, bits = event
            calls += token.ready(bits, now)
        return calls

    def say(self, wire: bytes, now: float = 0.0) -> list[ServedCall]:
        self.client.sendall(wire)
        return self.turn(now)

    def hear(self) -> list[tuple[int, int]]:
        """Type and stream of the frames that the client can read now."""
        self.client.setblocking(False)
        wire = b""
        with suppress(BlockingIOError):
            while part := self.client.recv(1 << 20):
                wire += part
        return [(frame.type, frame.stream_id) for frame in read_frames(wire)]


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()


def test_a_call_carries_everything_and_is_answered(desk: Desk) -> None:
    (call,) = desk.say(START + request(b"question", 1, (b"grpc-timeout", b"5S")), now=2.0)
    assert (call.endpoint, call.method, call.message) == ("csi-proxy-disk-v1", "/v1.Disk/Rescan", b"question")
    assert (call.deadline, call.quick, call.peer) == (7.0, False, desk.connection.peer)
    desk.hear()
    call.run()
    assert [kind for kind, _ in desk.hear()] == [frames.HEADERS, frames.DATA, frames.HEADERS]
    assert call.over
    assert not call.cancelled()


def test_which_calls_are_quick_is_asked(desk: Desk) -> None:
    (call,) = desk.say(START + quick_request())
    assert call.quick
    assert call.kind == ("csi-proxy-disk-v1", "/quick")


def quick_request() -> bytes:
    head = (
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", b"/quick"),
        (b"content-type", b"application/grpc"),
    )
    return headers(head=head) + data(framed(b""))


def test_what_came_with_a_quick_call_is_answered_with_it(desk: Desk) -> None:
    desk.say(START)
    desk.hear()
    ping = frames.frame(frames.PING, 0, 0, bytes(8))
    (call,) = desk.say(ping + quick_request())
    assert desk.hear() == []
    call.run()
    assert [kind for kind, _ in desk.hear()] == [frames.PING, frames.HEADERS, frames.DATA, frames.HEADERS]


def test_what_came_with_a_quick_call_is_answered_before_it_when_its_turn_is_later(desk: Desk) -> None:
    desk.say(START)
    desk.hear()
    (call,) = desk.say(frames.frame(frames.PING, 0, 0, bytes(8)) + quick_request())
    call.release()
    assert [kind for kind, _ in desk.hear()] == [frames.PING]


def test_what_came_with_a_call_that_may_block_is_answered_at_once(desk: Desk) -> None:
    desk.say(START)
    desk.hear()
    desk.say(frames.frame(frames.PING, 0, 0, bytes(8)) + request())
    assert [kind for kind, _ in desk.hear()] == [frames.PING]


@pytest.mark.parametrize(
    ("handler", "code", "text"),
    [
        (lambda _: 1 / 0, Code.INTERNAL, "the handler failed"),
        (lambda _: None, Code.INTERNAL, "not a message"),
        (lambda _: bytearray(b"x"), Code.INTERNAL, "not a message"),
        (lambda _: exit(1), Code.INTERNAL, "the handler failed"),
    ],
)
def test_a_handler_that_fails_otherwise_is_internal_without_its_text(
    handler: Callable[[Call], bytes], code: Code, text: str
) -> None:
    desk = Desk(handler)
    judge = Judge()
    judge.call(b"x")
    (call,) = desk.say(judge.take())
    call.run()
    judge.receive(desk.client.recv(1 << 16))
    trailers = judge.trailers[1]
    assert trailers[b"grpc-status"] == b"%d" % code
    assert text in trailers[b"grpc-message"].decode()
    assert b"division" not in trailers[b"grpc-message"]
    desk.close()


def test_a_status_of_the_handler_is_passed_on() -> None:
    def handler(_: Call) -> bytes:
        raise RpcError(Code.NOT_FOUND, "no such disk", b"\x08\x05")

    desk, judge = Desk(handler), Judge()
    judge.call(b"x")
    (call,) = desk.say(judge.take())
    call.run()
    judge.receive(desk.client.recv(1 << 16))
    assert judge.trailers[1][b"grpc-status"] == b"5"
    assert judge.trailers[1][b"grpc-status-details-bin"] == b"CAU"
    desk.close()


def test_a_deadline_answers_cancels_and_drops_the_late_reply(desk: Desk) -> None:
    (call,) = desk.say(START + request(b"x", 1, (b"grpc-timeout", b"5S")))
    heard: list[str] = []
    call.on_cancel(lambda: heard.append("cancelled"))
    desk.hear()
    assert desk.timers.timeout(0.0) == 5.0
    desk.timers.expire(5.0)
    assert call.cancelled()
    assert heard == ["cancelled"]
    assert desk.hear() == [(frames.HEADERS, 1)]
    call.run()
    assert desk.hear() == []


def test_a_late_reply_of_a_running_handler_is_dropped() -> None:
    desk = Desk(lambda call: (call.due(5.0), b"late")[1])  # type: ignore[attr-defined]
    (call,) = desk.say(START + request())
    desk.hear()
    call.run()
    assert desk.hear() == [(frames.HEADERS, 1)]
    desk.close()


def test_a_reset_and_a_hang_up_cancel(desk: Desk) -> None:
    one, two = desk.say(START + request(b"", 1) + request(b"", 3))
    desk.say(frames.rst_stream(1, Reason.CANCEL))
    assert (one.cancelled(), two.cancelled()) == (True, False)
    desk.client.close()
    desk.turn()
    assert two.cancelled()
    assert desk.connection.over
    assert desk.withdrawn == [one, two]
    assert desk.shared.connections == set()


def test_a_call_that_is_cancelled_in_line_gives_back_what_it_held(desk: Desk) -> None:
    wire = framed(b"x" * 900)
    (call,) = desk.say(START + headers() + data(wire[:500], end=False) + data(wire[500:]))
    assert desk.shared.clients.budget.held == call.held == 905
    desk.in_line.append(call)
    desk.say(frames.rst_stream(1, Reason.CANCEL))
    assert desk.shared.clients.budget.held == 0


def test_a_call_that_was_run_or_refused_gives_back_what_it_held(desk: Desk) -> None:
    wire = framed(b"x" * 900)
    both = b"".join(
        headers(stream) + data(wire[:500], stream, end=False) + data(wire[500:], stream) for stream in (1, 3)
    )
    one, two = desk.say(START + both)
    one.run()
    two.refuse()
    assert desk.shared.clients.budget.held == 0


def test_calls_of_a_read_that_ends_in_a_violation_are_not_run_and_hold_nothing(desk: Desk) -> None:
    wire = framed(b"x" * 900)
    call = headers() + data(wire[:500], end=False) + data(wire[500:])
    assert desk.say(START + call + data(b"x", 0)) == []
    assert desk.connection.over
    assert desk.shared.clients.budget.held == 0
    assert desk.hear()[-1] == (frames.GOAWAY, 0)


def test_a_bug_costs_its_connection_only() -> None:
    desk = Desk()
    desk.shared.quick = lambda _, __: 1 / 0 > 0
    assert desk.say(START + request()) == []
    assert desk.connection.over
    desk.close()


# --- time -----------------------------------------------------------------------------------------------


def test_a_connection_that_stays_silent_is_closed(desk: Desk) -> None:
    assert desk.timers.timeout(0.0) == 10.0
    desk.timers.expire(9.9)
    assert not desk.connection.over
    desk.timers.expire(10.0)
    assert desk.connection.over


def test_a_connection_without_calls_is_asked_to_go_and_closed_when_it_stays(desk: Desk) -> None:
    desk.say(START)
    desk.hear()
    desk.timers.expire(10.0)
    desk.timers.expire(99.0)
    assert desk.hear() == []
    desk.timers.expire(100.0)
    assert desk.hear() == [(frames.GOAWAY, 0)]
    desk.timers.expire(119.0)
    assert not desk.connection.over
    desk.timers.expire(120.0)
    assert desk.connection.over


def test_a_connection_with_a_call_is_not_idle(desk: Desk) -> None:
    (call,) = desk.say(START + request())
    assert desk.connection.idle_since is None
    for now in (10.0, 110.0, 210.0):
        desk.timers.expire(now)
    assert not desk.connection.over
    call.run()
    desk.hear()
    assert desk.connection.idle_since == 0.0
    desk.timers.expire(310.0)
    assert desk.hear() == [(frames.GOAWAY, 0)]


def test_an_unfinished_request_fails_in_time(desk: Desk) -> None:
    desk.say(START + headers() + data(b"\0", end=False))
    desk.hear()
    desk.timers.expire(10.0)
    desk.timers.expire(30.0)
    assert desk.hear() == [(frames.HEADERS, 1), (frames.RST_STREAM, 1)]


def test_a_peer_that_never_reads_is_closed_and_its_replies_are_forgotten() -> None:
    desk = Desk(lambda _: b"x" * (2 << 20))
    desk.client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    wide = frames.settings((frames.INITIAL_WINDOW_SIZE, 1 << 24)) + frames.window_update(0, 1 << 24)
    for call in desk.say(START + wide + request(b"", 1) + request(b"", 3)):
        call.run()
    assert desk.shared.clients.budget.held > 0
    assert not desk.connection.finished
    begun = desk.timers.timeout(0.0)
    assert begun is not None
    desk.timers.expire(1e12)
    assert desk.connection.over
    assert desk.shared.clients.budget.held == 0
    desk.close()


def test_what_a_peer_takes_late_arrives_whole() -> None:
    desk = Desk(lambda _: b"x" * (3 << 20))
    judge = Judge(1 << 24)
    judge.h2.increment_flow_control_window(1 << 24)
    judge.call(b"x")
    (call,) = desk.say(judge.take())
    call.run()
    desk.client.setblocking(False)
    while 1 not in judge.ended:
        desk.turn()
        judge.receive(desk.client.recv(1 << 16), acknowledge=False)
    assert bytes(judge.replies[1]) == framed(b"x" * (3 << 20))
    assert desk.shared.clients.budget.held == 0
    assert desk.turn() == []  # nothing is left to be written, so nothing is reported writable
    desk.close()


def test_a_peer_that_asks_and_never_reads_is_not_read_until_it_reads() -> None:
    desk = Desk(limits=Limits(control_frames=1_000_000))
    desk.say(START)
    desk.hear()
    pings = frames.frame(frames.PING, 0, 0, bytes(8)) * 100_000
    desk.client.setblocking(False)
    sent = 0
    with suppress(BlockingIOError):
        while sent < len(pings):
            sent += desk.client.send(pings[sent : sent + 1700])
            desk.turn()
    assert sent < len(pings)
    assert not desk.connection.over
    desk.connection.ready(READ, 0.0)  # is not looked at while paused
    heard = 0
    while heard < sent // 17 * 17:
        heard += len(desk.client.recv(1 << 20))
        desk.turn()
    assert heard == sent // 17 * 17
    desk.close()


def test_a_peer_that_is_gone_while_it_is_not_read_is_noticed() -> None:
    desk = Desk(lambda _: b"x" * (2 << 20))
    wide = frames.settings((frames.INITIAL_WINDOW_SIZE, 1 << 24)) + frames.window_update(0, 1 << 24)
    (call,) = desk.say(START + wide + request())
    call.run()
    desk.client.close()
    desk.turn()
    assert desk.connection.over
    desk.close()


def test_what_was_said_while_the_peer_took_nothing_is_sent_when_it_does() -> None:
    desk = Desk(lambda _: b"x" * (2 << 20))
    judge = Judge(1 << 24)
    judge.h2.increment_flow_control_window(1 << 24)
    judge.call(b"first")
    judge.call(b"second")
    first, second = desk.say(judge.take())
    first.run()
    second.end(RpcError(Code.NOT_FOUND, "n" * 2000))
    assert desk.shared.clients.budget.held > 2000
    desk.client.setblocking(False)
    while judge.ended != {1, 3}:
        desk.turn()
        judge.receive(desk.client.recv(1 << 16), acknowledge=False)
    assert judge.trailers[3][b"grpc-status"] == b"5"
    assert desk.shared.clients.budget.held == 0
    desk.close()


def test_a_short_reply_waits_with_the_others_while_the_peer_takes_nothing() -> None:
    desk = Desk(lambda call: b"x" * int(call.message))
    wide = frames.settings((frames.INITIAL_WINDOW_SIZE, 1 << 24)) + frames.window_update(0, 1 << 24)
    for call in desk.say(START + wide + request(b"2000000", 1) + request(b"9000", 3)):
        before = desk.shared.clients.budget.held
        call.run()
    assert desk.shared.clients.budget.held == before + 9005
    desk.connection.close()
    assert desk.shared.clients.budget.held == 0
    desk.close()


def test_a_finished_call_keeps_no_message_although_its_timer_is_left(desk: Desk) -> None:
    (call,) = desk.say(START + request(b"m" * 9000, 1, (b"grpc-timeout", b"5S")))
    call.run()
    assert call.message == b""
    assert desk.timers._heap


def test_a_header_block_that_does_not_end_is_closed_in_time(desk: Desk) -> None:
    desk.say(START)
    desk.say(headers(last=False), now=20.0)
    for now in (10.0, 30.0, 49.0):
        desk.timers.expire(now)
    assert not desk.connection.over
    desk.timers.expire(50.0)
    assert desk.connection.over
    assert desk.hear()[-1] == (frames.GOAWAY, 0)


def test_timers_do_not_pile_up_on_a_connection_that_lives_long(desk: Desk) -> None:
    desk.say(START)
    now = 0.0
    for stream in range(1, 400, 2):
        wire = headers(stream) + data(framed(b"x"), stream)
        desk.say(wire[:-3], now)
        for call in desk.say(wire[-3:], now):
            call.run()
        now += 31.0
        desk.timers.expire(now)
        desk.hear()
    assert not desk.connection.over
    assert len(desk.timers._heap) <= 3


# --- the end ----------------------------------------------------------------------------------------------


def test_draining_lets_calls_finish(desk: Desk) -> None:
    (call,) = desk.say(START + request())
    desk.hear()
    desk.connection.drain(1.0)
    assert desk.hear() == [(frames.GOAWAY, 0)]
    assert not desk.connection.finished
    assert desk.say(request(b"", 3)) == []
    call.run()
    assert desk.connection.finished
    assert [kind for kind, _ in desk.hear()] == [frames.HEADERS, frames.DATA, frames.HEADERS]


def test_aborting_answers_and_cancels_what_runs(desk: Desk) -> None:
    (call,) = desk.say(START + request())
    desk.hear()
    desk.connection.abort()
    assert call.cancelled()
    assert desk.hear() == [(frames.HEADERS, 1)]


def test_closing_twice_and_working_on_a_closed_connection_is_harmless(desk: Desk) -> None:
    (call,) = desk.say(START + request())
    desk.connection.close()
    desk.connection.close()
    assert call.cancelled()
    desk.connection.due(1e9)
    desk.connection.drain(1.0)
    assert desk.connection.ready(READ | WRITE | HANGUP, 1.0) == []
    assert not desk.connection.answer(call, b"late")
