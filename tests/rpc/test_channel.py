"""The calling end against our server, against another's, and against servers that misbehave."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import grpc
import pytest
from tests.rpc.wire import framed

from csiproxy.errors import Code
from csiproxy.rpc import frames, hpack
from csiproxy.rpc.call import Call
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.frames import Reason
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.memory import MemoryListener
from csiproxy.rpc.server import Server
from csiproxy.rpc.status import RpcError
from csiproxy.rpc.stream import Stream
from csiproxy.rpc.unix import UnixListener, UnixStream, connect

PATIENCE = 20.0
HEAD = hpack.encode((b":status", b"200"), (b"content-type", b"application/grpc"))
REPLY = (
    frames.frame(frames.HEADERS, 4, 1, HEAD)
    + frames.frame(frames.DATA, 0, 1, framed(b"reply"))
    + frames.frame(frames.HEADERS, 5, 1, hpack.encode((b"grpc-status", b"0")))
)


def echo(call: Call) -> bytes:
    if call.method == "/slow":
        gone = Event()
        call.on_cancel(gone.set)
        gone.wait(PATIENCE)
    if call.method == "/left":
        assert call.deadline is not None
        return b"%d" % round(call.deadline - time.monotonic())
    return call.message


@pytest.fixture
def memory() -> Iterator[MemoryListener]:
    listener = MemoryListener("m")
    server = Server(echo, quick=lambda _, __: False)
    server.add(listener)
    server.start()
    yield listener
    assert server.stop(PATIENCE)


@pytest.fixture
def scripted() -> Iterator[Callable[..., Callable[[], Stream]]]:
    """Servers that say what they were told to say, whatever they hear; one connection each."""
    ends: list[socket.socket] = []

    def script(*sayings: bytes | None) -> Callable[[], Stream]:
        waiting = list(sayings)

        def connect() -> Stream:
            if not waiting:
                raise ConnectionRefusedError("no more servers")
            client, server = socket.socketpair()
            saying = waiting.pop(0)
            if saying is None:
                server.close()
            else:
                server.sendall(saying)
                ends.append(server)
            return UnixStream(client)

        return connect

    yield script
    for end in ends:
        end.close()


def failure(
    channel: Channel, method: str = "/x", message: bytes = b"", timeout: float | None = PATIENCE
) -> RpcError:
    with channel, pytest.raises(RpcError) as caught:
        channel.call(method, message, timeout=timeout)
    return caught.value


def test_calls_are_answered_with_and_without_a_timeout(memory: MemoryListener) -> None:
    with Channel(memory.connect) as channel:
        assert channel.call("/x", b"one") == b"one"
        assert channel.call("/x", b"two", timeout=PATIENCE) == b"two"
        assert channel.call("/left", b"", timeout=1000) == b"1000"


@pytest.mark.parametrize("size", [0, 70_000, 4 * 1024 * 1024])
def test_messages_of_any_size_pass(memory: MemoryListener, size: int) -> None:
    message = os.urandom(size)
    with Channel(memory.connect) as channel:
        assert channel.call("/x", message, timeout=PATIENCE) == message


def test_another_implementation_serves_us(tmp_path: Path) -> None:
    server = grpc.server(ThreadPoolExecutor(2))
    details = b"\x08\x05\x12\x01x"

    class Handler(grpc.GenericRpcHandler):
        def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
            def answer(message: bytes, context: grpc.ServicerContext) -> bytes:
                if message == b"fail":
                    context.set_trailing_metadata([("grpc-status-details-bin", details)])
                    context.abort(grpc.StatusCode.NOT_FOUND, "nicht da: 100% sicher, größer")
                return message

            known = handler_call_details.method == "/v1.Test/Echo"
            return grpc.unary_unary_rpc_method_handler(answer) if known else None

    server.add_generic_rpc_handlers([Handler()])
    server.add_insecure_port(f"unix:{tmp_path}/s")
    server.start()
    with Channel(lambda: connect(f"{tmp_path}/s")) as channel:
        for message in (b"", b"x", os.urandom(3 * 1024 * 1024)):
            assert channel.call("/v1.Test/Echo", message, timeout=PATIENCE) == message
        with pytest.raises(RpcError) as caught:
            channel.call("/v1.Test/Echo", b"fail", timeout=PATIENCE)
        assert (caught.value.code, caught.value.details) == (Code.NOT_FOUND, details)
        assert caught.value.message == "nicht da: 100% sicher, größer"
        with pytest.raises(RpcError) as caught:
            channel.call("/v1.Test/Other", b"", timeout=PATIENCE)
        assert caught.value.code is Code.UNIMPLEMENTED
    server.stop(0).wait()


def test_a_server_that_cannot_be_reached_is_unavailable(tmp_path: Path) -> None:
    error = failure(Channel(lambda: connect(str(tmp_path / "nobody"))))
    assert error.code is Code.UNAVAILABLE
    assert "cannot be reached" in error.message


def test_a_slow_server_runs_into_the_timeout_and_the_channel_lives_on(memory: MemoryListener) -> None:
    with Channel(memory.connect) as channel:
        for _ in range(3):
            with pytest.raises(RpcError) as caught:
                channel.call("/slow", b"", timeout=0.02)
            assert caught.value.code is Code.DEADLINE_EXCEEDED
            assert channel.call("/x", b"next", timeout=PATIENCE) == b"next"


def test_a_silent_server_runs_into_the_timeout(scripted) -> None:
    assert failure(Channel(scripted(b"")), timeout=0.02).code is Code.DEADLINE_EXCEEDED


def test_a_server_that_never_reads_runs_into_the_timeout(scripted) -> None:
    wide = frames.settings((frames.INITIAL_WINDOW_SIZE, 1 << 24)) + frames.window_update(0, 1 << 24)
    error = failure(Channel(scripted(wide)), message=bytes(4 * 1024 * 1024), timeout=0.05)
    assert error.code is Code.DEADLINE_EXCEEDED


def test_a_timeout_of_nothing_is_over_at_once(memory: MemoryListener) -> None:
    assert failure(Channel(memory.connect), timeout=0).code is Code.DEADLINE_EXCEEDED


def test_waiting_for_another_threads_call_counts(memory: MemoryListener) -> None:
    with Channel(memory.connect) as channel, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(channel.call, "/slow", b"", timeout=0.3)
        while not channel._lock.locked():
            time.sleep(0.001)
        with pytest.raises(RpcError) as caught:
            channel.call("/x", b"", timeout=0.01)
        assert caught.value.code is Code.DEADLINE_EXCEEDED
        with pytest.raises(RpcError):
            slow.result()


def test_threads_take_turns(memory: MemoryListener) -> None:
    with Channel(memory.connect) as channel, ThreadPoolExecutor(8) as pool:
        messages = [b"%d" % number for number in range(200)]
        assert list(pool.map(lambda one: channel.call("/x", one, timeout=PATIENCE), messages)) == messages


def test_a_server_that_was_replaced_is_found_again(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with Channel(lambda: connect(path)) as channel:
        for _ in range(3):
            server = Server(echo, quick=lambda _, __: False)
            server.add(UnixListener(path, "s"))
            server.start()
            assert channel.call("/x", b"x", timeout=PATIENCE) == b"x"
            assert server.stop(PATIENCE)
        with pytest.raises(RpcError) as caught:
            channel.call("/x", b"x", timeout=PATIENCE)
        assert caught.value.code is Code.UNAVAILABLE


def test_a_connection_that_died_meanwhile_is_made_again(scripted) -> None:
    channel = Channel(
        scripted(frames.settings() + REPLY + frames.goaway(1, Reason.NO_ERROR), frames.settings() + REPLY)
    )
    assert channel.call("/x", b"", timeout=PATIENCE) == b"reply"
    assert channel.call("/x", b"", timeout=PATIENCE) == b"reply"
    channel.close()


def test_a_call_that_nobody_looked_at_is_sent_again(scripted) -> None:
    refusing = frames.settings() + frames.rst_stream(1, Reason.REFUSED_STREAM)
    leaving = frames.settings() + frames.goaway(0, Reason.NO_ERROR)
    channel = Channel(scripted(leaving, refusing, frames.settings() + REPLY))
    # What the server says is there before the call is made: the channel takes it when it waits for the reply.
    assert channel.call("/x", b"", timeout=PATIENCE) == b"reply"
    channel.close()


def test_a_call_is_not_sent_again_for_ever(scripted) -> None:
    leaving = frames.settings() + frames.goaway(0, Reason.NO_ERROR)
    assert failure(Channel(scripted(*[leaving] * 10))).code is Code.UNAVAILABLE


def test_a_call_that_a_server_did_not_take_whole_is_sent_again(scripted) -> None:
    channel = Channel(scripted(None, frames.settings() + REPLY))
    assert channel.call("/x", b"", timeout=PATIENCE) == b"reply"
    channel.close()


def test_what_a_server_said_before_it_hung_up_is_the_outcome() -> None:
    client, server = socket.socketpair()
    refusal = hpack.encode((b":status", b"200"), (b"grpc-status", b"8"), (b"grpc-message", b"too many"))
    server.sendall(frames.settings() + frames.frame(frames.HEADERS, 5, 1, refusal))
    server.close()
    error = failure(Channel(lambda: UnixStream(client)))
    assert (error.code, error.message) == (Code.RESOURCE_EXHAUSTED, "too many")


def test_a_connection_that_breaks_under_a_call_is_unavailable_and_the_call_not_repeated() -> None:
    served = []

    def connect_once() -> Stream:
        client, server = socket.socketpair()
        served.append(pool.submit(serve, server))
        return UnixStream(client)

    def serve(server: socket.socket) -> None:
        with server:
            wire = b""
            while framed(b"whole call") not in wire:
                wire += server.recv(1 << 16)

    with ThreadPoolExecutor(1) as pool:
        error = failure(Channel(connect_once), message=b"whole call")
    assert error.code is Code.UNAVAILABLE
    assert len(served) == 1


@pytest.mark.parametrize(
    "garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 100, frames.settings() + bytes(9)]
)
def test_a_server_that_speaks_something_else_is_unavailable(scripted, garbage: bytes) -> None:
    assert failure(Channel(scripted(garbage))).code is Code.UNAVAILABLE


def test_a_reply_beyond_the_limit_is_refused(memory: MemoryListener) -> None:
    error = failure(Channel(memory.connect, limits=Limits(message_bytes=1000)), message=bytes(1001))
    assert error.code is Code.RESOURCE_EXHAUSTED


def test_a_closed_channel_connects_again(memory: MemoryListener) -> None:
    channel = Channel(memory.connect)
    channel.close()
    assert channel.call("/x", b"x", timeout=PATIENCE) == b"x"
    channel.close()
    assert channel.call("/x", b"x", timeout=PATIENCE) == b"x"
    channel.close()
